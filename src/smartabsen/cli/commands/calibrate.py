"""``smartabsen calibrate``."""

from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import GateError
from ...i18n import N_, _
from .. import calibration_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

if TYPE_CHECKING:
    from ...core.calibrate import CalibrationReport

app = make_noun()


@command(
    app,
    "calibrate",
    help=_("Choose threshold and margin for the people enrolled here.")
    + "\n\n"
    + _("From their own scores and from reference scores of the engine. What the data cannot support is not put into "
        "force, and the exit code is 1. “smartabsen train” then uses the choice."),
    example="smartabsen calibrate --target-fpir 0.001",
)  # fmt: skip
def calibrate(
    session: Session,
    target_fpir: Annotated[
        float,
        typer.Option("--target-fpir", metavar="SHARE", help=_("Share of strangers that may be taken for somebody.")),
    ] = 0.001,
    force: Annotated[
        bool,
        typer.Option("--force", help=_("Put the choice into force even where the data cannot support it.")),
    ] = False,
) -> Answer:
    """Calibrate and answer with the report, also when the data could not support the target."""
    with session.open() as app:
        session.tell_engine(app)
        report = app.calibration.calibrate(target_fpir, force=force)
    return Answer.of(calibration_view.as_json(report), lambda out: calibration_view.show(out, report), _refusal(report))


def _refusal(report: "CalibrationReport") -> GateError | None:
    if report.stored:
        return None
    if report.choice.contradicted:
        return GateError(
            N_("Not put into force: of {trials} photos here, {count} are taken for somebody else at that threshold."),
            hint=N_("Look at the people who look alike: is one of them enrolled twice? Or choose a larger target."),
            trials=report.choice.observed_fpir.trials,
            count=report.choice.observed_fpir.count,
        )
    return GateError(
        N_("Not put into force: with {people} people the data can support an FPIR of {least} at best, not {target}."),
        hint=N_("Choose a larger target, or --force: the threshold is then drawn on beyond what was measured."),
        people=report.record.people,
        least=f"{report.choice.least_target:.2g}",
        target=f"{report.choice.target:g}",
    )

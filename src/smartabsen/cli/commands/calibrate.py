"""``smartabsen calibrate``."""

from typing import Annotated

import typer

from ...kernel.i18n import _
from .. import calibration_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

app = make_noun()


@command(
    app,
    "calibrate",
    help=_("Choose threshold and margin for the people enrolled here.")
    + "\n\n"
    + _("From their own scores and from reference scores of the engine. What the data cannot support is not put into "
        "force, and the exit code is 1. “smartabsen train” then uses the choice, as long as it fits the people.")
    + "\n\n"
    + _("--forget drops it: what fits the number of people by itself is used from the next training on."),
    example="smartabsen calibrate --target-fpir 0.001",
)  # fmt: skip
def calibrate(
    session: Session,
    target_fpir: Annotated[
        float | None,
        typer.Option(
            "--target-fpir",
            metavar="SHARE",
            help=_(
                "Share of strangers that may be taken for somebody, 0.05 at most. Default: recognition.target_fpir."
            ),
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help=_("Put the choice into force even where the data cannot support it.")),
    ] = False,
    forget: Annotated[bool, typer.Option("--forget", help=_("Drop the calibration and choose nothing."))] = False,
) -> Answer:
    """Calibrate and answer with the report, also when the data could not support the target; or forget."""
    if forget and (force or target_fpir is not None):
        raise typer.BadParameter(_("--forget goes with no other option: it chooses nothing."))
    with session.open() as app:
        if forget:
            record = app.calibration.forget()
            return Answer(
                data=calibration_view.forgotten(record),
                show=lambda out: calibration_view.show_forgotten(out, record),
            )
        session.tell_engine(app)
        target = app.settings.recognition.target_fpir if target_fpir is None else target_fpir
        report = app.calibration.calibrate(target, force=force)
    return Answer.of(
        calibration_view.as_json(report),
        lambda out: calibration_view.show(out, report),
        calibration_view.refusal(report),
    )

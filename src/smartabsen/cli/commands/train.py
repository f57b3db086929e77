"""``smartabsen train``."""

from typing import Annotated

import typer

from ...domain import TrainReport
from ...errors import GateError
from ...i18n import N_, _
from .. import data, tables
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

app = make_noun()


@command(
    app,
    "train",
    help=_("Fit the matcher on all enrolled faces, and measure it.")
    + "\n\n"
    + _("A model below the accuracy demanded is not activated: the one before stays in use, and the exit code is 1.")
    + "\n\n"
    + _("Demanded of leave-one-out accuracy; where a calibration fits, of the share recognised at its threshold."),
    example="smartabsen train --min-accuracy 0.95",
)
def train(
    session: Session,
    min_accuracy: Annotated[
        float | None,
        typer.Option("--min-accuracy", min=0, max=1, help=_("Share demanded, 0.99 by default.")),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help=_("Activate the model whatever its accuracy."))] = False,
) -> Answer:
    """Train and answer with the report, also when the gate refused the model."""
    with session.open() as app:
        session.tell_engine(app)
        report = app.train(min_accuracy=min_accuracy, force=force)
        session.tell_calibration(app)
    return Answer.of(data.training(report), lambda out: tables.show_training(out, report), _refusal(report))


def _refusal(report: TrainReport) -> GateError | None:
    if report.activated:
        return None
    if report.calibrated:
        text = N_("Not activated: {accuracy} recognised at the calibrated threshold, demanded {demanded}.")
    else:
        text = N_("Not activated: leave-one-out accuracy {accuracy}, demanded {demanded}.")
    return GateError(
        text,
        hint=N_("Look at the people and photos above; --force activates it all the same."),
        accuracy=tables.percent(report.gate_share or 0.0),
        demanded=tables.percent(report.min_accuracy),
    )

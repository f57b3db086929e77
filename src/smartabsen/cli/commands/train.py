"""``smartabsen train``."""

from typing import Annotated

import typer

from ...kernel.i18n import _
from .. import training_view
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
    + _("Its threshold fits the number of people by itself, for the share of strangers in recognition.target_fpir; a "
        "calibration or a setting comes before it. Where a calibration no longer fits, the stricter of both is used.")
    + "\n\n"
    + _("Demanded of the share recognised at the threshold that comes into use; of leave-one-out accuracy where nobody "
        "chose that threshold. Whoever is recognised in fewer than half of their own photos is named with the reason, "
        "and the exit code is 7."),
    example="smartabsen train --min-accuracy 0.95",
)  # fmt: skip
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
        training_view.tell_calibration(session, app, report)
    return Answer.of(
        training_view.as_json(report), lambda out: training_view.show(out, report), training_view.refusal(report)
    )

"""``smartabsen why``."""

from collections.abc import Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ...kernel.domain import Refusal
from ...kernel.i18n import _
from ...kernel.messages import advise, describe_distance, describe_outcome
from ..answer import Answer
from ..command import command, make_noun
from ..output import Column, Output
from ..session import Session

app = make_noun()


@command(
    app,
    "why",
    help=_("Tell why people were refused at kiosks and in browsers, and by how much.")
    + "\n\n"
    + _("Refusals have a time, a place and a reason; nobody's name and no picture is kept."),
    example="smartabsen why --last 20",
)
def why(
    session: Session,
    last: Annotated[int, typer.Option("--last", min=1, max=5_000, help=_("How many of the last ones to show."))] = 20,
) -> Answer:
    """List the last refusals, the newest first."""
    with session.open() as app:
        refusals, total = app.refusals.latest(last), app.refusals.count()
        zone = ZoneInfo(app.settings.site.zone)
    return Answer(
        data={"refusals": [_as_json(refusal) for refusal in refusals], "total": total},
        show=lambda out: _show(out, refusals, zone, total=total),
    )


def _as_json(refusal: Refusal) -> dict[str, object]:
    return {
        "at": refusal.at.isoformat(),
        "kiosk": refusal.kiosk,
        "outcome": refusal.outcome.value,
        "measure": None if refusal.measure is None else refusal.measure.value,
        "value": None if refusal.measured is None else refusal.measured.value,
        "limit": None if refusal.measured is None else refusal.measured.limit,
        "short_by": refusal.short_by,
        "message": describe_outcome(refusal.outcome)[0],
        "advice": advise(refusal.outcome),
    }


def _show(out: Output, refusals: Sequence[Refusal], zone: ZoneInfo, *, total: int) -> None:
    columns = (
        Column(_("Time"), whole=True),
        Column(_("Kiosk")),
        Column(_("Reason")),
        Column(_("How far")),
        Column(_("What to do")),
    )
    rows = []
    for refusal in refusals:
        sentence, _next_step = describe_outcome(refusal.outcome)
        at = f"{refusal.at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        rows.append((at, refusal.kiosk, sentence, describe_distance(refusal), advise(refusal.outcome)))
    out.table(columns, rows, empty=_("Nobody was refused lately."))
    if total > len(rows):
        out.note(_("These are the last {count} of {total}.", count=len(rows), total=total))

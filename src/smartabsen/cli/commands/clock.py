"""``smartabsen clock``."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ...kernel.i18n import _
from .. import clock_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

app = make_noun(
    "clock", help=_("Check this machine's clock, or say that it is right."), example="smartabsen clock check"
)


@command(
    app,
    "check",
    help=_("Compare this machine's clock with the database server's, and name the kiosks whose clocks were off.")
    + "\n\n"
    + _("Exit code 1 where punches of this machine are marked."),
    example="smartabsen clock check",
)
def check(session: Session) -> Answer:
    """Show the clock."""
    with session.open() as app:
        facts, zone = app.clock.facts(), ZoneInfo(app.settings.site.zone)
    return Answer(
        data=clock_view.clock(facts),
        show=lambda out: clock_view.show_clock(out, facts, zone),
        exit_code=0 if facts.right else 1,
    )


@command(
    app,
    "accept",
    help=_("Say that this machine's clock is right, although a later time was trusted before.")
    + "\n\n"
    + _("For a clock that was once in the future. Where a database server tells the time, nobody needs to say so."),
    example="smartabsen clock accept --reason 'compared with a phone'",
)
def accept(
    session: Session,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help=_("How you know; it is kept in the audit trail."))
    ],
) -> Answer:
    """Take a person's word for the clock."""
    with session.open() as app:
        facts, zone = app.clock.accept(reason=reason), ZoneInfo(app.settings.site.zone)
    return Answer(data=clock_view.clock(facts), show=lambda out: clock_view.show_clock(out, facts, zone))

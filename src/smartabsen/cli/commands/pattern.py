"""``smartabsen pattern``."""

from typing import Annotated, TypeAlias

import typer

from ...kernel.i18n import _
from .. import schedule_view
from ..answer import Answer
from ..command import command, make_noun
from ..days import read_day_if_any
from ..session import Session

app = make_noun("pattern", help=_("Add, list and remove cycles of shifts."), example="smartabsen pattern list")

PatternCode: TypeAlias = Annotated[str, typer.Argument(metavar="CODE", help=_("Code of the pattern."))]


@command(
    app,
    "add",
    help=_("Add a cycle of shifts and days off that repeats.")
    + "\n\n"
    + _("A cycle of whole weeks begins on Mondays, and any other one on the first date of its assignment; --starts "
        "gives another date."),
    example="smartabsen pattern add KANTOR --cycle PAGI:5,OFF:2\n"
    "smartabsen pattern add JAGA --cycle PAGI:2,MALAM:2,OFF:2 --starts 2026-11-02",
)  # fmt: skip
def add_pattern(
    session: Session,
    code: PatternCode,
    cycle: Annotated[str, typer.Option("--cycle", metavar="SHIFT:DAYS,...", help=_("As PAGI:5,OFF:2."))],
    starts: Annotated[
        str | None, typer.Option("--starts", metavar="DATE", help=_("A date on which the cycle begins."))
    ] = None,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help=_("Name, for people."))] = "",
) -> Answer:
    """Add it."""
    day = read_day_if_any(starts, "--starts")
    with session.open() as library:
        added = library.shifts.add_pattern(code, cycle, name=name, starts=day)
    return Answer(
        data={"pattern": schedule_view.pattern(added)}, show=lambda out: schedule_view.show_patterns(out, (added,))
    )


@command(app, "list", help=_("List patterns."), example="smartabsen pattern list")
def list_patterns(session: Session) -> Answer:
    """List all patterns."""
    with session.open() as library:
        patterns = library.shifts.list_patterns()
    return Answer(
        data={"patterns": [schedule_view.pattern(each) for each in patterns]},
        show=lambda out: schedule_view.show_patterns(out, patterns),
    )


@command(app, "remove", help=_("Remove a pattern that was never assigned."), example="smartabsen pattern remove KANTOR")
def remove_pattern(session: Session, code: PatternCode) -> Answer:
    """Remove it."""
    with session.open() as library:
        library.shifts.remove_pattern(code)
    removed = _("The pattern {code} is removed.", code=code)
    return Answer(data={"code": code}, show=lambda out: out.line(removed))

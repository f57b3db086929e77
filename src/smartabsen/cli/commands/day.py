"""``smartabsen day``: what became of a person's day and why, and judging days again."""

from typing import Annotated

import typer

from ...kernel.i18n import _
from .. import day_view
from ..answer import Answer
from ..command import command, make_noun
from ..days import read_day
from ..parameters import Code
from ..session import Session

app = make_noun()


@command(
    app,
    "show",
    help=_("Show what became of a day, and each rule that applied."),
    example="smartabsen day show E001 2026-11-13",
)
def show_day(
    session: Session,
    code: Code,
    day: Annotated[str, typer.Argument(metavar="DATE", help=_("As 13/11/2026 or 2026-11-13."))],
) -> Answer:
    """Show it."""
    work_date = read_day(day, "DATE")
    with session.open() as library:
        found = library.days.look(code, work_date)
    return Answer(data=day_view.day(found), show=lambda out: day_view.show_day(out, found))


@command(
    app,
    "recompute",
    help=_("Judge days again after plans, policies or leave have changed. A second run changes nothing."),
    example="smartabsen day recompute --from 2026-11-01 --to 2026-11-30 --dry-run",
)
def recompute_days(
    session: Session,
    first: Annotated[str, typer.Option("--from", metavar="DATE", help=_("First day."))],
    last: Annotated[str, typer.Option("--to", metavar="DATE", help=_("Last day."))],
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only show what would change."))] = False,
) -> Answer:
    """Judge them again."""
    begin, end = read_day(first, "--from"), read_day(last, "--to")
    with session.open() as library:
        done = library.results.recompute(begin, end, dry_run=dry_run)
        codes = {each.id: each.code for each in library.employees()}
    facts = day_view.recomputed(done, codes, dry_run=dry_run)
    return Answer(data=facts, show=lambda out: day_view.show_recomputed(out, done, codes, dry_run=dry_run))

"""``smartabsen calendar``."""

from datetime import date
from typing import Annotated, Literal, TypeAlias

import typer

from ...attendance.schedule.model import CalendarKind
from ...kernel.i18n import _
from .. import leave_view, schedule_view
from ..answer import Answer
from ..command import command, make_noun
from ..days import read_day
from ..output import Output
from ..session import Session

app = make_noun(
    "calendar",
    help=_("Holidays and joint leave: list, sync, add, remove, take."),
    example="smartabsen calendar list --year 2026",
)

Kind: TypeAlias = Literal["public", "joint", "company", "school"]
Day: TypeAlias = Annotated[str, typer.Argument(metavar="DATE", help=_("As 13/11/2026 or 2026-11-13."))]
Worker: TypeAlias = Annotated[str | None, typer.Option("--employee", metavar="CODE", help=_("For this employee only."))]


@command(app, "list", help=_("List holidays and joint leave."), example="smartabsen calendar list --year 2027")
def list_days(
    session: Session,
    year: Annotated[
        int | None, typer.Option("--year", min=2000, max=2100, help=_("The year; this one by default."))
    ] = None,
) -> Answer:
    """List the days of a year."""
    with session.open() as library:
        wanted = year or library.desk.work_date().year
        days = library.calendar.list_days(date(wanted, 1, 1), date(wanted, 12, 31))
    return Answer(
        data={"days": [schedule_view.calendar_day(each) for each in days]},
        show=lambda out: schedule_view.show_calendar(out, days),
    )


@command(
    app,
    "sync",
    help=_("Make the calendar equal to the official holidays of Indonesia, after showing what changes.")
    + "\n\n"
    + _("This year and the next, unless told otherwise. Days that somebody entered stay. No network is needed: the "
        "days come with the library “holidays”, or (--source frozen) with this program, 2026 and 2027."),
    example="smartabsen calendar sync --dry-run\nsmartabsen calendar sync --year 2026 --year 2027 --yes",
)  # fmt: skip
def sync(
    session: Session,
    year: Annotated[
        list[int] | None, typer.Option("--year", min=2000, max=2100, help=_("A year; may be given again."))
    ] = None,
    source: Annotated[Literal["holidays", "frozen"], typer.Option("--source", help=_("Where from."))] = "holidays",
    joint: Annotated[
        bool, typer.Option("--joint-taken/--joint-worked", help=_("Whether the firm takes new joint leave."))
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what changes, write nothing."))] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))] = False,
) -> Answer:
    """Show the difference, ask, and apply it."""
    with session.open() as library:
        this_year = library.desk.work_date().year
        years = year or [this_year, this_year + 1]
        report = library.calendar.sync(years, source=source, dry_run=True)
        if not dry_run and not report.diff.is_empty:
            if not yes:
                session.out.tell("\n".join(schedule_view.diff_lines(report.diff)))
                session.ask(_("The calendar changes so. Go on?"))
            report = library.calendar.sync(years, source=source, dry_run=False, joint_taken=joint)

    def show(out: Output) -> None:
        schedule_view.show_diff(out, report.diff)
        if report.applied:
            schedule_view.show_touched(out, report.touched)
            leave_view.show_recounted_leave(out, report.leave)
        elif dry_run:
            out.note(_("Nothing was written: this was a dry run."))

    return Answer(data=schedule_view.sync(report), show=show)


@command(
    app,
    "add",
    help=_("Add a day; whose plans it changes is listed."),
    example="smartabsen calendar add 2026-11-27 'Pilkada' --kind public\n"
    "smartabsen calendar add 2026-12-31 'Tutup buku' --kind company --site JKT",
)
def add_day(
    session: Session,
    day: Day,
    name: Annotated[str, typer.Argument(metavar="NAME", help=_("What people call it."))],
    kind: Annotated[Kind, typer.Option("--kind", help=_("What it is."))],
    site: Annotated[str, typer.Option("--site", metavar="CODE", help=_("Only for this site."))] = "",
    region: Annotated[str, typer.Option("--region", metavar="NAME", help=_("Only for this region."))] = "",
    worked: Annotated[bool, typer.Option("--worked", help=_("Joint leave that the firm does not take."))] = False,
) -> Answer:
    """Add it."""
    when = read_day(day, "DATE")
    if worked and kind != "joint":
        raise typer.BadParameter(_("--worked belongs to joint leave: --kind joint."))
    with session.open() as library:
        change = library.calendar.add(when, name, CalendarKind(kind), site=site, region=region, taken=not worked)
    return Answer(data=schedule_view.calendar_change(change), show=lambda out: schedule_view.show_change(out, change))


@command(
    app,
    "remove",
    help=_("Remove the days of a date; whose plans that changes is listed."),
    example="smartabsen calendar remove 2026-11-27",
)
def remove_day(
    session: Session,
    day: Day,
    kind: Annotated[Kind | None, typer.Option("--kind", help=_("Only what is this."))] = None,
) -> Answer:
    """Remove it."""
    when = read_day(day, "DATE")
    with session.open() as library:
        change = library.calendar.remove(when, kind=None if kind is None else CalendarKind(kind))
    return Answer(data=schedule_view.calendar_change(change), show=lambda out: schedule_view.show_change(out, change))


@command(
    app,
    "take",
    help=_("Say that the firm takes a joint leave, or that an employee takes it after all."),
    example="smartabsen calendar take 2026-12-24",
)
def take(session: Session, day: Day, employee: Worker = None) -> Answer:
    """Take it."""
    return _decide(session, day, employee, works=False)


@command(
    app,
    "work",
    help=_("Say that the firm works on a joint leave, or that an employee does: an ordinary day."),
    example="smartabsen calendar work 2026-12-24 --employee E001",
)
def work(session: Session, day: Day, employee: Worker = None) -> Answer:
    """Work on it."""
    return _decide(session, day, employee, works=True)


def _decide(session: Session, day: str, employee: str | None, *, works: bool) -> Answer:
    when = read_day(day, "DATE")
    with session.open() as library:
        if employee is None:
            change = library.calendar.take_joint_leave(when, taken=not works)
        else:
            _person, change = library.calendar.opt_out(employee, when, works=works)
    return Answer(data=schedule_view.calendar_change(change), show=lambda out: schedule_view.show_change(out, change))

"""``smartabsen roster``."""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from ...attendance.schedule.model import ScopeKind
from ...kernel.errors import PartlyDoneError
from ...kernel.i18n import N_, _
from .. import schedule_view
from ..answer import Answer, Problem, problem_of
from ..command import command, make_noun
from ..days import read_day, read_day_if_any, read_month
from ..parameters import Code, Reason
from ..session import Session

app = make_noun("roster", help=_("Say who works when: patterns, and single dates."), example="smartabsen roster list")

Employee: TypeAlias = Annotated[str | None, typer.Option("--employee", metavar="CODE", help=_("Only this employee."))]
Department: TypeAlias = Annotated[
    str | None, typer.Option("--department", metavar="CODE", help=_("The department with this code."))
]
Site: TypeAlias = Annotated[str | None, typer.Option("--site", metavar="CODE", help=_("The site with this code."))]
Day: TypeAlias = Annotated[str, typer.Argument(metavar="DATE", help=_("As 13/11/2026 or 2026-11-13."))]
Month: TypeAlias = Annotated[str, typer.Option("--month", metavar="YYYY-MM", help=_("The month, as 2026-11."))]


@command(
    app,
    "assign",
    help=_("Assign a pattern to an employee, a department or a site, from a date on.")
    + "\n\n"
    + _("The nearest one counts: employee, then department, then site; of several in force the one that begins last."),
    example="smartabsen roster assign --site JKT --pattern KANTOR --from 2026-11-01\n"
    "smartabsen roster assign --employee E001 --pattern JAGA --from 2026-11-02",
)
def assign(
    session: Session,
    pattern: Annotated[str, typer.Option("--pattern", metavar="CODE", help=_("Code of the pattern."))],
    first: Annotated[str, typer.Option("--from", metavar="DATE", help=_("First day."))],
    last: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help=_("Last day; without end by default."))
    ] = None,
    employee: Annotated[
        str | None, typer.Option("--employee", metavar="CODE", help=_("The employee with this code."))
    ] = None,
    department: Department = None,
    site: Site = None,
) -> Answer:
    """Assign it."""
    kind, code = _scope(employee, department, site, required=True)
    begins, ends = read_day(first, "--from"), read_day_if_any(last, "--to")
    assert kind is not None
    with session.open() as library:
        assigned = library.roster.assign(kind, code, pattern, begins, ends)
    text = _("{code}: {pattern} from {first}.", code=assigned.code, pattern=assigned.assignment.pattern, first=begins)
    return Answer(data={"assignment": schedule_view.assignment(assigned)}, show=lambda out: out.line(text))


@command(
    app,
    "end",
    help=_("Let an assignment end on a date; “roster list” shows its number."),
    example="smartabsen roster end 12 --on 2026-11-30",
)
def end(
    session: Session,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help=_("Number of the assignment."))],
    on: Annotated[str, typer.Option("--on", metavar="DATE", help=_("Its last day."))],
) -> Answer:
    """End it."""
    last = read_day(on, "--on")
    with session.open() as library:
        ended = library.roster.end(number, last)
    text = _("{code}: {pattern} until {last}.", code=ended.code, pattern=ended.assignment.pattern, last=last)
    return Answer(data={"assignment": schedule_view.assignment(ended)}, show=lambda out: out.line(text))


@command(
    app,
    "set",
    help=_("Decide what an employee works on one date; it goes before patterns and holidays."),
    example="smartabsen roster set E001 2026-11-13 MALAM --reason 'for E002'\n"
    "smartabsen roster set E001 2026-11-14 OFF --reason 'after the night'",
)
def set_day(
    session: Session,
    code: Code,
    day: Day,
    shift: Annotated[str, typer.Argument(metavar="SHIFT|OFF", help=_("Code of a shift, or OFF."))],
    reason: Reason = "",
) -> Answer:
    """Decide it."""
    work_date = read_day(day, "DATE")
    with session.open() as library:
        change = library.roster.set_day(code, work_date, shift, reason=session.ask_reason(reason))
    return Answer(
        data=schedule_view.roster_change(change), show=lambda out: schedule_view.show_roster_change(out, change)
    )


@command(
    app,
    "clear",
    help=_("Take back what was decided for one date: the pattern counts again."),
    example="smartabsen roster clear E001 2026-11-13 --reason 'E002 is well again'",
)
def clear_day(session: Session, code: Code, day: Day, reason: Reason = "") -> Answer:
    """Take it back."""
    work_date = read_day(day, "DATE")
    with session.open() as library:
        change = library.roster.clear_day(code, work_date, reason=session.ask_reason(reason))
    return Answer(
        data=schedule_view.roster_change(change), show=lambda out: schedule_view.show_roster_change(out, change)
    )


@command(
    app,
    "list",
    help=_("Show assignments, single dates and what follows from them for everybody.")
    + "\n\n"
    + _("This week, unless told otherwise."),
    example="smartabsen roster list --from 2026-11-09 --to 2026-11-15",
)
def list_roster(
    session: Session,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help=_("First day."))] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help=_("Last day."))] = None,
    employee: Employee = None,
    department: Department = None,
    site: Site = None,
) -> Answer:
    """Show them."""
    kind, code = _scope(employee, department, site, required=False)
    begins, ends = read_day_if_any(first, "--from"), read_day_if_any(last, "--to")
    with session.open() as library:
        begins, ends = _week(begins, ends, library.desk.work_date())
        view = library.roster.view(begins, ends, kind=kind, code=code)
    return Answer(data=schedule_view.roster(view), show=lambda out: schedule_view.show_roster(out, view))


@command(
    app,
    "export",
    help=_("Write the roster of a month as a sheet, to be filled in and imported again."),
    example="smartabsen roster export november.xlsx --month 2026-11",
)
def export(
    session: Session,
    target: Annotated[
        Path, typer.Argument(metavar="FILE", readable=False, help=_("The file to write, .xlsx or .csv."))
    ],
    month: Month,
    department: Department = None,
    site: Site = None,
) -> Answer:
    """Write it."""
    kind, code = _scope(None, department, site, required=False)
    wanted = read_month(month)
    with session.open() as library:
        people = library.roster_grid.export(target, wanted, kind=kind, code=code)
    return Answer(
        data={"output": str(target), "people": people}, show=lambda out: out.note(_("Written: {path}", path=target))
    )


@command(
    app,
    "import",
    help=_("Read such a sheet back: each cell that differs from the plan becomes a single date.")
    + "\n\n"
    + _("A cell holds the code of a shift, or OFF; an empty one says nothing, and - takes back what was decided. Exit "
        "code 7 when rows were rejected."),
    example="smartabsen roster import november.xlsx --month 2026-11 --dry-run\n"
    "smartabsen roster import november.xlsx --month 2026-11 --reason roster",
)  # fmt: skip
def import_roster(
    session: Session,
    source: Annotated[Path, typer.Argument(metavar="FILE", readable=False, help=_("CSV or XLSX file."))],
    month: Month,
    reason: Reason = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show the verdicts, write nothing."))] = False,
) -> Answer:
    """Import it."""
    wanted = read_month(month)
    why = reason or "dry run" if dry_run else session.ask_reason(reason)
    with session.open() as library:
        report = library.roster_grid.import_file(source, wanted, reason=why, dry_run=dry_run)
    rejected = sum(row.verdict.value == "rejected" for row in report.rows)
    problems: tuple[Problem, ...] = ()
    exit_code = 0
    if rejected and rejected == len(report.rows):
        problems, exit_code = (Problem("refused", _("No row was imported.")),), 1
    elif rejected:
        error = PartlyDoneError(N_("Rejected rows: {count} of {all}."), count=rejected, all=len(report.rows))
        problems, exit_code = (problem_of(error),), error.exit_code
    return Answer(
        data=schedule_view.grid(report),
        show=lambda out: schedule_view.show_grid(out, report),
        problems=problems,
        exit_code=exit_code,
    )


def _scope(
    employee: str | None, department: str | None, site: str | None, *, required: bool
) -> tuple[ScopeKind | None, str]:
    given = [
        (kind, code)
        for kind, code in (
            (ScopeKind.EMPLOYEE, employee),
            (ScopeKind.DEPARTMENT, department),
            (ScopeKind.SITE, site),
        )
        if code is not None
    ]
    if len(given) > 1 or (required and not given):
        raise typer.BadParameter(_("Give one of --employee, --department and --site."))
    return given[0] if given else (None, "")


def _week(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    begins = first or (last - timedelta(days=6) if last else today - timedelta(days=today.weekday()))
    return begins, last or begins + timedelta(days=6)

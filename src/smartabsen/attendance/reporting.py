"""Reports: days and totals of a period, on screen and as files."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from ..app.bootstrap import Services
from ..kernel.domain import Report, Status
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import N_, _
from ..kernel.messages import STATUSES
from ..people import employee_rows
from ..store.files import require_directory
from ..store.sheet_writer import CellValue, Sheet, csv_text, write_csv, write_xlsx
from .report import build_report, count_of
from .results.keeping import attendance_of
from .rules.model import is_unplanned

ReportFormat = Literal["csv", "xlsx"]

_TITLES = (
    N_("Code"),
    N_("Name"),
    N_("Date"),
    N_("In"),
    N_("Out"),
    N_("Status"),
    N_("Minutes late"),
    N_("Minutes worked"),
)


def make_report(services: Services, first: date, last: date, *, code: str | None) -> Report:
    """Build the report of a period, both ends included, for one employee or all.

    Raises:
        InvalidInputError: ``last`` is before ``first``.
        NotFoundError: There is no employee with that code.
    """
    if last < first:
        raise InvalidInputError(N_("The period ends ({last}) before it begins ({first})."), first=first, last=last)
    with services.database.read(long=True) as session:
        people = (employee_rows.get(session, code),) if code else employee_rows.find_all(session)
        now = services.instant()
        ids = (people[0].id,) if code else None
        found = services.working_time.book.between(session, ids, first, last, now)
    today = services.rules.work_date(now)
    days = (
        attendance_of(employee_id, result)
        for (employee_id, day), result in found.items()
        if not is_unplanned(result) and (day <= today or result.clock_in is not None or result.status.is_leave)
    )
    return build_report(people, days, first=first, last=last, zone=services.settings.site.zone)


def write_report(
    report: Report, path: Path, *, format: ReportFormat, totals: bool = False, separator: str = ","
) -> None:
    """Write a report, with titles and statuses in the current language.

    Args:
        separator: Between the cells of a CSV.
        totals: As CSV, which holds one table, write the totals of each employee instead of the days; XLSX has both.

    Raises:
        InvalidInputError: There is no such format.
        StorageError: The file cannot be written.
    """
    require_directory(path.parent)
    if format == "xlsx":
        write_xlsx(path, _days(report), _totals(report))
    elif format == "csv":
        sheet = _totals(report) if totals else _days(report)
        write_csv(path, sheet.header, sheet.rows, separator=separator)
    else:
        raise InvalidInputError(N_("A report is written as csv or xlsx, not as {format}."), format=format)


def report_text(report: Report, *, totals: bool = False, separator: str = ",") -> str:
    """Return a report as CSV; arguments as for :func:`write_report`."""
    sheet = _totals(report) if totals else _days(report)
    return csv_text(sheet.header, sheet.rows, separator=separator)


def _days(report: Report) -> Sheet:
    rows: list[list[CellValue]] = [
        [
            day.code,
            day.name,
            day.work_date,
            day.clock_in.time() if day.clock_in else None,
            day.clock_out.time() if day.clock_out else None,
            _(STATUSES[day.status]),
            day.late_minutes,
            day.worked_minutes,
        ]
        for day in report.days
    ]
    return Sheet(f"{report.first} - {report.last}", [_(title) for title in _TITLES], rows)


def _totals(report: Report) -> Sheet:
    titles = [
        *(_(title) for title in _TITLES[:2]),
        *(_(STATUSES[status]) for status in Status),
        *(_(title) for title in _TITLES[-2:]),
    ]
    rows: list[list[CellValue]] = [
        [t.code, t.name, *(count_of(t, status) for status in Status), t.late_minutes, t.worked_minutes]
        for t in report.totals
    ]
    return Sheet(_("Totals"), titles, rows)

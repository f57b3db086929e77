"""The days that somebody looks at in the dashboard, as a file: the same filter and order, all pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..app.bootstrap import Services
from ..kernel.domain import Status
from ..kernel.i18n import N_, _, current_language
from ..kernel.messages import STATUSES
from ..store.sheet_writer import CellValue, Sheet, csv_text, xlsx_bytes
from ..trust.audit import AuditTrail
from .board_rows import DayRow
from .desk import DayQuery, Desk

ExportFormat: TypeAlias = Literal["csv", "xlsx"]

_TITLES = (
    N_("Date"),
    N_("Code"),
    N_("Name"),
    N_("Position"),
    N_("In"),
    N_("Out"),
    N_("Status"),
    N_("Minutes late"),
    N_("Minutes worked"),
    N_("Note"),
    N_("Corrected"),
)


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file for a browser."""

    name: str
    media_type: str
    data: bytes


def export_days(services: Services, query: DayQuery, *, format: ExportFormat) -> ExportFile:
    """Return the days of a query as CSV or XLSX, titles and statuses in the current language; XLSX also has totals.

    It is written to the audit trail: personal data leaves the system here.

    Raises:
        InvalidInputError: The query is none.
    """
    rows = Desk(services).all_days(query)
    wanted = query.wanted
    days = Sheet(f"{wanted.first} - {wanted.last}", [_(title) for title in _TITLES], [_day(row) for row in rows])
    name = f"smartabsen-{wanted.first}-{wanted.last}.{format}"
    details = {"from": str(wanted.first), "to": str(wanted.last), "rows": str(len(rows)), "format": format}
    AuditTrail(services).note_reading("attendance.export", details=details)
    if format == "csv":
        text = csv_text(days.header, days.rows, separator=services.settings.report.separator(current_language()))
        return ExportFile(name, "text/csv; charset=utf-8", text.encode("utf-8-sig"))
    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return ExportFile(name, media_type, xlsx_bytes(days, _totals(rows)))


def _day(row: DayRow) -> list[CellValue]:
    return [
        row.work_date,
        row.code,
        row.name,
        row.position,
        row.clock_in.time() if row.clock_in else None,
        row.clock_out.time() if row.clock_out else None,
        _(STATUSES[row.status]) if row.status else _("Absent"),
        row.late_minutes,
        row.worked_minutes,
        row.note,
        _("yes") if row.corrected else "",
    ]


def _totals(rows: tuple[DayRow, ...]) -> Sheet:
    people: dict[str, list[DayRow]] = {}
    for row in rows:
        people.setdefault(row.code, []).append(row)
    titles = [_("Code"), _("Name"), *(_(STATUSES[status]) for status in Status), _("Absent"), *map(_, _TITLES[7:9])]
    table: list[list[CellValue]] = [
        [
            code,
            own[0].name,
            *(sum(row.status is status for row in own) for status in (*Status, None)),
            sum(row.late_minutes for row in own),
            sum(row.worked_minutes for row in own),
        ]
        for code, own in sorted(people.items(), key=lambda item: (item[1][0].name.casefold(), item[0]))
    ]
    return Sheet(_("Totals"), titles, table)

"""The roster of a month as a sheet, out and in: a row for each person, a column for each date."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from ...kernel.codes import code_key
from ...kernel.errors import ConflictError, InvalidInputError
from ...kernel.i18n import N_
from ...store.database import Session
from ...store.sheet_writer import CellValue, Sheet, write_csv, write_xlsx
from ...store.sheets import Column, TableRow, read_table
from ...trust.work import Units, Work
from . import rows
from .directory import Directory
from .model import OFF, Person, ScopeKind
from .planning import load_plans
from .roster import checked_reason
from .rules_plan import PlanBook, code_of

AS_PLANNED: Final = "-"
"""In a cell: take back what was decided for this date. An empty cell says nothing of it."""
CODE, NAME = "code", "name"


class RowVerdict(StrEnum):
    """What becomes of a row of a sheet."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class GridChange:
    """A date that a sheet changes; both are codes of shifts or ``OFF``."""

    day: date
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class GridRow:
    """What becomes of one row.

    Attributes:
        line: Where it stands in the file.
        detail: Why it is rejected, as a message id; ``params`` fill its places.
    """

    line: int
    code: str
    name: str
    verdict: RowVerdict
    changes: tuple[GridChange, ...] = ()
    detail: str = ""
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class GridReport:
    """What became of a sheet."""

    rows: tuple[GridRow, ...]
    dry_run: bool

    def count(self, verdict: RowVerdict) -> int:
        """Return how many rows have a verdict."""
        return sum(row.verdict is verdict for row in self.rows)


@dataclass(frozen=True, slots=True)
class _Known:
    """What rows are compared with."""

    people: Mapping[str, Person]
    shifts: Mapping[str, tuple[int, str]]
    rostered: frozenset[tuple[int, date]]
    book: PlanBook
    days: Sequence[date]
    seen: set[int] = field(default_factory=set)


class RosterGrid:
    """Rosters of months as sheets.

    Args:
        units: Of the database.
        directory: Looks up people and places.
    """

    def __init__(self, units: Units, directory: Directory) -> None:
        self._units = units
        self._directory = directory

    def export(self, path: Path, month: date, *, kind: ScopeKind | None = None, code: str = "") -> int:
        """Write the plans of a month to a .xlsx or .csv file; return the number of people.

        Args:
            month: A date in it.
            kind: Only of a department or a site: that with ``code``.

        Raises:
            InvalidInputError: The file has another ending.
            NotFoundError: There is no such department or site.
            StorageError: The file cannot be written.
        """
        ending = path.suffix.lower()
        if ending not in (".xlsx", ".csv"):
            raise InvalidInputError(N_("{path} ends with neither .xlsx nor .csv."), path=path)
        days = days_of(month)

        def work(job: Work) -> list[list[CellValue]]:
            scope = None if kind is None else self._directory.get_scope(job.session, kind, code)
            book = load_plans(job.session, self._directory, days[0], days[-1])
            table: list[list[CellValue]] = []
            for person in book.people:
                place = book.placement(person.id, days[-1])
                if scope is not None and scope.id not in (
                    place.site_id if scope.kind is ScopeKind.SITE else place.department_id,
                ):
                    continue
                table.append([person.code, person.name, *(_cell(book, person, day) for day in days)])
            details = {"from": days[0].isoformat(), "to": days[-1].isoformat(), "file": path.name}
            job.record("roster.export", subject=code, details=details)
            return table

        table = self._units.write(work)
        header = (CODE, NAME, *(day.isoformat() for day in days))
        if ending == ".csv":
            write_csv(path, header, table)
        else:
            write_xlsx(path, Sheet(f"{month:%Y-%m}", header, table))
        return len(table)

    def import_file(self, path: Path, month: date, *, reason: str, dry_run: bool) -> GridReport:
        """Read such a sheet back: each cell that differs from the plan becomes a single date of the roster.

        A rejected row changes nothing; the others do. The same file once more changes nothing.

        Raises:
            NotFoundError: There is no such file.
            InvalidInputError: It is no table of a roster, or no reason is given.
        """
        reason = checked_reason(reason)
        days = days_of(month)
        columns = (
            Column(CODE, ("kode", "kode karyawan", "employee code"), required=True),
            Column(NAME, ("nama", "nama karyawan", "employee name")),
            *(Column(day.isoformat(), (str(day.day),)) for day in days),
        )
        table = read_table(path, columns)
        read = {title for title, _ in table.reading.columns}
        days = tuple(day for day in days if day.isoformat() in read)
        if not days:
            raise InvalidInputError(
                N_("{path} has no column for a date of {month}."),
                hint=N_("Titles look like 2026-11-01; “smartabsen roster export” writes such a sheet."),
                path=path,
                month=f"{month:%Y-%m}",
            )
        if dry_run:
            with self._units.read(long=True) as session:
                known = self._known(session, days)
                return GridReport(tuple(_judge(row, known) for row in table.rows), dry_run=True)

        def work(job: Work) -> GridReport:
            known = self._known(job.session, days)
            judged = tuple(_judge(row, known) for row in table.rows)
            for row, source in zip(judged, table.rows, strict=True):
                if row.verdict is RowVerdict.CHANGED:
                    self._apply(job, row, source, known, reason)
            return GridReport(judged, dry_run=False)

        return self._units.write(work)

    def _apply(self, job: Work, row: GridRow, source: TableRow, known: _Known, reason: str) -> None:
        person = known.people[code_key(row.code)]
        for change in row.changes:
            if source.values[change.day.isoformat()] == AS_PLANNED:
                rows.delete_roster_day(job.session, person.id, change.day)
                continue
            shift_id = None if change.after == OFF else known.shifts[code_key(change.after)][0]
            rows.put_roster_day(job.session, person.id, change.day, shift_id, reason)
        details = {each.day.isoformat(): f"{each.before} - {each.after}" for each in row.changes}
        job.record("roster.import", subject=person.code, details={**details, "reason": reason})

    def _known(self, session: Session, days: Sequence[date]) -> _Known:
        book = load_plans(session, self._directory, days[0], days[-1])
        return _Known(
            people={code_key(person.code): person for person in book.people},
            shifts=rows.shift_ids(session),
            rostered=frozenset(rows.roster(session, days[0], days[-1])),
            book=book,
            days=days,
        )


def days_of(month: date) -> tuple[date, ...]:
    """Return all dates of the month of a date."""
    first = month.replace(day=1)
    return tuple(first + timedelta(days=number) for number in range(calendar.monthrange(first.year, first.month)[1]))


def _cell(book: PlanBook, person: Person, day: date) -> str:
    plan = book.plan(person.id, day)
    if plan.shift is None and not plan.is_planned and not plan.holiday:
        return ""
    return code_of(plan.shift) or OFF


def _judge(row: TableRow, known: _Known) -> GridRow:
    code, name = row.values[CODE], row.values[NAME]
    person = known.people.get(code_key(code))
    try:
        if person is None:
            raise ConflictError(N_("There is no employee with the code {code}."), code=code)
        if person.id in known.seen:
            raise ConflictError(N_("The code {code} stands in the file twice."), code=code)
        changes = tuple(filter(None, (_change(row, day, person, known) for day in known.days)))
    except (ConflictError, InvalidInputError) as exc:
        return GridRow(row.line, code, name, RowVerdict.REJECTED, (), exc.message_id, exc.text_params)
    known.seen.add(person.id)
    verdict = RowVerdict.CHANGED if changes else RowVerdict.UNCHANGED
    return GridRow(row.line, person.code, person.name, verdict, changes)


def _change(row: TableRow, day: date, person: Person, known: _Known) -> GridChange | None:
    given = row.values[day.isoformat()]
    current = _cell(known.book, person, day)
    before = current or OFF
    if not given:
        return None
    if fault := row.faults.get(day.isoformat()):
        raise InvalidInputError(fault.detail, column=day.isoformat(), **dict(fault.params))
    if given == AS_PLANNED:
        return GridChange(day, before, AS_PLANNED) if (person.id, day) in known.rostered else None
    if code_key(given) == code_key(OFF):
        after = OFF
    elif found := known.shifts.get(code_key(given)):
        after = found[1]
    else:
        raise ConflictError(N_("{date}: there is no shift with the code {code}."), date=day, code=given)
    return None if after == current else GridChange(day, before, after)

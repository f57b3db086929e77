"""What the dashboard reads of attendance: filtered, sorted, counted and cut into pages by the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final, Literal, TypeAlias, get_args

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from ..kernel.codes import code_key
from ..kernel.domain import PunchMethod, Status
from ..people.employee_rows import search_conditions
from ..people.model import PeopleOf
from ..store.tables import Absensi, Karyawan, PunchRow
from .punch_rows import LoggedPunch, logged

SortKey: TypeAlias = Literal["date", "code", "name", "in", "out", "status", "late", "worked"]
SORT_KEYS: Final[tuple[SortKey, ...]] = get_args(SortKey)
ABSENT: Final = "absent"
"""In place of a status: expected and not there, whether the day is over or not."""
_MISSING: Final = frozenset({Status.PENDING, Status.ABSENT})

_LEAVE: Final = tuple(status.value for status in Status if status.is_leave)
_SORTED_BY: Final[Mapping[SortKey, Any]] = {
    "date": Absensi.tanggal,
    "code": Karyawan.kode_kunci,
    "name": func.lower(Karyawan.nama),
    "in": Absensi.jam_masuk,
    "out": Absensi.jam_pulang,
    "status": Absensi.status,
    "late": Absensi.menit_terlambat,
    "worked": Absensi.menit_kerja,
}
# In the order of _day_row. Columns and not rows of the mapper: an export has tens of thousands of them.
_DAY_COLUMNS: Final = (
    Karyawan.id,
    Karyawan.kode,
    Karyawan.nama,
    Karyawan.jabatan,
    Absensi.jam_masuk,
    Absensi.jam_pulang,
    Absensi.status,
    Absensi.menit_terlambat,
    Absensi.menit_kerja,
    Absensi.keterangan,
)
_CORRECTIONS: Final = (PunchMethod.CORRECTION.value, PunchMethod.VOID.value)


@dataclass(frozen=True, slots=True)
class DayFilter:
    """Which days are wanted.

    Attributes:
        first, last: The period, both included.
        search: Words in code, name or position.
        status: A status' value, :data:`ABSENT`, or empty for all.
        everyone: Also who was expected on a day and did not come.
        people_of: Only the people of one department; None for all.
    """

    first: date
    last: date
    search: str = ""
    status: str = ""
    everyone: bool = False
    people_of: PeopleOf | None = None

    @property
    def statuses(self) -> frozenset[Status] | None:
        """The statuses that are wanted whether somebody came or not; None where those who came or have leave are."""
        if self.status == ABSENT:
            return _MISSING
        if self.status:
            return frozenset({Status(self.status)})
        return None

    def shows(self, status: Status, *, came: bool) -> bool:
        """Return whether a day is among those that are wanted."""
        if self.statuses is not None:
            return status in self.statuses
        return came or status.is_leave or (self.everyone and status in _MISSING)


@dataclass(frozen=True, slots=True)
class BoardPerson:
    """An employee whose days are looked at."""

    employee_id: int
    code: str
    name: str
    position: str
    active: bool


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day of an employee; instants are UTC.

    Attributes:
        corrected: Whether somebody corrected a time of that day.
    """

    employee_id: int
    code: str
    name: str
    position: str
    work_date: date
    clock_in: datetime | None
    clock_out: datetime | None
    status: Status
    late_minutes: int
    worked_minutes: int
    note: str
    corrected: bool


@dataclass(frozen=True, slots=True)
class DaySums:
    """Counts and sums over everything that a filter finds, not one page of it."""

    rows: int
    present: int
    late: int
    excused: int
    sick: int
    leave: int
    duty: int
    off: int
    pending: int
    absent: int
    gone: int
    late_minutes: int
    worked_minutes: int

    def __add__(self, other: DaySums) -> DaySums:
        """Return the sums over what both found."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return DaySums(*(mine + theirs for mine, theirs in pairs))


@dataclass(frozen=True, slots=True)
class LateDay:
    """All employees' lateness on one work date."""

    work_date: date
    late_minutes: int
    late: int
    attended: int


def find_days(
    session: Session,
    wanted: DayFilter,
    *,
    sort: SortKey = "date",
    descending: bool = False,
    limit: int | None = None,
) -> tuple[DayRow, ...]:
    """Return the final days that a filter finds, sorted; equal ones by date, name and code."""
    key = _SORTED_BY[sort]
    query = (
        _found(_columns(Absensi.tanggal, *_DAY_COLUMNS, _corrected()), wanted)
        # Where SQLite puts NULL first, MariaDB does too; what is missing goes last in either direction.
        .order_by(key.is_(None), key.desc() if descending else key)
        .order_by(Absensi.tanggal, func.lower(Karyawan.nama), Karyawan.kode_kunci)
        .limit(limit)
    )
    return tuple(_day_row(*found) for found in session.execute(query))


def sum_days(session: Session, wanted: DayFilter) -> DaySums:
    """Count and add up the final days that a filter finds."""

    def having(condition: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    columns = (
        func.count(Karyawan.id),
        *(having(Absensi.status == status.value) for status in Status),
        having(Absensi.jam_pulang.is_not(None)),
        func.coalesce(func.sum(Absensi.menit_terlambat), 0),
        func.coalesce(func.sum(Absensi.menit_kerja), 0),
    )
    numbers = session.execute(_found(_columns(*columns), wanted)).one()
    return DaySums(*(int(number) for number in numbers))


def sum_rows(rows: Sequence[DayRow]) -> DaySums:
    """Count and add up days."""
    numbers = [
        len(rows),
        *(_count(rows, status) for status in Status),
        sum(row.clock_out is not None for row in rows),
        sum(row.late_minutes for row in rows),
        sum(row.worked_minutes for row in rows),
    ]
    return DaySums(*numbers)


def _count(rows: Sequence[DayRow], status: Status) -> int:
    return sum(row.status is status for row in rows)


def sort_rows(rows: Iterable[DayRow], sort: SortKey, *, descending: bool) -> list[DayRow]:
    """Sort days as :func:`find_days` does."""
    found = sorted(rows, key=lambda row: (row.work_date, row.name.lower(), code_key(row.code)))
    there = [row for row in found if _value(row, sort) is not None]
    missing = [row for row in found if _value(row, sort) is None]
    there.sort(key=lambda row: _value(row, sort), reverse=descending)
    if descending:
        # Equal ones stay in the order of date and name.
        there = [row for _, same in groupby(there, key=lambda row: _value(row, sort)) for row in same]
    return there + missing


def _value(row: DayRow, sort: SortKey) -> Any:
    values: dict[SortKey, Any] = {
        "date": row.work_date,
        "code": code_key(row.code),
        "name": row.name.lower(),
        "in": row.clock_in,
        "out": row.clock_out,
        "status": row.status.value,
        "late": row.late_minutes,
        "worked": row.worked_minutes,
    }
    return values[sort]


def find_people(session: Session, *, search: str = "", people_of: PeopleOf | None = None) -> Mapping[int, BoardPerson]:
    """Return everybody whom a search finds, by row id."""
    columns = (Karyawan.id, Karyawan.kode, Karyawan.nama, Karyawan.jabatan, Karyawan.aktif)
    query = select(*columns).where(*search_conditions(search, people_of))
    return {found[0]: BoardPerson(*found) for found in session.execute(query)}


def find_corrected(session: Session, first: date, last: date) -> frozenset[tuple[int, date]]:
    """Return whose days of a period have a corrected time."""
    query = select(PunchRow.karyawan_id, PunchRow.work_date).where(
        PunchRow.work_date.between(first, last), PunchRow.method.in_(_CORRECTIONS)
    )
    return frozenset((employee_id, day) for employee_id, day in session.execute(query.distinct()))


def find_notes(session: Session, first: date, last: date) -> Mapping[tuple[int, date], str]:
    """Return the notes of days of a period that are not final."""
    query = select(Absensi.karyawan_id, Absensi.tanggal, Absensi.keterangan).where(
        Absensi.tanggal.between(first, last), Absensi.is_final.is_(False), Absensi.keterangan != ""
    )
    return {(employee_id, day): note for employee_id, day, note in session.execute(query)}


def count_statuses(
    session: Session, first: date, last: date, *, search: str = "", people_of: PeopleOf | None = None
) -> Mapping[date, Mapping[Status, int]]:
    """Return how many employees have which status on each final day of a period."""
    query = (
        select(Absensi.tanggal, Absensi.status, func.count())
        .join(Karyawan, Karyawan.id == Absensi.karyawan_id)
        .where(Absensi.tanggal.between(first, last), _is_final(), *search_conditions(search, people_of))
        .group_by(Absensi.tanggal, Absensi.status)
    )
    counts: dict[date, dict[Status, int]] = {}
    for day, status, count in session.execute(query):
        counts.setdefault(day, {})[Status(status)] = int(count)
    return counts


def find_arrivals(
    session: Session, work_date: date, *, people_of: PeopleOf | None = None
) -> tuple[tuple[datetime, bool], ...]:
    """Return each arrival of a work date as a UTC instant, and whether it was late."""
    query = (
        select(Absensi.jam_masuk, Absensi.status)
        .join(Karyawan, Karyawan.id == Absensi.karyawan_id)
        .where(Absensi.tanggal == work_date, Absensi.jam_masuk.is_not(None), *search_conditions("", people_of))
    )
    return tuple((at, status == Status.LATE.value) for at, status in session.execute(query) if at is not None)


def find_late_days(
    session: Session, first: date, last: date, *, people_of: PeopleOf | None = None
) -> tuple[LateDay, ...]:
    """Return the sums of lateness of each work date that has a row, the earliest first."""
    late = case((Absensi.status == Status.LATE.value, 1), else_=0)
    attended = case((Absensi.jam_masuk.is_not(None), 1), else_=0)
    query = (
        select(Absensi.tanggal, func.sum(Absensi.menit_terlambat), func.sum(late), func.sum(attended))
        .join(Karyawan, Karyawan.id == Absensi.karyawan_id)
        .where(Absensi.tanggal.between(first, last), *search_conditions("", people_of))
        .group_by(Absensi.tanggal)
        .order_by(Absensi.tanggal)
    )
    return tuple(LateDay(day, *(int(number) for number in numbers)) for day, *numbers in session.execute(query))


def find_grid(
    session: Session,
    first: date,
    last: date,
    since: datetime,
    *,
    search: str = "",
    people_of: PeopleOf | None = None,
    offset: int = 0,
    limit: int = 50,
) -> tuple[tuple[BoardPerson, ...], int]:
    """Return one page of the employees of a period, and how many there are.

    They are those who are active, who have a row in it, or who were active when it began.

    Args:
        since: The UTC instant at which the first day is over.
    """
    came = or_(Absensi.jam_masuk.is_not(None), Absensi.status.in_(_LEAVE))
    of_period = (Absensi.karyawan_id == Karyawan.id, Absensi.tanggal.between(first, last), came)
    has_row = select(Absensi.id).where(*of_period).exists()
    then = Karyawan.nonaktif_sejak >= since
    conditions = (or_(Karyawan.aktif, has_row, then), *search_conditions(search, people_of))
    total = session.scalar(select(func.count()).select_from(Karyawan).where(*conditions)) or 0
    if not limit:
        return (), total
    people = session.execute(
        select(Karyawan.id, Karyawan.kode, Karyawan.nama, Karyawan.jabatan, Karyawan.aktif)
        .where(*conditions)
        .order_by(func.lower(Karyawan.nama), Karyawan.kode_kunci)
        .offset(offset)
        .limit(limit)
    )
    return tuple(BoardPerson(*found) for found in people), total


def find_last_punches(
    session: Session, work_date: date, *, limit: int, people_of: PeopleOf | None = None
) -> tuple[LoggedPunch, ...]:
    """Return the last punches of a work date, the latest first; corrections are not among them."""
    query = (
        select(PunchRow, Karyawan.kode, Karyawan.nama)
        .join(Karyawan, Karyawan.id == PunchRow.karyawan_id)
        .where(PunchRow.work_date == work_date, PunchRow.method.not_in(_CORRECTIONS))
        .where(*search_conditions("", people_of))
        .order_by(PunchRow.at_utc.desc(), PunchRow.id.desc())
        .limit(limit)
    )
    return tuple(logged(*found) for found in session.execute(query))


def _columns(*columns: Any) -> Select[Any]:
    # SQLAlchemy's types tell selects of one, two and three columns apart; what joins them does not care.
    return select(*columns)


def _is_final() -> ColumnElement[bool]:
    return Absensi.is_final.is_not(False)


def _corrected() -> ColumnElement[bool]:
    same = (PunchRow.karyawan_id == Absensi.karyawan_id, PunchRow.work_date == Absensi.tanggal)
    return select(PunchRow.id).where(*same, PunchRow.method.in_(_CORRECTIONS)).exists()


def _found(query: Select[Any], wanted: DayFilter) -> Select[Any]:
    """Join employees with the final days that are wanted of them."""
    query = query.select_from(Karyawan).join(Absensi, Absensi.karyawan_id == Karyawan.id)
    query = query.where(Absensi.tanggal.between(wanted.first, wanted.last), _is_final())
    if wanted.statuses is not None:
        query = query.where(Absensi.status.in_([each.value for each in wanted.statuses]))
    else:
        told = [*_LEAVE, *(each.value for each in _MISSING if wanted.everyone)]
        query = query.where(or_(Absensi.jam_masuk.is_not(None), Absensi.status.in_(told)))
    return query.where(*search_conditions(wanted.search, wanted.people_of))


def _day_row(
    work_date: date,
    employee_id: int,
    code: str,
    name: str,
    position: str,
    clock_in: datetime | None,
    clock_out: datetime | None,
    status: str,
    late_minutes: int | None,
    worked_minutes: int | None,
    note: str | None,
    corrected: bool,
) -> DayRow:
    return DayRow(
        employee_id=employee_id,
        code=code,
        name=name,
        position=position,
        work_date=work_date,
        clock_in=clock_in,
        clock_out=clock_out,
        status=Status(status),
        late_minutes=late_minutes or 0,
        worked_minutes=worked_minutes or 0,
        note=note or "",
        corrected=bool(corrected),
    )

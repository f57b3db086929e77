"""What the dashboard reads of attendance: filtered, sorted, counted and cut into pages by the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, TypeAlias, get_args

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from ..domain import PunchMethod, Status
from .employees import search_conditions
from .punches import LoggedPunch, logged
from .tables import Absensi, Karyawan, PunchRow

SortKey: TypeAlias = Literal["date", "code", "name", "in", "out", "status", "late", "worked"]
SORT_KEYS: Final[tuple[SortKey, ...]] = get_args(SortKey)
ABSENT: Final = "absent"
"""In place of a status: without any row for the day."""

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
_CORRECTIONS: Final = (PunchMethod.CORRECTION.value, PunchMethod.VOID.value)


@dataclass(frozen=True, slots=True)
class DayFilter:
    """Which days are wanted.

    Attributes:
        first, last: The period, both included.
        search: Words in code, name or position.
        status: A status' value, :data:`ABSENT` (single days only), or empty for all.
        everyone: Also active employees without a row; for a single day only.
    """

    first: date
    last: date
    search: str = ""
    status: str = ""
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day of an employee, or an employee without one (``status`` is None then); instants are UTC.

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
    status: Status | None
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
    gone: int
    late_minutes: int
    worked_minutes: int

    @property
    def absent(self) -> int:
        """Employees without any row, where the filter asks for everyone."""
        return self.rows - self.present - self.late - self.excused - self.sick


@dataclass(frozen=True, slots=True)
class LateDay:
    """All employees' lateness on one work date."""

    work_date: date
    late_minutes: int
    late: int
    attended: int


@dataclass(frozen=True, slots=True)
class GridPerson:
    """An employee and the status of each day of a period that has one."""

    employee_id: int
    code: str
    name: str
    statuses: Mapping[date, Status]


def find_days(
    session: Session,
    wanted: DayFilter,
    *,
    sort: SortKey = "date",
    descending: bool = False,
    offset: int = 0,
    limit: int | None = None,
) -> tuple[DayRow, ...]:
    """Return the days that a filter finds, sorted; equal ones by date, name and code."""
    corrected = (
        select(PunchRow.id)
        .where(
            PunchRow.karyawan_id == Absensi.karyawan_id,
            PunchRow.work_date == Absensi.tanggal,
            PunchRow.method.in_(_CORRECTIONS),
        )
        .exists()
    )
    key = _SORTED_BY[sort]
    query = (
        _joined(_columns(Karyawan, Absensi, corrected), wanted)
        # Where SQLite puts NULL first, MariaDB does too; what is missing goes last in either direction.
        .order_by(key.is_(None), key.desc() if descending else key)
        .order_by(Absensi.tanggal, func.lower(Karyawan.nama), Karyawan.kode_kunci)
        .offset(offset)
        .limit(limit)
    )
    found = session.execute(query)
    return tuple(_day_row(person, day, changed, wanted.first) for person, day, changed in found)


def sum_days(session: Session, wanted: DayFilter) -> DaySums:
    """Count and add up the days that a filter finds."""

    def having(condition: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    columns = (
        func.count(Karyawan.id),
        *(having(Absensi.status == status.value) for status in Status),
        having(Absensi.jam_pulang.is_not(None)),
        func.coalesce(func.sum(Absensi.menit_terlambat), 0),
        func.coalesce(func.sum(Absensi.menit_kerja), 0),
    )
    numbers = session.execute(_joined(_columns(*columns), wanted)).one()
    return DaySums(*(int(number) for number in numbers))


def find_arrivals(session: Session, work_date: date) -> tuple[tuple[datetime, bool], ...]:
    """Return each arrival of a work date as a UTC instant, and whether it was late."""
    query = select(Absensi.jam_masuk, Absensi.status).where(
        Absensi.tanggal == work_date, Absensi.jam_masuk.is_not(None)
    )
    return tuple((at, status == Status.LATE.value) for at, status in session.execute(query) if at is not None)


def find_late_days(session: Session, first: date, last: date) -> tuple[LateDay, ...]:
    """Return the sums of lateness of each work date that has a row, the earliest first."""
    late = case((Absensi.status == Status.LATE.value, 1), else_=0)
    attended = case((Absensi.jam_masuk.is_not(None), 1), else_=0)
    query = (
        select(Absensi.tanggal, func.sum(Absensi.menit_terlambat), func.sum(late), func.sum(attended))
        .where(Absensi.tanggal.between(first, last))
        .group_by(Absensi.tanggal)
        .order_by(Absensi.tanggal)
    )
    return tuple(LateDay(day, *(int(number) for number in numbers)) for day, *numbers in session.execute(query))


def find_grid(
    session: Session, first: date, last: date, *, search: str = "", offset: int = 0, limit: int = 50
) -> tuple[tuple[GridPerson, ...], int]:
    """Return one page of the employees of a period, and how many there are: active ones, and those with a row in it."""
    has_row = (
        select(Absensi.id).where(Absensi.karyawan_id == Karyawan.id, Absensi.tanggal.between(first, last)).exists()
    )
    conditions = (or_(Karyawan.aktif, has_row), *search_conditions(search))
    total = session.scalar(select(func.count()).select_from(Karyawan).where(*conditions)) or 0
    people = session.execute(
        select(Karyawan.id, Karyawan.kode, Karyawan.nama)
        .where(*conditions)
        .order_by(func.lower(Karyawan.nama), Karyawan.kode_kunci)
        .offset(offset)
        .limit(limit)
    ).all()
    statuses: dict[int, dict[date, Status]] = {person.id: {} for person in people}
    found = session.execute(
        select(Absensi.karyawan_id, Absensi.tanggal, Absensi.status).where(
            Absensi.tanggal.between(first, last), Absensi.karyawan_id.in_(statuses)
        )
    )
    for employee_id, work_date, status in found:
        statuses[employee_id][work_date] = Status(status)
    return tuple(GridPerson(person.id, person.kode, person.nama, statuses[person.id]) for person in people), total


def find_last_punches(session: Session, work_date: date, *, limit: int) -> tuple[LoggedPunch, ...]:
    """Return the last punches of a work date, the latest first; corrections are not among them."""
    query = (
        select(PunchRow, Karyawan.kode, Karyawan.nama)
        .join(Karyawan, Karyawan.id == PunchRow.karyawan_id)
        .where(PunchRow.work_date == work_date, PunchRow.method.not_in(_CORRECTIONS))
        .order_by(PunchRow.at_utc.desc(), PunchRow.id.desc())
        .limit(limit)
    )
    return tuple(logged(*found) for found in session.execute(query))


def _columns(*columns: Any) -> Select[Any]:
    # SQLAlchemy's types tell selects of one, two and three columns apart; what joins them does not care.
    return select(*columns)


def _joined(query: Select[Any], wanted: DayFilter) -> Select[Any]:
    if wanted.everyone and wanted.first == wanted.last:
        own_day = and_(Absensi.karyawan_id == Karyawan.id, Absensi.tanggal == wanted.first)
        query = query.select_from(Karyawan).outerjoin(Absensi, own_day)
        query = query.where(or_(Karyawan.aktif, Absensi.id.is_not(None)))
    else:
        query = query.select_from(Karyawan).join(Absensi, Absensi.karyawan_id == Karyawan.id)
        query = query.where(Absensi.tanggal.between(wanted.first, wanted.last))
    if wanted.status == ABSENT:
        query = query.where(Absensi.id.is_(None))
    elif wanted.status:
        query = query.where(Absensi.status == wanted.status)
    return query.where(*search_conditions(wanted.search))


def _day_row(person: Karyawan, day: Absensi | None, corrected: bool, work_date: date) -> DayRow:
    return DayRow(
        employee_id=person.id,
        code=person.kode,
        name=person.nama,
        position=person.jabatan,
        work_date=day.tanggal if day else work_date,
        clock_in=day.jam_masuk if day else None,
        clock_out=day.jam_pulang if day else None,
        status=Status(day.status) if day else None,
        late_minutes=day.menit_terlambat if day else 0,
        worked_minutes=day.menit_kerja if day else 0,
        note=day.keterangan if day else "",
        corrected=bool(corrected) and day is not None,
    )

"""What the dashboard reads of attendance: filtered, sorted, counted and cut into pages by the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias, get_args

from sqlalchemy import ColumnElement, Select, and_, case, false, func, literal, or_, select, true, union_all
from sqlalchemy.orm import Session

from ..kernel.domain import PunchMethod, Status
from ..people.employee_rows import search_conditions
from ..store.tables import Absensi, Karyawan, PunchRow
from .punch_rows import LoggedPunch, logged

SortKey: TypeAlias = Literal["date", "code", "name", "in", "out", "status", "late", "worked"]
SORT_KEYS: Final[tuple[SortKey, ...]] = get_args(SortKey)
ABSENT: Final = "absent"
"""In place of a status: without any row for the day."""

_SORTED_BY: Final[Mapping[SortKey, Any]] = {
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
        everyone: Also who was expected on a day and has no row for it.
    """

    first: date
    last: date
    search: str = ""
    status: str = ""
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """Days on which employees were expected.

    Attributes:
        days: Work dates, each with the UTC instant of its end.
        founders: Who was added before this instant is expected on all of them; others from when they were added.
    """

    days: tuple[tuple[date, datetime], ...] = ()
    founders: datetime | None = None


NOBODY: Final = Expected()


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
    absences: frozenset[date]


def find_days(
    session: Session,
    wanted: DayFilter,
    expected: Expected = NOBODY,
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
    days = _days_of(wanted, expected)
    key = days.c.day if sort == "date" else _SORTED_BY[sort]
    query = (
        _joined(_columns(days.c.day, *_DAY_COLUMNS, corrected), wanted, expected, days)
        # Where SQLite puts NULL first, MariaDB does too; what is missing goes last in either direction.
        .order_by(key.is_(None), key.desc() if descending else key)
        .order_by(days.c.day, func.lower(Karyawan.nama), Karyawan.kode_kunci)
        .offset(offset)
        .limit(limit)
    )
    return tuple(_day_row(*found) for found in session.execute(query))


def sum_days(session: Session, wanted: DayFilter, expected: Expected = NOBODY) -> DaySums:
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
    numbers = session.execute(_joined(_columns(*columns), wanted, expected, _days_of(wanted, expected))).one()
    return DaySums(*(int(number) for number in numbers))


def days_with_arrivals(session: Session, first: date, last: date) -> tuple[date, ...]:
    """Return the work dates of a period on which somebody came, the earliest first."""
    query = select(Absensi.tanggal).where(Absensi.tanggal.between(first, last), Absensi.jam_masuk.is_not(None))
    return tuple(session.scalars(query.distinct().order_by(Absensi.tanggal)))


def first_added(session: Session) -> datetime | None:
    """Return when the first of all employees was added, UTC; None where there is none."""
    return session.scalar(select(func.min(Karyawan.created_at)))


def find_absences(session: Session, expected: Expected) -> tuple[tuple[int, date], ...]:
    """Return row id of the employee and work date of each absence, in no order."""
    if not expected.days:
        return ()
    dates = [day for day, _end in expected.days]
    wanted = DayFilter(min(dates), max(dates), status=ABSENT, everyone=True)
    days = _days_of(wanted, expected)
    query = _joined(_columns(Karyawan.id, days.c.day), wanted, expected, days)
    return tuple((employee_id, day) for employee_id, day in session.execute(query))


def count_statuses(
    session: Session, first: date, last: date, *, search: str = ""
) -> Mapping[date, Mapping[Status, int]]:
    """Return how many employees have which status on each day of a period that has one."""
    query = (
        select(Absensi.tanggal, Absensi.status, func.count())
        .join(Karyawan, Karyawan.id == Absensi.karyawan_id)
        .where(Absensi.tanggal.between(first, last), *search_conditions(search))
        .group_by(Absensi.tanggal, Absensi.status)
    )
    counts: dict[date, dict[Status, int]] = {}
    for day, status, count in session.execute(query):
        counts.setdefault(day, {})[Status(status)] = int(count)
    return counts


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
    session: Session,
    first: date,
    last: date,
    expected: Expected = NOBODY,
    *,
    search: str = "",
    offset: int = 0,
    limit: int = 50,
) -> tuple[tuple[GridPerson, ...], int]:
    """Return one page of the employees of a period, and how many there are.

    They are those who are active, who have a row in it, or who were active on its first day of work.
    """
    has_row = (
        select(Absensi.id).where(Absensi.karyawan_id == Karyawan.id, Absensi.tanggal.between(first, last)).exists()
    )
    then = Karyawan.nonaktif_sejak >= expected.days[0][1] if expected.days else false()
    conditions = (or_(Karyawan.aktif, has_row, then), *search_conditions(search))
    total = session.scalar(select(func.count()).select_from(Karyawan).where(*conditions)) or 0
    if not limit:
        return (), total
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
    absences: dict[int, set[date]] = {person.id: set() for person in people}
    for employee_id, work_date in find_absences(session, expected):
        if employee_id in absences:
            absences[employee_id].add(work_date)
    grid = (
        GridPerson(person.id, person.kode, person.nama, statuses[person.id], frozenset(absences[person.id]))
        for person in people
    )
    return tuple(grid), total


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


def _days_of(wanted: DayFilter, expected: Expected) -> Any:
    """Return the days of a period as a table: ``day``, and ``until`` where who has no row was absent, else NULL."""
    ends = dict(expected.days) if wanted.everyone or wanted.status == ABSENT else {}
    dates = [wanted.first + timedelta(days=number) for number in range((wanted.last - wanted.first).days + 1)]
    rows = (
        select(
            # MariaDB gives a text back as what it is, a text; SQLite would make a number of a cast.
            func.date(literal(day.isoformat()), type_=Absensi.__table__.c.tanggal.type).label("day"),
            literal(ends.get(day), Karyawan.__table__.c.created_at.type).label("until"),
        )
        for day in dates
    )
    return union_all(*rows).subquery("days")


def _joined(query: Select[Any], wanted: DayFilter, expected: Expected, days: Any) -> Select[Any]:
    """Join employees with the days of a period and with their rows of those days."""
    own_day = and_(Absensi.karyawan_id == Karyawan.id, Absensi.tanggal == days.c.day)
    query = query.select_from(Karyawan).join(days, true()).outerjoin(Absensi, own_day)
    added = Karyawan.created_at < days.c.until
    if expected.founders is not None:
        added = or_(added, Karyawan.created_at < expected.founders)
    there = and_(days.c.until.is_not(None), added, or_(Karyawan.aktif, Karyawan.nonaktif_sejak >= days.c.until))
    if wanted.status == ABSENT:
        query = query.where(Absensi.id.is_(None), there)
    elif wanted.status:
        query = query.where(Absensi.status == wanted.status)
    else:
        query = query.where(or_(Absensi.id.is_not(None), there))
    return query.where(*search_conditions(wanted.search))


def _day_row(
    work_date: date,
    employee_id: int,
    code: str,
    name: str,
    position: str,
    clock_in: datetime | None,
    clock_out: datetime | None,
    status: str | None,
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
        status=Status(status) if status else None,
        late_minutes=late_minutes or 0,
        worked_minutes=worked_minutes or 0,
        note=note or "",
        corrected=bool(corrected),
    )

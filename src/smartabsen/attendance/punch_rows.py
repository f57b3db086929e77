"""Punches in the database: immutable rows. How one comes about is decided in ``store.recording``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from ..kernel.domain import Punch, PunchMethod, Status
from ..kernel.errors import NotFoundError
from ..kernel.i18n import N_
from ..privacy.erasure_rows import ALL
from ..store.clock import moment
from ..store.tables import ErasureRow, Karyawan, PunchRow
from ..trust.signing_rows import sign_punch


@dataclass(frozen=True, slots=True)
class LoggedPunch:
    """A punch with the code and name of its employee, as the attendance log shows it.

    Attributes:
        erased: The employee was erased: code and name are a pseudonym, and no line may say more.
    """

    punch: Punch
    code: str
    name: str
    erased: bool = False


@dataclass(frozen=True, slots=True)
class DateCount:
    """How many punches a work date has, and the highest of their ids."""

    work_date: date
    punches: int
    last_id: int


def find_by_key(session: Session, key: str) -> Punch | None:
    """Return the punch with an idempotency key, or None."""
    row = session.scalar(select(PunchRow).where(PunchRow.idempotency_key == key))
    return from_row(row) if row else None


def get(session: Session, punch_id: int) -> Punch:
    """Return the punch with a row id.

    Raises:
        NotFoundError: There is none.
    """
    row = session.get(PunchRow, punch_id)
    if row is None:
        raise NotFoundError(N_("There is no punch with the number {id}."), id=punch_id)
    return from_row(row)


def neighbours(session: Session, employee_id: int, at: datetime) -> tuple[Punch, ...]:
    """Return the nearest punches of an employee before (or at) and after an instant: none, one or two.

    Those that a correction replaced or took out are passed over.
    """
    later = aliased(PunchRow)
    own = select(PunchRow).where(
        PunchRow.karyawan_id == employee_id,
        PunchRow.method != PunchMethod.VOID.value,
        ~select(later.id).where(later.supersedes_id == PunchRow.id).exists(),
    )
    before = own.where(PunchRow.at_utc <= at).order_by(PunchRow.at_utc.desc(), PunchRow.id.desc()).limit(1)
    after = own.where(PunchRow.at_utc > at).order_by(PunchRow.at_utc, PunchRow.id).limit(1)
    return tuple(from_row(row) for query in (before, after) if (row := session.scalar(query)))


def of_day(session: Session, employee_id: int, work_date: date) -> tuple[Punch, ...]:
    """Return an employee's punches of a work date, ordered by time."""
    query = (
        select(PunchRow)
        .where(PunchRow.karyawan_id == employee_id, PunchRow.work_date == work_date)
        .order_by(PunchRow.at_utc, PunchRow.id)
    )
    return tuple(from_row(row) for row in session.scalars(query))


def logged_on(session: Session, work_date: date) -> tuple[LoggedPunch, ...]:
    """Return all punches of a work date with their employees, ordered by id."""
    query = (
        select(PunchRow, Karyawan.kode, Karyawan.nama, _is_erased())
        .join(Karyawan, Karyawan.id == PunchRow.karyawan_id)
        .where(PunchRow.work_date == work_date)
        .order_by(PunchRow.id)
    )
    return tuple(logged(*found) for found in session.execute(query))


def logged(row: PunchRow, code: str, name: str, erased: bool = False) -> LoggedPunch:
    """Return a row and its employee's code and name as a punch of the log."""
    return LoggedPunch(from_row(row), code, name, erased)


def dates(session: Session) -> tuple[DateCount, ...]:
    """Return every work date that has punches, the oldest first. The index answers this without reading rows."""
    query = (
        select(PunchRow.work_date, func.count(), func.max(PunchRow.id))
        .group_by(PunchRow.work_date)
        .order_by(PunchRow.work_date)
    )
    return tuple(DateCount(work_date, count, last_id) for work_date, count, last_id in session.execute(query))


def _is_erased() -> ColumnElement[bool]:
    same = (ErasureRow.karyawan_id == Karyawan.id, ErasureRow.karyawan_created_at == Karyawan.created_at)
    return select(ErasureRow.id).where(*same, ErasureRow.scope == ALL).exists()


def insert(session: Session, punch: Punch, status: Status) -> Punch:
    """Store a punch with the status that the person is told, and return it with its id."""
    row = PunchRow(
        karyawan_id=punch.employee_id,
        idempotency_key=punch.key,
        at_utc=punch.at,
        work_date=punch.work_date,
        method=punch.method.value,
        status=status.value,
        kiosk=punch.kiosk,
        similarity=punch.similarity,
        liveness=punch.liveness,
        model_digest=punch.model_digest,
        note=punch.note,
        clock_trusted=punch.clock_trusted,
        clock_offset_s=punch.clock_offset_s,
        created_at=moment(session),
        supersedes_id=punch.supersedes,
    )
    sign_punch(session, row)
    session.add(row)
    session.flush()
    return from_row(row)


def tell(session: Session, punch: Punch, work_date: date, status: Status) -> Punch:
    """Store which date a punch was given to and what the person is told, in the transaction that stored it."""
    row = session.get_one(PunchRow, punch.id)
    if (row.work_date, row.status) != (work_date, status.value):
        row.work_date, row.status = work_date, status.value
        sign_punch(session, row)
        session.flush()
    return from_row(row)


def from_row(row: PunchRow) -> Punch:
    """Return a row as a punch."""
    return Punch(
        id=row.id,
        employee_id=row.karyawan_id,
        at=row.at_utc,
        work_date=row.work_date,
        method=PunchMethod(row.method),
        kiosk=row.kiosk,
        key=row.idempotency_key,
        similarity=row.similarity,
        model_digest=row.model_digest,
        note=row.note,
        liveness=row.liveness,
        status=Status(row.status),
        supersedes=row.supersedes_id,
        clock_trusted=row.clock_trusted,
        clock_offset_s=row.clock_offset_s,
    )

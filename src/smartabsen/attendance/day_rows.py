"""Attendance days in the database: what was derived from punches, and what was entered as leave."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..kernel.domain import AttendanceDay, Status
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import N_
from ..kernel.texts import checked_text
from ..people import employee_rows
from ..store.tables import NOTE_LENGTH, Absensi

LEAVE: Final = frozenset({Status.EXCUSED, Status.SICK})


def find(session: Session, employee_id: int, work_date: date) -> AttendanceDay | None:
    """Return an employee's day, or None."""
    row = _find_row(session, employee_id, work_date)
    return from_row(row) if row else None


def between(session: Session, first: date, last: date, *, employee_id: int | None = None) -> tuple[AttendanceDay, ...]:
    """Return the days of a period, both ends included, ordered by date; of one employee, or of all."""
    query = select(Absensi).where(Absensi.tanggal.between(first, last)).order_by(Absensi.tanggal, Absensi.karyawan_id)
    if employee_id is not None:
        query = query.where(Absensi.karyawan_id == employee_id)
    return tuple(from_row(row) for row in session.scalars(query))


def set_leave(session: Session, *, employee_id: int, work_date: date, status: Status, note: str = "") -> AttendanceDay:
    """Enter a day of leave. It stays when the employee punches on that day: the day then gets the times as well.

    Raises:
        InvalidInputError: ``status`` is no leave, or the note is too long.
        NotFoundError: There is no such employee.
    """
    if status not in LEAVE:
        raise InvalidInputError(N_("“{status}” cannot be entered as leave."), status=status.value)
    employee_rows.lock(session, employee_id)
    before = find(session, employee_id, work_date) or AttendanceDay(employee_id, work_date, None, None, status)
    return save(session, dataclasses.replace(before, status=status, late_minutes=0), note=note)


def save(session: Session, day: AttendanceDay, *, note: str | None = None) -> AttendanceDay:
    """Store a day in place of the one before, and return it. The caller holds the employee's lock.

    Args:
        note: Why; None leaves the note as it is.
    """
    row = _find_row(session, day.employee_id, day.work_date)
    if row is None:
        row = Absensi(karyawan_id=day.employee_id, tanggal=day.work_date, keterangan="")
        session.add(row)
    row.jam_masuk = day.clock_in
    row.jam_pulang = day.clock_out
    row.status = day.status.value
    row.menit_terlambat = day.late_minutes
    row.menit_kerja = day.worked_minutes
    if note is not None:
        row.keterangan = checked_text(note, field=N_("note"), limit=NOTE_LENGTH)
    # Days follow from punches, leave and rules; the signature of an older version was of the day as it was.
    row.signature = None
    session.flush()
    return day


def settle(session: Session, employee_id: int, work_date: date, derived: AttendanceDay | None) -> AttendanceDay | None:
    """Store what was derived from punches as the day, or delete the day where neither punches nor leave are left.

    The caller holds the employee's lock.
    """
    day = with_leave(derived, find(session, employee_id, work_date))
    if day is None:
        delete(session, employee_id, work_date)
        return None
    return save(session, day)


def with_leave(derived: AttendanceDay | None, before: AttendanceDay | None) -> AttendanceDay | None:
    """Return the derived day with the leave of the one before.

    Leave is somebody's decision, and a punch must not undo it unseen: who comes in on a day of leave, or goes home ill
    at noon, keeps the status and gets the times.
    """
    if before is None or before.status not in LEAVE:
        return derived
    if derived is None:
        return AttendanceDay(before.employee_id, before.work_date, None, None, before.status)
    return dataclasses.replace(derived, status=before.status, late_minutes=0)


def delete(session: Session, employee_id: int, work_date: date) -> None:
    """Delete a day's row, if there is one. The caller holds the employee's lock."""
    row = _find_row(session, employee_id, work_date)
    if row is not None:
        session.delete(row)
        session.flush()


def _find_row(session: Session, employee_id: int, work_date: date) -> Absensi | None:
    query = select(Absensi).where(Absensi.karyawan_id == employee_id, Absensi.tanggal == work_date)
    return session.scalar(query.execution_options(populate_existing=True))


def from_row(row: Absensi) -> AttendanceDay:
    """Return a row as a day."""
    return AttendanceDay(
        employee_id=row.karyawan_id,
        work_date=row.tanggal,
        clock_in=row.jam_masuk,
        clock_out=row.jam_pulang,
        status=Status(row.status),
        late_minutes=row.menit_terlambat,
        worked_minutes=row.menit_kerja,
    )

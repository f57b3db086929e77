"""Days of leave in the database, as people look at them. They are entered and taken back as days are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..kernel.domain import Status
from ..store.tables import Absensi, Karyawan
from .day_rows import LEAVE


@dataclass(frozen=True, slots=True)
class LeaveDay:
    """A day of leave with its employee's code and name, and the note why."""

    employee_id: int
    code: str
    name: str
    work_date: date
    status: Status
    note: str


def between(session: Session, first: date, last: date, *, employee_id: int | None = None) -> tuple[LeaveDay, ...]:
    """Return the days of leave of a period, both ends included, ordered by date, then code."""
    query = (
        select(Karyawan.id, Karyawan.kode, Karyawan.nama, Absensi.tanggal, Absensi.status, Absensi.keterangan)
        .join(Karyawan, Karyawan.id == Absensi.karyawan_id)
        .where(Absensi.tanggal.between(first, last), Absensi.status.in_([status.value for status in LEAVE]))
        .order_by(Absensi.tanggal, Karyawan.kode)
    )
    if employee_id is not None:
        query = query.where(Absensi.karyawan_id == employee_id)
    return tuple(
        LeaveDay(employee_id, code, name, day, Status(status), note)
        for employee_id, code, name, day, status, note in session.execute(query)
    )

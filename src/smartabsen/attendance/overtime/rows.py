"""Orders for overtime in the database."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ...store.tables import Karyawan, OvertimeOrderRow
from .model import Order, Said


def add(
    session: Session, *, employee_id: int, work_date: date, minutes: int, reason: str, by: str, at: datetime
) -> int:
    """Store an order and return its row id."""
    row = OvertimeOrderRow(
        karyawan_id=employee_id, work_date=work_date, minutes=minutes, reason=reason, ordered_by=by, ordered_at=at
    )
    session.add(row)
    session.flush()
    return row.id


def find(session: Session, order_id: int, *, lock: bool = False) -> Order | None:
    """Return an order, or None; ``lock`` keeps others from changing it until the transaction ends."""
    query = _orders().where(OvertimeOrderRow.id == order_id)
    if lock:
        query = query.with_for_update(of=OvertimeOrderRow).execution_options(populate_existing=True)
    found = session.execute(query).first()
    return _order(*found) if found else None


def between(
    session: Session, first: date, last: date, *, employee_ids: Collection[int] | None = None
) -> tuple[Order, ...]:
    """Return the orders of a period, both ends included, by date and code."""
    query = _orders().where(OvertimeOrderRow.work_date.between(first, last))
    if employee_ids is not None:
        query = query.where(OvertimeOrderRow.karyawan_id.in_(employee_ids))
    found = session.execute(query.order_by(OvertimeOrderRow.work_date, Karyawan.kode, OvertimeOrderRow.id))
    return tuple(_order(*each) for each in found)


def say(session: Session, order_id: int, what: str, by: str, at: datetime) -> None:
    """Store that somebody agreed (``consent``), approved (``approved``) or took it back (``cancelled``)."""
    row = session.get_one(OvertimeOrderRow, order_id)
    setattr(row, f"{what}_by", by)
    setattr(row, f"{what}_at", at)
    session.flush()


def _orders() -> Select[OvertimeOrderRow, str, str]:
    return select(OvertimeOrderRow, Karyawan.kode, Karyawan.nama).join(
        Karyawan, Karyawan.id == OvertimeOrderRow.karyawan_id
    )


def _order(row: OvertimeOrderRow, code: str, name: str) -> Order:
    return Order(
        id=row.id,
        employee_id=row.karyawan_id,
        code=code,
        name=name,
        work_date=row.work_date,
        minutes=row.minutes,
        reason=row.reason,
        ordered=Said(row.ordered_by, row.ordered_at),
        consent=_said(row.consent_by, row.consent_at),
        approval=_said(row.approved_by, row.approved_at),
        cancelled=_said(row.cancelled_by, row.cancelled_at),
    )


def _said(by: str | None, at: datetime | None) -> Said | None:
    return Said(by or "", at) if at is not None else None

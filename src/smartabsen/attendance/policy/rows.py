"""Decisions of the firm in the database."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...store.tables import Karyawan, PolicyRow
from ..standing import Scope
from .model import PolicyEntry


def all_entries(session: Session) -> tuple[PolicyEntry, ...]:
    """Return all decisions, by name, then date; ``of`` is known of people only."""
    query = (
        select(PolicyRow, Karyawan.kode)
        .outerjoin(Karyawan, Karyawan.id == PolicyRow.karyawan_id)
        .order_by(PolicyRow.name, PolicyRow.valid_from, PolicyRow.id)
    )
    return tuple(_entry(row, code or "") for row, code in session.execute(query))


def put(
    session: Session, *, name: str, value: str, scope: Scope, scope_id: int, valid_from: date, by: str, at: datetime
) -> tuple[int, str]:
    """Store a decision in the place of the one of the same date; return its row id, and the value before (or empty)."""
    wanted = (
        PolicyRow.name == name,
        PolicyRow.scope == scope.value,
        PolicyRow.scope_id == scope_id,
        PolicyRow.valid_from == valid_from,
    )
    row = session.scalar(select(PolicyRow).where(*wanted).with_for_update())
    if row is None:
        row = PolicyRow(
            name=name,
            scope=scope.value,
            scope_id=scope_id,
            karyawan_id=scope_id if scope is Scope.EMPLOYEE else None,
            valid_from=valid_from,
            value=value,
            set_by=by,
            set_at=at,
        )
        try:
            with session.begin_nested():
                session.add(row)
            return row.id, ""
        except IntegrityError:
            # Somebody else decided the same at the same moment.
            row = session.scalars(select(PolicyRow).where(*wanted).with_for_update()).one()
    before, row.value, row.set_by, row.set_at = row.value, value, by, at
    session.flush()
    return row.id, before


def _entry(row: PolicyRow, code: str) -> PolicyEntry:
    return PolicyEntry(
        row.id, row.name, row.value, Scope(row.scope), row.scope_id, code, row.valid_from, row.set_by, row.set_at
    )

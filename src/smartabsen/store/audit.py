"""The audit trail: who did what to whom, and when. Entries are added, never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from .tables import LABEL_LENGTH, AuditRow
from .texts import shortened


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry.

    Attributes:
        at: UTC.
        actor: Who did it: a user of the system, a kiosk.
        action: What, as a stable word: ``employee.rename``.
        subject: To whom or what, as an employee's code.
        details: More, as text by name.
    """

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, str]


def append(
    session: Session, *, actor: str, action: str, subject: str = "", details: Mapping[str, str] | None = None
) -> None:
    """Add an entry, in the same transaction as what it tells of."""
    session.add(
        AuditRow(
            at_utc=datetime.now(UTC),
            actor=shortened(actor, LABEL_LENGTH),
            action=action,
            subject=shortened(subject, LABEL_LENGTH),
            details=json.dumps(dict(details or {}), ensure_ascii=False, sort_keys=True),
        )
    )
    session.flush()


def latest(session: Session, limit: int = 100) -> tuple[AuditEntry, ...]:
    """Return the last entries, the newest first."""
    rows = session.scalars(select(AuditRow).order_by(AuditRow.id.desc()).limit(limit))
    return tuple(
        AuditEntry(row.id, row.at_utc, row.actor, row.action, row.subject, json.loads(row.details)) for row in rows
    )


def about(session: Session, code: str) -> list[dict[str, str]]:
    """Return what was done about an employee and when, the oldest first; not by whom."""
    rows = session.scalars(select(AuditRow).where(AuditRow.subject == code).order_by(AuditRow.id))
    return [{"at_utc": row.at_utc.isoformat(), "action": row.action, "details": row.details} for row in rows]

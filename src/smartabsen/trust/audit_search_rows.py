"""Looking into the audit trail: filtered by the database, the newest first, in pages that stay put while it grows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..store.tables import AuditRow
from .audit_rows import NEWEST_FIRST, AuditEntry, read_details


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; what is empty or None does not count.

    Attributes:
        actor, subject: Parts of these.
        action: Beginning of the action's word, as ``punch.``
        since, until: UTC instants; ``until`` is not included.
    """

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


def find_entries(
    session: Session, wanted: AuditFilter, *, before: int | None = None, limit: int = 50
) -> tuple[AuditEntry, ...]:
    """Return entries, the newest first.

    Args:
        before: Only entries with a smaller number: the last one of the page before.
    """
    query = select(AuditRow).order_by(*NEWEST_FIRST).limit(limit)
    if before is not None:
        query = query.where(AuditRow.number < before)
    if wanted.actor:
        query = query.where(AuditRow.actor.contains(wanted.actor, autoescape=True))
    if wanted.subject:
        query = query.where(AuditRow.subject.contains(wanted.subject, autoescape=True))
    if wanted.action:
        query = query.where(AuditRow.action.startswith(wanted.action, autoescape=True))
    if wanted.since is not None:
        query = query.where(AuditRow.at_utc >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditRow.at_utc < wanted.until)
    return tuple(
        AuditEntry(row.id, row.at_utc, row.actor, row.action, row.subject, read_details(row.details), row.number or 0)
        for row in session.scalars(query)
    )

"""Refusals in the database: kept for a while, never more than so many."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from ..kernel.domain import Outcome, Refusal
from ..kernel.texts import shortened
from ..store.tables import LABEL_LENGTH, RefusalRow

MOST: Final = 5_000
"""Rows kept at most: a stranger before a camera for a whole night fills no disk."""
_KNOWN: Final = RefusalRow.outcome.in_([outcome.value for outcome in Outcome])


def add_many(session: Session, refusals: Iterable[Refusal]) -> None:
    """Store refusals."""
    session.add_all(
        RefusalRow(
            at_utc=refusal.at,
            kiosk=shortened(refusal.kiosk, LABEL_LENGTH),
            outcome=refusal.outcome.value,
            similarity=refusal.value,
            threshold=refusal.limit,
            lead=refusal.lead,
            margin=refusal.margin,
        )
        for refusal in refusals
    )
    session.flush()


def latest(session: Session, limit: int, *, offset: int = 0) -> tuple[Refusal, ...]:
    """Return refusals, the newest first; words of a newer program are passed over."""
    newest = RefusalRow.at_utc.desc(), RefusalRow.id.desc()
    rows = session.scalars(select(RefusalRow).where(_KNOWN).order_by(*newest).offset(offset).limit(limit))
    return tuple(
        Refusal(row.at_utc, row.kiosk, Outcome(row.outcome), row.similarity, row.threshold, row.lead, row.margin)
        for row in rows
    )


def count(session: Session) -> int:
    """Return how many refusals :func:`latest` can give."""
    return session.scalar(select(func.count()).select_from(RefusalRow).where(_KNOWN)) or 0


def prune(session: Session, *, before: datetime, most: int = MOST) -> None:
    """Forget what is older than ``before``, and all but the newest ``most``."""
    session.execute(delete(RefusalRow).where(RefusalRow.at_utc < before))
    newest = session.scalar(select(func.max(RefusalRow.id))) or 0
    session.execute(delete(RefusalRow).where(RefusalRow.id <= newest - most))

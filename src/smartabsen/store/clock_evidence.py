"""What rows say about the time: when the database was last written to, and whose clocks were off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..domain import PunchMethod
from .tables import AuditRow, PunchRow


@dataclass(frozen=True, slots=True)
class DoubtfulKiosk:
    """A kiosk whose clock was not to be trusted.

    Attributes:
        punches: How many punches are marked.
        offset_s: Seconds that its clock was ahead of the server's at the last of them; None where that is not known.
        at: The time of that one.
    """

    kiosk: str
    punches: int
    offset_s: float | None
    at: datetime


def latest(session: Session) -> datetime | None:
    """Return when the last entry of the trail or the last punch was written, None where there is neither.

    Time goes on with the row ids, so a last row that is right takes back what a wrong clock wrote before it.
    """
    last_entry = session.scalar(select(AuditRow.at_utc).order_by(AuditRow.id.desc()).limit(1))
    last_punch = session.scalar(select(PunchRow.created_at).order_by(PunchRow.id.desc()).limit(1))
    return max((at for at in (last_entry, last_punch) if at is not None), default=None)


def doubtful_kiosks(session: Session, *, since: date) -> tuple[DoubtfulKiosk, ...]:
    """Return the kiosks with marked punches of work dates from ``since`` on, ordered by name."""
    marked = (PunchRow.work_date >= since, PunchRow.clock_trusted.is_(False))
    counts = session.execute(
        select(PunchRow.kiosk, func.count(), func.max(PunchRow.id)).where(*marked).group_by(PunchRow.kiosk)
    ).all()
    last = {row.id: row for row in session.scalars(select(PunchRow).where(PunchRow.id.in_([one[2] for one in counts])))}
    found = (
        DoubtfulKiosk(kiosk, count, last[row_id].clock_offset_s, last[row_id].at_utc) for kiosk, count, row_id in counts
    )
    return tuple(sorted(found, key=lambda one: one.kiosk))


def count_after(session: Session, instant: datetime) -> int:
    """Return how many punches lie after an instant, corrections that took one out left aside."""
    # The index of work dates leads to the few rows that can be later.
    near = (instant - timedelta(days=2)).date()
    later = select(PunchRow.id).where(PunchRow.work_date >= near, PunchRow.at_utc > instant)
    gone = select(PunchRow.supersedes_id).where(PunchRow.supersedes_id.is_not(None))
    standing = later.where(PunchRow.id.not_in(gone), PunchRow.method != PunchMethod.VOID.value)
    return session.scalar(select(func.count()).select_from(standing.subquery())) or 0

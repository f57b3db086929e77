"""What rows say about the time: when the database was last written to, and whose clocks were off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..kernel.domain import PunchMethod
from ..store.tables import AuditRow, Karyawan, PunchRow


@dataclass(frozen=True, slots=True)
class DoubtfulKiosk:
    """A kiosk whose clock was not to be trusted.

    Attributes:
        punches: How many punches are marked.
        offset_s: Seconds that its clock was ahead of the server's at the last of them; None where that is not known.
        at: The time of that one.
        key: Its key.
    """

    kiosk: str
    punches: int
    offset_s: float | None
    at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class FuturePunch:
    """A punch that lies in the future: its employee's code, and its instant (UTC)."""

    code: str
    at: datetime


def latest(session: Session) -> datetime | None:
    """Return when the last entry of the trail or the last punch was written, None where there is neither.

    Time goes on with the row ids, so a last row that is right takes back what a wrong clock wrote before it. A punch
    that is marked is no evidence.
    """
    last_entry = session.scalar(select(AuditRow.at_utc).order_by(AuditRow.id.desc()).limit(1))
    last_punch = session.scalar(
        select(PunchRow.created_at).where(PunchRow.clock_trusted).order_by(PunchRow.id.desc()).limit(1)
    )
    return max((at for at in (last_entry, last_punch) if at is not None), default=None)


def doubtful_kiosks(session: Session, *, since: date) -> tuple[DoubtfulKiosk, ...]:
    """Return the kiosks with marked punches of work dates from ``since`` on, ordered by name."""
    marked = (PunchRow.work_date >= since, PunchRow.clock_trusted.is_(False))
    counts = session.execute(
        select(PunchRow.kiosk, func.count(), func.max(PunchRow.id)).where(*marked).group_by(PunchRow.kiosk)
    ).all()
    last = {row.id: row for row in session.scalars(select(PunchRow).where(PunchRow.id.in_([one[2] for one in counts])))}
    found = (
        DoubtfulKiosk(kiosk, count, last[row_id].clock_offset_s, last[row_id].at_utc, last[row_id].idempotency_key)
        for kiosk, count, row_id in counts
    )
    return tuple(sorted(found, key=lambda one: one.kiosk))


def after(session: Session, instant: datetime) -> tuple[FuturePunch, ...]:
    """Return the punches that lie after an instant, in their order, corrections that took one out left aside."""
    # The index of work dates leads to the few rows that can be later.
    near = (instant - timedelta(days=2)).date()
    later = select(Karyawan.kode, PunchRow.at_utc).join(Karyawan, Karyawan.id == PunchRow.karyawan_id)
    gone = select(PunchRow.supersedes_id).where(PunchRow.supersedes_id.is_not(None))
    standing = later.where(
        PunchRow.work_date >= near,
        PunchRow.at_utc > instant,
        PunchRow.id.not_in(gone),
        PunchRow.method != PunchMethod.VOID.value,
    )
    return tuple(FuturePunch(row.kode, row.at_utc) for row in session.execute(standing.order_by(PunchRow.at_utc)))

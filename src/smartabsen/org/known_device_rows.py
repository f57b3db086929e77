"""Browsers in which a user has signed in (OWASP's device cookie): the secret is the browser's, its hash is here."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from ..store.tables import KnownDeviceRow, UserRow

KEPT: Final = timedelta(days=180)
"""How long a device stays known after the last sign-in."""
MOST: Final = 20
"""Of one user; the one that was not used for longest goes first."""


def hash_device(secret: str) -> str:
    """Return what is stored of a device's secret; empty where it has none."""
    return sha256(secret.encode()).hexdigest() if secret else ""


def is_known(session: Session, device_hash: str, name: str, *, now: datetime) -> bool:
    """Return whether the user of a name has signed in on a device lately; one query, whoever has the name."""
    mine = (KnownDeviceRow.device_hash == device_hash, KnownDeviceRow.last_used_at > now - KEPT)
    query = select(KnownDeviceRow.device_hash).join(UserRow, UserRow.id == KnownDeviceRow.user_id)
    return session.scalar(query.where(*mine, UserRow.name == name)) is not None


def is_device(session: Session, device_hash: str) -> bool:
    """Return whether anybody has signed in on a device."""
    return session.scalar(select(KnownDeviceRow.user_id).where(KnownDeviceRow.device_hash == device_hash)) is not None


def remember(session: Session, device_hash: str, user_id: int, *, now: datetime) -> None:
    """Note that a user has signed in on a device; older ones beyond :data:`MOST` and :data:`KEPT` are forgotten."""
    row = session.get(KnownDeviceRow, (device_hash, user_id))
    if row is None:
        session.add(KnownDeviceRow(device_hash=device_hash, user_id=user_id, created_at=now, last_used_at=now))
    else:
        row.last_used_at = now
    session.flush()
    newest = select(KnownDeviceRow.device_hash).where(KnownDeviceRow.user_id == user_id)
    kept = session.scalars(newest.order_by(KnownDeviceRow.last_used_at.desc()).limit(MOST)).all()
    old = or_(KnownDeviceRow.last_used_at <= now - KEPT, KnownDeviceRow.device_hash.not_in(kept))
    session.execute(delete(KnownDeviceRow).where(KnownDeviceRow.user_id == user_id, old))


def of_user(session: Session, user_id: int) -> tuple[str, ...]:
    """Return the hashes of a user's devices."""
    return tuple(session.scalars(select(KnownDeviceRow.device_hash).where(KnownDeviceRow.user_id == user_id)))


def forget_user(session: Session, user_id: int, *, keep: str = "") -> None:
    """Forget all devices of a user but ``keep``."""
    theirs = (KnownDeviceRow.user_id == user_id, KnownDeviceRow.device_hash != keep)
    session.execute(delete(KnownDeviceRow).where(*theirs))

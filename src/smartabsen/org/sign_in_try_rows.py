"""Wrong passwords and codes, counted before they are looked at: for an account, and apart for each known device of it.

OWASP's device cookies: devices that never signed in to an account share one counter, so guessing from many addresses
gives no further tries; a device that did has one of its own, so strangers do not lock its user out. A device whose own
counter is full counts as a stranger. Names that nobody has are counted in the same way, by the same statements.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..store.changes import changed_rows
from ..store.tables import SignInTryRow

PASSWORD: Final = "password"  # noqa: S105 - what is counted
CODE: Final = "code"
_KEPT: Final = timedelta(days=1)
"""For so long tries of an account are counted after the last one; a lock may last longer."""


@dataclass(frozen=True, slots=True)
class LockPolicy:
    """After ``tries`` wrong ones in a row a counter is locked for ``lock_s`` seconds."""

    tries: int
    lock_s: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One try that may be looked at.

    Attributes:
        key_hash: The counter.
        failures: Tries in a row, with this one.
        locked_until: Set in the one try that filled the counter: it is locked unless this one is right. UTC.
        shared: It is the counter of all unknown devices.
    """

    key_hash: str
    failures: int
    locked_until: datetime | None
    shared: bool


def claim(
    session: Session, kind: str, account: str, *, device_hash: str, policy: LockPolicy, now: datetime
) -> Claim | None:
    """Count one try **before** it is looked at; an UPDATE decides, so that many at once get no further ones.

    Args:
        kind: :data:`PASSWORD` or :data:`CODE`.
        account: A name in lower case; nobody need have it.
        device_hash: Of a device that is known for this account, else empty.

    Returns:
        None where the counter is locked.
    """
    if device_hash:
        own = _claim(session, _key(kind, account, device_hash), policy, now)
        if own is not None:
            return Claim(*own, shared=False)
    shared = _claim(session, _key(kind, account, ""), policy, now)
    return None if shared is None else Claim(*shared, shared=True)


def is_locked(session: Session, key_hash: str) -> bool:
    """Return whether a counter is locked, or was by its last try."""
    query = select(SignInTryRow.locked_until).where(SignInTryRow.key_hash == key_hash)
    return session.scalar(query) is not None


def forget(session: Session, key_hash: str) -> None:
    """Forget the tries of one counter, as after a right one."""
    # The row goes: whether somebody has ever signed in under a name must not show in how the next try is counted.
    session.execute(delete(SignInTryRow).where(SignInTryRow.key_hash == key_hash))


def forget_account(session: Session, account: str, device_hashes: tuple[str, ...]) -> None:
    """Take every lock of an account away: that of unknown devices, and those of its known ones."""
    keys = [_key(kind, account, device) for kind in (PASSWORD, CODE) for device in ("", *device_hashes)]
    session.execute(delete(SignInTryRow).where(SignInTryRow.key_hash.in_(keys)))


def _claim(
    session: Session, key_hash: str, policy: LockPolicy, now: datetime
) -> tuple[str, int, datetime | None] | None:
    mine = SignInTryRow.key_hash == key_hash
    if session.scalar(select(SignInTryRow.key_hash).where(mine)) is None:
        _sweep(session, now)
        try:
            with session.begin_nested():
                session.add(SignInTryRow(key_hash=key_hash, failures=0, touched_at=now))
        except IntegrityError:
            # Another process was faster; the UPDATE below decides in either case.
            pass
    over = or_(SignInTryRow.locked_until <= now, SignInTryRow.touched_at <= now - _KEPT)
    changed_rows(session, update(SignInTryRow).where(mine, over).values(failures=0, locked_until=None))
    free = (mine, SignInTryRow.locked_until.is_(None), SignInTryRow.failures < policy.tries)
    more = update(SignInTryRow).where(*free).values(failures=SignInTryRow.failures + 1, touched_at=now)
    if changed_rows(session, more) != 1:
        return None
    until = now + timedelta(seconds=policy.lock_s)
    full = (mine, SignInTryRow.locked_until.is_(None), SignInTryRow.failures >= policy.tries)
    locks = changed_rows(session, update(SignInTryRow).where(*full).values(locked_until=until)) == 1
    failures = session.scalar(select(SignInTryRow.failures).where(mine)) or 0
    return key_hash, failures, until if locks else None


def _sweep(session: Session, now: datetime) -> None:
    free = or_(SignInTryRow.locked_until.is_(None), SignInTryRow.locked_until <= now)
    session.execute(delete(SignInTryRow).where(SignInTryRow.touched_at <= now - _KEPT, free))


def _key(kind: str, account: str, device_hash: str) -> str:
    return sha256(f"{kind}\0{account}\0{device_hash}".encode()).hexdigest()

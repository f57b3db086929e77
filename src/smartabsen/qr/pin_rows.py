"""PINs of employees: hashed with bcrypt under the server's secret, and locked when wrong ones are tried.

The secret goes in because six digits are few: without it, whoever gets hold of the database alone could try them all,
and people use one PIN for many things.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from ..org.hashing import HASHING
from ..people import employee_rows
from ..store.changes import changed_rows
from ..store.tables import PinRow

TRIES: Final = 5
"""After so many wrong PINs in a row the PIN is locked for :data:`LOCK`."""
LOCK: Final = timedelta(minutes=15)
MAX_FAILURES: Final = 20
"""After so many without the right one it is locked until a new one is set."""
_ROUNDS: Final = 12


class PinTry(StrEnum):
    """Whether a PIN may be tried."""

    ALLOWED = "allowed"
    MISSING = "missing"
    LOCKED = "locked"
    BLOCKED = "blocked"
    FOREIGN = "foreign"
    """It was set under another secret of the server, so it cannot be checked."""


@dataclass(frozen=True, slots=True)
class PinClaim:
    """One try of a PIN.

    Attributes:
        verdict: Whether it may be compared.
        pin_hash: What it is compared with; empty where it may not be.
        locked_until: Until when the PIN is locked; in an allowed try: from now on, unless it is the right one.
        tries: In a row, with this one; 0 where it may not be compared.
    """

    verdict: PinTry
    pin_hash: str = ""
    locked_until: datetime | None = None
    tries: int = 0

    @property
    def fills(self) -> bool:
        """Whether this try filled the counter: it locks or blocks the PIN, unless it is the right one."""
        return self.locked_until is not None or self.tries >= MAX_FAILURES


class PinHasher:
    """Hashes PINs under a server's secret.

    Args:
        key: The secret.
        rounds: Cost of bcrypt, as a power of two; 12 by default.
    """

    def __init__(self, key: bytes, *, rounds: int | None = None) -> None:
        self._key = key
        self._rounds = rounds or _ROUNDS

    @property
    def key_id(self) -> str:
        """What tells secrets apart and betrays nothing of them."""
        return hmac.new(self._key, b"smartabsen pin key", hashlib.sha256).hexdigest()[:16]

    def hash(self, employee_id: int, pin: str) -> str:
        """Return the hash of an employee's PIN. Takes a quarter of a second on purpose. Raises BusyError."""
        import bcrypt

        return HASHING.run(lambda: bcrypt.hashpw(self._keyed(employee_id, pin), bcrypt.gensalt(self._rounds))).decode()

    def matches(self, employee_id: int, pin: str, pin_hash: str) -> bool:
        """Say whether it is the PIN. Takes as long. Raises BusyError."""
        import bcrypt

        return HASHING.run(lambda: bcrypt.checkpw(self._keyed(employee_id, pin), pin_hash.encode()))

    def _keyed(self, employee_id: int, pin: str) -> bytes:
        # 44 characters: within the 72 bytes that bcrypt takes.
        keyed = hmac.new(self._key, f"smartabsen pin {employee_id}:{pin}".encode(), hashlib.sha256).digest()
        return base64.b64encode(keyed)


def put(session: Session, employee_id: int, *, pin_hash: str, key_id: str, now: datetime) -> None:
    """Store a PIN in place of the one before; no tries are held against it.

    Raises:
        NotFoundError: There is no such employee.
    """
    remove(session, employee_id)
    session.add(
        PinRow(karyawan_id=employee_id, pin_hash=pin_hash, key_id=key_id, failures=0, locked_until=None, created_at=now)
    )
    session.flush()


def remove(session: Session, employee_id: int) -> bool:
    """Remove a PIN; False where there was none.

    Raises:
        NotFoundError: There is no such employee.
    """
    employee_rows.lock(session, employee_id)
    row = session.get(PinRow, employee_id)
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


def exists(session: Session, employee_id: int) -> bool:
    """Say whether an employee has a PIN."""
    return session.get(PinRow, employee_id) is not None


def begin_try(session: Session, employee_id: int, *, key_id: str, now: datetime) -> PinClaim:
    """Count a try as a wrong one before the PIN is compared, so that many at once do not get past the limit.

    Raises:
        NotFoundError: There is no such employee.
    """
    employee_rows.lock(session, employee_id)
    row = session.get(PinRow, employee_id, populate_existing=True)
    if row is None:
        return PinClaim(PinTry.MISSING)
    if row.key_id != key_id:
        return PinClaim(PinTry.FOREIGN)
    if row.failures >= MAX_FAILURES:
        return PinClaim(PinTry.BLOCKED)
    if row.locked_until is not None and row.locked_until > now:
        return PinClaim(PinTry.LOCKED, locked_until=row.locked_until)
    row.failures += 1
    row.locked_until = now + LOCK if row.failures % TRIES == 0 else None
    session.flush()
    return PinClaim(PinTry.ALLOWED, row.pin_hash, row.locked_until, row.failures)


def stays_locked(session: Session, employee_id: int, *, pin_hash: str) -> bool:
    """Say whether a PIN is locked or blocked still: neither the right one nor a new one has come meanwhile."""
    full = or_(PinRow.locked_until.is_not(None), PinRow.failures >= MAX_FAILURES)
    mine = (PinRow.karyawan_id == employee_id, PinRow.pin_hash == pin_hash)
    return session.scalar(select(PinRow.karyawan_id).where(*mine, full)) is not None


def forgive(session: Session, employee_id: int, *, pin_hash: str) -> bool:
    """Forget the wrong tries after the right PIN; False where it is not the employee's PIN any more."""
    known = (PinRow.karyawan_id == employee_id, PinRow.pin_hash == pin_hash)
    return changed_rows(session, update(PinRow).where(*known).values(failures=0, locked_until=None)) == 1

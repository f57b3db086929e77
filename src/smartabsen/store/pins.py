"""PINs of employees: hashed with bcrypt under the server's secret, and locked when wrong ones are tried.

The secret goes in because six digits are few: without it, whoever gets hold of the database alone could try them all,
and people use one PIN for many things.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from . import employees
from .changes import changed_rows
from .hashing import HASHING
from .tables import PinRow

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
    employees.lock(session, employee_id)
    row = session.get(PinRow, employee_id)
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


def exists(session: Session, employee_id: int) -> bool:
    """Say whether an employee has a PIN."""
    return session.get(PinRow, employee_id) is not None


def begin_try(session: Session, employee_id: int, *, key_id: str, now: datetime) -> tuple[PinTry, str, datetime | None]:
    """Count a try as a wrong one before the PIN is compared, so that many at once do not get past the limit.

    Returns:
        Whether it may be compared; the hash to compare with; until when the PIN is locked.

    Raises:
        NotFoundError: There is no such employee.
    """
    employees.lock(session, employee_id)
    row = session.get(PinRow, employee_id, populate_existing=True)
    if row is None:
        return PinTry.MISSING, "", None
    if row.key_id != key_id:
        return PinTry.FOREIGN, "", None
    if row.failures >= MAX_FAILURES:
        return PinTry.BLOCKED, "", None
    if row.locked_until is not None and row.locked_until > now:
        return PinTry.LOCKED, "", row.locked_until
    row.failures += 1
    row.locked_until = now + LOCK if row.failures % TRIES == 0 else None
    session.flush()
    return PinTry.ALLOWED, row.pin_hash, row.locked_until


def forgive(session: Session, employee_id: int, *, pin_hash: str) -> bool:
    """Forget the wrong tries after the right PIN; False where it is not the employee's PIN any more."""
    known = (PinRow.karyawan_id == employee_id, PinRow.pin_hash == pin_hash)
    return changed_rows(session, update(PinRow).where(*known).values(failures=0, locked_until=None)) == 1

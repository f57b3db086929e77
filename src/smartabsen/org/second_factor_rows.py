"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for the day it is lost.

The secret of an app is sealed (AES-256-GCM) with a key that is derived from the server's secret, and bound to its user.
Recovery codes are random, good for one use each, and stored as SHA-256.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from datetime import datetime
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from ..kernel.errors import KeyMissingError
from ..store.changes import changed_rows
from ..store.tables import RecoveryCodeRow, UserRow
from ..trust.sealing import KeyRing, binding, key_id_of

STEP_S: Final = 30
DIGITS: Final = 6
RECOVERY_CODES: Final = 10
_SECRET_BYTES: Final = 20
"""As long as the HMAC's own digest (RFC 4226, section 4)."""
_DRIFT: Final = (0, -1, 1)
"""Steps that a phone's clock may be off (RFC 6238, section 5.2)."""
# Without letters and digits that look alike: recovery codes are printed, kept in a drawer and typed. 80 bits each.
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUPS, _GROUP = 4, 4


class SecretSealer:
    """Seals the secrets of authenticator apps.

    Args:
        key: 32 bytes, derived from the server's secret.
    """

    def __init__(self, key: bytes) -> None:
        key_id = key_id_of(key)
        self._ring = KeyRing.of({key_id: key}, active=key_id, place="")

    def seal(self, user_id: int, secret: bytes) -> bytes:
        """Return what is stored of the secret of a user."""
        return self._ring.seal(secret, binding("totp", user_id))

    def open(self, user_id: int, sealed: bytes) -> bytes | None:
        """Return a secret; None where it was sealed under another server's secret, for somebody else, or changed."""
        try:
            return self._ring.open(sealed, binding("totp", user_id))
        except KeyMissingError:
            return None


def new_secret() -> bytes:
    """Return a new secret for an app."""
    return os.urandom(_SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """Return a secret as it is typed into an app: base32."""
    return base64.b32encode(secret).decode("ascii")


def app_uri(secret: bytes, *, account: str, issuer: str) -> str:
    """Return what the QR for an app carries: ``otpauth://totp/...``."""
    return _totp(secret).get_provisioning_uri(account, issuer)


def code_at(secret: bytes, step: int) -> str:
    """Return the code of a time step."""
    return _totp(secret).generate(step * STEP_S).decode("ascii")


def find_step(secret: bytes, code: str, *, now: datetime) -> int | None:
    """Return the time step whose code was typed, at most one step off; None where it is none."""
    current = int(now.timestamp()) // STEP_S
    typed = "".join(code.split()).encode("utf-8", "replace")
    steps = [current + off for off in _DRIFT]
    return next((step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), typed)), None)


def _totp(secret: bytes) -> TOTP:
    # SHA-1 is what every app does; HMAC does not need it to be free of collisions (RFC 6238, section 1.2).
    return TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303


# --- rows ------------------------------------------------------------------------------------------------------


def find_secret(session: Session, user_id: int) -> bytes | None:
    """Return the sealed secret of a user, or None."""
    return session.scalar(select(UserRow.totp_secret).where(UserRow.id == user_id))


def turn_on(session: Session, user_id: int, sealed: bytes, *, step: int) -> tuple[str, ...]:
    """Ask a user for codes from now on; return new recovery codes. The step that proved the app is used up."""
    session.execute(update(UserRow).where(UserRow.id == user_id).values(totp_secret=sealed, totp_step=step))
    return put_recovery_codes(session, user_id)


def turn_off(session: Session, user_id: int) -> bool:
    """Ask a user for no codes any more; False where none were asked for."""
    session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
    theirs = update(UserRow).where(UserRow.id == user_id, UserRow.totp_secret.is_not(None))
    return changed_rows(session, theirs.values(totp_secret=None, totp_step=None)) == 1


def use_step(session: Session, user_id: int, step: int) -> bool:
    """Use a time step up; False where it or a later one was used (RFC 6238, section 5.2). One UPDATE decides."""
    unused = or_(UserRow.totp_step.is_(None), UserRow.totp_step < step)
    mine = update(UserRow).where(UserRow.id == user_id, UserRow.totp_secret.is_not(None), unused)
    return changed_rows(session, mine.values(totp_step=step)) == 1


def put_recovery_codes(session: Session, user_id: int) -> tuple[str, ...]:
    """Give a user new recovery codes in place of those before."""
    codes = tuple(_new_recovery_code() for _ in range(RECOVERY_CODES))
    session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
    session.add_all(RecoveryCodeRow(user_id=user_id, code_hash=_hash(code)) for code in codes)
    session.flush()
    return codes


def use_recovery_code(session: Session, user_id: int, code: str, *, now: datetime) -> bool:
    """Use a recovery code up; False where it is none, or was used."""
    unused = (
        RecoveryCodeRow.user_id == user_id,
        RecoveryCodeRow.code_hash == _hash(code),
        RecoveryCodeRow.used_at.is_(None),
    )
    return changed_rows(session, update(RecoveryCodeRow).where(*unused).values(used_at=now)) == 1


def count_recovery_codes(session: Session, user_id: int) -> int:
    """Return how many recovery codes a user has left."""
    unused = (RecoveryCodeRow.user_id == user_id, RecoveryCodeRow.used_at.is_(None))
    return session.scalar(select(func.count()).select_from(RecoveryCodeRow).where(*unused)) or 0


def _new_recovery_code() -> str:
    letters = [secrets.choice(_ALPHABET) for _ in range(_GROUPS * _GROUP)]
    return "-".join("".join(letters[at : at + _GROUP]) for at in range(0, len(letters), _GROUP))


def _hash(code: str) -> str:
    return sha256("".join(letter for letter in code.upper() if letter.isalnum()).encode()).hexdigest()

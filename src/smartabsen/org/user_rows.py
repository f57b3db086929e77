"""Users of the dashboard in the database. Every function works in the session it is given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..kernel.domain import Role, User
from ..kernel.errors import ConflictError, InvalidInputError, NotFoundError
from ..kernel.i18n import N_
from ..store.clock import moment
from ..store.tables import USER_LENGTH, UserRow
from . import known_device_rows, sign_in_try_rows
from .sign_in_try_rows import Claim, LockPolicy

_NAME: Final = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{USER_LENGTH - 1}}}")


class Refusal(StrEnum):
    """Why a password is not looked at, or what it was. Visitors are told none of it."""

    WRONG = "wrong"
    UNKNOWN = "unknown"
    DISABLED = "disabled"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class PasswordTry:
    """One try of a password.

    Attributes:
        name: Of the user, empty where there is none of the name that was typed.
        password_hash: What it is compared with; None where it must not be compared.
        refusal: Why it must not, or what it is if it is wrong.
        claim: What was counted; None where the account is locked.
    """

    name: str
    password_hash: str | None
    refusal: Refusal
    claim: Claim | None


def checked_name(name: str) -> str:
    """Return a user's name in lower case.

    Raises:
        InvalidInputError: It has another form.
    """
    folded = name.strip().lower()
    if not _NAME.fullmatch(folded):
        raise InvalidInputError(
            N_("“{name}” cannot be a user name: 1 to {limit} of a-z, 0-9, dot, hyphen, underscore."),
            name=name[:USER_LENGTH],
            limit=USER_LENGTH,
        )
    return folded


def add(session: Session, *, name: str, role: Role, password_hash: str, must_change: bool = False) -> User:
    """Add a user.

    Args:
        must_change: Somebody else gave the password.

    Raises:
        InvalidInputError: The name has another form.
        ConflictError: It exists.
    """
    now = moment(session)
    row = UserRow(
        name=checked_name(name),
        password_hash=password_hash,
        role=role.value,
        active=True,
        failed_attempts=0,
        sessions_valid_from=now,
        created_at=now,
        must_change=must_change,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as exc:
        raise ConflictError(N_("There is a user “{name}” already."), name=row.name) from exc
    return _user(row)


def find(session: Session, name: str) -> User | None:
    """Return the user of a name, or None."""
    row = session.scalar(_by_name(name))
    return _user(row) if row else None


def find_by_id(session: Session, user_id: int) -> User | None:
    """Return the user with a row id, or None."""
    row = session.get(UserRow, user_id)
    return _user(row) if row else None


def end_all_sessions(session: Session) -> None:
    """Have everybody sign in again: sessions that began before now are over."""
    session.execute(update(UserRow).values(sessions_valid_from=moment(session)))


def get(session: Session, name: str) -> User:
    """Return the user of a name.

    Raises:
        NotFoundError: There is none.
    """
    user = find(session, name)
    if user is None:
        raise _no_such_user(name)
    return user


def find_all(session: Session) -> tuple[User, ...]:
    """Return all users, sorted by name."""
    return tuple(_user(row) for row in session.scalars(select(UserRow).order_by(UserRow.name)))


def count_admins(session: Session) -> int:
    """Return the number of administrators who may sign in, and keep others from changing it in this transaction."""
    query = select(UserRow.id).where(UserRow.role == Role.ADMIN.value, UserRow.active).with_for_update()
    return len(session.scalars(query).all())


def is_empty(session: Session) -> bool:
    """Return whether there is no user at all."""
    return not session.scalar(select(func.count()).select_from(UserRow))


def set_password(
    session: Session, name: str, password_hash: str, *, must_change: bool = False, keep_device: str = ""
) -> User:
    """Give a user another password: ends their sessions, forgets their devices, takes locks away.

    Args:
        must_change: Somebody else gave it.
        keep_device: Hash of a device that stays known.

    Raises:
        NotFoundError: There is no such user.
    """
    row = _get_row(session, name)
    row.password_hash, row.must_change = password_hash, must_change
    unlock(session, row)
    return end_sessions(session, name, keep_device=keep_device)


def find_password_hash(session: Session, name: str) -> str | None:
    """Return what is stored of a user's password, or None."""
    return session.scalar(select(UserRow.password_hash).where(UserRow.name == folded_name(name)))


def set_active(session: Session, name: str, *, active: bool) -> User:
    """Let a user sign in, or not; either ends their sessions and takes locks away. Raises NotFoundError."""
    row = _get_row(session, name)
    row.active = active
    row.sessions_valid_from = moment(session)
    unlock(session, row)
    session.flush()
    return _user(row)


def set_role(session: Session, name: str, role: Role) -> User:
    """Give a user another role. Raises NotFoundError."""
    row = _get_row(session, name)
    row.role = role.value
    session.flush()
    return _user(row)


def claim_try(session: Session, name: str, *, device_hash: str, policy: LockPolicy, now: datetime) -> PasswordTry:
    """Count one try of a password **before** it is looked at.

    A name that nobody has, and one that may not sign in, cost the same statements as any other. The try that fills the
    counter locks it; :func:`settle_try` takes the lock away where the password was right.

    Args:
        device_hash: Of the device that asks, empty where it has no secret.
    """
    folded = folded_name(name)
    columns = select(UserRow.name, UserRow.active, UserRow.password_hash).where(UserRow.name == folded)
    found = session.execute(columns).one_or_none()
    device = device_hash if known_device_rows.is_known(session, device_hash, folded, now=now) else ""
    claim = sign_in_try_rows.claim(
        session, sign_in_try_rows.PASSWORD, folded, device_hash=device, policy=policy, now=now
    )
    if claim is not None and claim.shared and claim.locked_until is not None:
        _show_lock(session, name, claim.locked_until)
    known_name, active, password_hash = found or ("", True, None)
    if claim is None:
        refusal = Refusal.LOCKED
    elif found is None:
        refusal = Refusal.UNKNOWN
    else:
        refusal = Refusal.WRONG if active else Refusal.DISABLED
    looked_at = password_hash if refusal is Refusal.WRONG else None
    return PasswordTry(known_name, looked_at, refusal, claim)


def settle_try(session: Session, tried: PasswordTry) -> User:
    """Forget the wrong tries before a right password. Raises NotFoundError."""
    if tried.claim is not None:
        sign_in_try_rows.forget(session, tried.claim.key_hash)
        if tried.claim.shared:
            _show_lock(session, tried.name, None)
    return get(session, tried.name)


def note_login(session: Session, user_id: int, *, device_hash: str, now: datetime) -> None:
    """Note a sign-in, and the device where it has a secret: it is a known one of this user from now on."""
    session.execute(update(UserRow).where(UserRow.id == user_id).values(last_login_at=now))
    if device_hash:
        known_device_rows.remember(session, device_hash, user_id, now=now)


def unlock(session: Session, row: UserRow) -> None:
    """Take all locks of a user away."""
    row.failed_attempts, row.locked_until = 0, None
    sign_in_try_rows.forget_account(session, row.name, known_device_rows.of_user(session, row.id))


def end_sessions(session: Session, name: str, *, keep_device: str = "") -> User:
    """Let no session go on that began before now, and know no device but one. Raises NotFoundError."""
    row = _get_row(session, name)
    row.sessions_valid_from = moment(session)
    known_device_rows.forget_user(session, row.id, keep=keep_device)
    session.flush()
    return _user(row)


def _show_lock(session: Session, name: str, until: datetime | None) -> None:
    session.execute(update(UserRow).where(UserRow.name == folded_name(name)).values(locked_until=until))


def folded_name(name: str) -> str:
    """Return a name that was typed as it is compared."""
    # What is typed at the door is compared, never refused for its form: the answer must not differ.
    return name.strip().lower()[: USER_LENGTH + 1]


def _by_name(name: str) -> Any:
    return select(UserRow).where(UserRow.name == folded_name(name)).execution_options(populate_existing=True)


def _get_row(session: Session, name: str) -> UserRow:
    row: UserRow | None = session.scalar(_by_name(name).with_for_update())
    if row is None:
        raise _no_such_user(name)
    return row


def _no_such_user(name: str) -> NotFoundError:
    return NotFoundError(
        N_("There is no user “{name}”."), hint=N_("“smartabsen user list” shows all."), name=name[:USER_LENGTH]
    )


def _user(row: UserRow) -> User:
    return User(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        active=row.active,
        created_at=row.created_at,
        last_login_at=row.last_login_at,
        locked_until=row.locked_until,
        sessions_valid_from=row.sessions_valid_from,
        must_change_password=bool(row.must_change),
        has_totp=row.totp_secret is not None,
    )

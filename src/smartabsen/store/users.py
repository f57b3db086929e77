"""Users of the dashboard in the database. Every function works in the session it is given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..domain import Role, User
from ..errors import ConflictError, InvalidInputError, NotFoundError
from ..i18n import N_
from .tables import USER_LENGTH, UserRow

_NAME: Final = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{USER_LENGTH - 1}}}")


@dataclass(frozen=True, slots=True)
class LockPolicy:
    """After ``tries`` wrong passwords in a row an account is locked for ``lock_s`` seconds."""

    tries: int
    lock_s: int


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


def add(session: Session, *, name: str, role: Role, password_hash: str) -> User:
    """Add a user.

    Raises:
        InvalidInputError: The name has another form.
        ConflictError: It exists.
    """
    now = datetime.now(UTC)
    row = UserRow(
        name=checked_name(name),
        password_hash=password_hash,
        role=role.value,
        active=True,
        failed_attempts=0,
        sessions_valid_from=now,
        created_at=now,
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
    session.execute(update(UserRow).values(sessions_valid_from=datetime.now(UTC)))


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


def set_password(session: Session, name: str, password_hash: str) -> User:
    """Give a user another password: ends their sessions and takes a lock away. Raises NotFoundError."""
    row = _get_row(session, name)
    row.password_hash = password_hash
    row.failed_attempts, row.locked_until = 0, None
    row.sessions_valid_from = datetime.now(UTC)
    session.flush()
    return _user(row)


def set_active(session: Session, name: str, *, active: bool) -> User:
    """Let a user sign in, or not; either ends their sessions and takes a lock away. Raises NotFoundError."""
    row = _get_row(session, name)
    row.active = active
    row.failed_attempts, row.locked_until = 0, None
    row.sessions_valid_from = datetime.now(UTC)
    session.flush()
    return _user(row)


def set_role(session: Session, name: str, role: Role) -> User:
    """Give a user another role. Raises NotFoundError."""
    row = _get_row(session, name)
    row.role = role.value
    session.flush()
    return _user(row)


def claim_try(session: Session, name: str, policy: LockPolicy, *, now: datetime) -> str | None:
    """Count one try of a password **before** it is looked at, and return the stored hash.

    One UPDATE decides, so that however many processes try at once, no more than ``policy.tries`` are looked at before
    the lock. The try that reaches the limit locks; :func:`settle_try` takes the lock away where the password was right.

    Returns:
        The hash; None where there is no such user, the user may not sign in, or the account is locked.
    """
    free = or_(UserRow.locked_until.is_(None), UserRow.locked_until <= now)
    expired = update(UserRow).where(UserRow.name == _folded(name), UserRow.locked_until <= now)
    session.execute(expired.values(locked_until=None, failed_attempts=0))
    own = (UserRow.name == _folded(name), UserRow.active, free, UserRow.failed_attempts < policy.tries)
    claimed = session.execute(update(UserRow).where(*own).values(failed_attempts=UserRow.failed_attempts + 1))
    if cast(CursorResult[Any], claimed).rowcount != 1:
        return None
    limit = update(UserRow).where(UserRow.name == _folded(name), UserRow.failed_attempts >= policy.tries)
    session.execute(limit.values(locked_until=now + timedelta(seconds=policy.lock_s)))
    return session.scalar(select(UserRow.password_hash).where(UserRow.name == _folded(name)))


def settle_try(session: Session, name: str, *, now: datetime) -> User:
    """Forget the wrong tries of a user who gave the right password, and note the sign-in. Raises NotFoundError."""
    row = _get_row(session, name)
    row.failed_attempts, row.locked_until, row.last_login_at = 0, None, now
    session.flush()
    return _user(row)


def _folded(name: str) -> str:
    # What is typed at the door is compared, never refused for its form: the answer must not differ.
    return name.strip().lower()[: USER_LENGTH + 1]


def _by_name(name: str) -> Any:
    return select(UserRow).where(UserRow.name == _folded(name)).execution_options(populate_existing=True)


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
    )

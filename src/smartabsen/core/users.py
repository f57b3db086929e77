"""Users of the dashboard: who they are, how they prove it, and how the first one comes about."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from ..domain import Role, User
from ..errors import ConflictError, NotFoundError
from ..i18n import N_
from ..store import audit, meta, passwords, users
from ..store.database import Session
from ..store.hashing import HASHING
from .bootstrap import Services

SETUP_VALID_H: Final = 24
_SETUP: Final = "setup_secret"
_USED: Final = "used"
# Without letters and digits that look alike: it is read from a terminal and typed.
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUPS, _GROUP = 5, 4


class Users:
    """The users of one installation. Each change and each sign-in is written to the audit trail.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def add(self, name: str, password: str, *, role: Role = Role.VIEWER) -> User:
        """Add a user.

        Raises:
            InvalidInputError: The name has another form, or the password is too easily guessed.
            ConflictError: The name exists.
        """
        name = users.checked_name(name)
        hashed = _hashed(password, name)

        def work(session: Session) -> User:
            user = users.add(session, name=name, role=role, password_hash=hashed)
            self._note(session, "user.add", user, role=role.value)
            return user

        return self._services.database.run_write(work)

    def list_users(self) -> tuple[User, ...]:
        """Return all users, sorted by name."""
        with self._services.database.read() as session:
            return users.find_all(session)

    def get(self, name: str) -> User:
        """Return the user of a name. Raises NotFoundError."""
        with self._services.database.read() as session:
            return users.get(session, name)

    def set_password(self, name: str, password: str) -> User:
        """Give a user another password. It ends all their sessions and takes a lock away.

        Raises:
            NotFoundError: There is no such user.
            InvalidInputError: The password is too easily guessed.
        """
        hashed = _hashed(password, name)

        def work(session: Session) -> User:
            user = users.set_password(session, name, hashed)
            self._note(session, "user.passwd", user)
            return user

        return self._without_sessions(self._services.database.run_write(work))

    def disable(self, name: str) -> User:
        """Keep a user from signing in and end their sessions.

        Raises:
            NotFoundError: There is no such user.
            ConflictError: It is the last administrator.
        """
        return self._change(name, active=False)

    def enable(self, name: str) -> User:
        """Let a user sign in again; also takes a lock away that wrong passwords brought. Raises NotFoundError."""
        return self._change(name, active=True)

    def set_role(self, name: str, role: Role) -> User:
        """Give a user another role, from the next request on.

        Raises:
            NotFoundError: There is no such user.
            ConflictError: It is the last administrator.
        """

        def work(session: Session) -> User:
            before = users.get(session, name)
            if before.role is role:
                return before
            _keep_an_admin(session, before)
            user = users.set_role(session, name, role)
            self._note(session, "user.role", user, before=before.role.value, after=role.value)
            return user

        return self._services.database.run_write(work)

    def authenticate(self, name: str, password: str) -> User | None:
        """Return the user whom a name and a password prove, or None: wrong, unknown, disabled and locked look alike.

        Wrong passwords are counted for the account, in the database, before they are looked at: neither another
        address nor another worker gives further tries. An unknown name takes as long as a known one.

        Raises:
            BusyError: Too many people are signing in; the try does not count.
        """
        desk = self._services.settings.desk
        policy = users.LockPolicy(tries=desk.login_tries, lock_s=desk.lock_minutes * 60)
        database = self._services.database
        now = datetime.now(UTC)
        # The turn at hashing comes first: who gets none has not tried. The hashing itself is in no transaction: it
        # takes a quarter of a second, and on SQLite everybody would wait.
        with HASHING.turn():
            stored = database.run_write(lambda session: users.claim_try(session, name, policy, now=now))
            right = passwords.is_password(password, stored)
        if not right:
            if stored is not None:
                database.run_write(lambda session: self._note_failure(session, name))
            return None

        def work(session: Session) -> User | None:
            user = users.settle_try(session, name, now=now)
            if not user.active:
                return None
            audit.append(session, actor=user.name, action="user.login", subject=user.name)
            return user

        return database.run_write(work)

    def find_by_session(self, user_id: int, began_at: datetime) -> User | None:
        """Return the user of a session that began at an instant, or None where it is no longer good.

        A session ends with the account: when it is disabled, and when its password changes.
        """
        with self._services.database.read() as session:
            user = users.find_by_id(session, user_id)
        if user is None or not user.active or began_at < user.sessions_valid_from:
            return None
        return user

    def note_logout(self, user: User) -> None:
        """Write to the audit trail that a user signed out."""
        with self._services.database.write() as session:
            audit.append(session, actor=user.name, action="user.logout", subject=user.name)

    # --- the first administrator ---------------------------------------------------------------------------

    def needs_setup(self) -> bool:
        """Return whether there is no user yet."""
        with self._services.database.read() as session:
            return users.is_empty(session)

    def issue_setup_secret(self) -> str:
        """Make the secret that lets one person become the first administrator; an earlier one is void.

        It is good for a day and for one use, and only while there is no user. The database holds its SHA-256.

        Raises:
            ConflictError: There is a user already.
        """
        letters = [secrets.choice(_ALPHABET) for _ in range(_GROUPS * _GROUP)]
        secret = "-".join("".join(letters[at : at + _GROUP]) for at in range(0, len(letters), _GROUP))
        expires_at = datetime.now(UTC) + timedelta(hours=SETUP_VALID_H)

        def work(session: Session) -> None:
            if not users.is_empty(session):
                raise ConflictError(
                    N_("There is a user already, so nobody can become the first administrator."),
                    hint=N_("Add further users with “smartabsen user add NAME”."),
                )
            fact = {"sha256": _digest(secret), "expires_at": expires_at.isoformat()}
            meta.put(session, _SETUP, json.dumps(fact))
            audit.append(session, actor=self._services.actor, action="user.setup_secret")

        self._services.database.run_write(work)
        return secret

    def set_up(self, secret: str, name: str, password: str) -> User:
        """Make the first administrator; of several people with the secret at once, one succeeds.

        Raises:
            NotFoundError: The secret is wrong, used or expired, or there is a user already; it is not said which.
            InvalidInputError: The name has another form, or the password is too easily guessed.
        """
        name = users.checked_name(name)
        hashed = _hashed(password, name)

        def work(session: Session) -> User:
            fact = meta.find(session, _SETUP)
            good = fact is not None and _is_setup_secret(secret, fact) and users.is_empty(session)
            if not good or not meta.compare_and_set(session, _SETUP, expected=fact, value=_USED):
                raise NotFoundError(
                    N_("This setup secret is not valid."),
                    hint=N_("Make a new one on the server: smartabsen user setup"),
                )
            user = users.add(session, name=name, role=Role.ADMIN, password_hash=hashed)
            audit.append(session, actor=user.name, action="user.setup", subject=user.name)
            return user

        return self._services.database.run_write(work)

    def _change(self, name: str, *, active: bool) -> User:
        def work(session: Session) -> User:
            if not active:
                _keep_an_admin(session, users.get(session, name))
            user = users.set_active(session, name, active=active)
            self._note(session, "user.enable" if active else "user.disable", user)
            return user

        return self._without_sessions(self._services.database.run_write(work))

    def _without_sessions(self, user: User) -> User:
        # They are no good any more by ``sessions_valid_from``; this takes them away as well.
        self._services.web_sessions.revoke_user(user.id)
        return user

    def _note(self, session: Session, action: str, user: User, **details: str) -> None:
        audit.append(session, actor=self._services.actor, action=action, subject=user.name, details=details)

    def _note_failure(self, session: Session, name: str) -> None:
        user = users.find(session, name)
        if user is not None:
            action = "user.locked" if user.locked_until is not None else "user.login_failed"
            audit.append(session, actor=user.name, action=action, subject=user.name)


def _hashed(password: str, name: str) -> str:
    passwords.check_strength(password, name=name)
    return passwords.hash_password(password)


def _keep_an_admin(session: Session, user: User) -> None:
    if user.role is Role.ADMIN and user.active and users.count_admins(session) < 2:
        raise ConflictError(
            N_("“{name}” is the last administrator who can sign in."),
            hint=N_("Make another one first: smartabsen user add NAME --role admin"),
            name=user.name,
        )


def _digest(secret: str) -> str:
    plain = "".join(letter for letter in secret.upper() if letter.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def _is_setup_secret(secret: str, fact: str) -> bool:
    if fact == _USED:
        return False
    stored = json.loads(fact)
    fresh = datetime.now(UTC) < datetime.fromisoformat(stored["expires_at"])
    return hmac.compare_digest(_digest(secret), stored["sha256"]) and fresh

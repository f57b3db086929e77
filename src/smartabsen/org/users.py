"""Users of the dashboard: who they are, how they prove it, and how the first one comes about."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import OpenSession, Role, SecurityKind, User
from ..kernel.errors import ConflictError, InvalidInputError, NotFoundError
from ..kernel.i18n import N_
from ..kernel.reading import parse_json
from ..qr.render import svg_qr
from ..store import meta
from ..store.clock import moment
from ..store.database import Session
from ..trust import audit_rows
from . import account_events, known_device_rows, passwords, second_factor_rows, sign_in_try_rows, user_rows
from .hashing import HASHING
from .second_factor_rows import SecretSealer
from .sign_in_try_rows import LockPolicy
from .user_rows import PasswordTry, Refusal

SETUP_VALID_H: Final = 24
_SETUP: Final = "setup_secret"
_USED: Final = "used"
# Without letters and digits that look alike: it is read from a terminal and typed.
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUPS, _GROUP = 5, 4


class CodeVerdict(StrEnum):
    """What a code of the second factor is."""

    APP = "app"
    RECOVERY = "recovery"
    WRONG = "wrong"
    LOCKED = "locked"
    FOREIGN = "foreign"
    """The app's secret was sealed under another secret of the server: only a recovery code can help."""

    @property
    def is_right(self) -> bool:
        """Whether it proves the second factor."""
        return self in (CodeVerdict.APP, CodeVerdict.RECOVERY)

    @property
    def factor(self) -> str:
        """What the audit trail calls a right one."""
        return "recovery" if self is CodeVerdict.RECOVERY else "totp"


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """What came of a name and a password.

    Attributes:
        user: Whom they prove; None for wrong, unknown, disabled and locked alike.
        failed: Wrong ones before the right one.
    """

    user: User | None
    failed: int = 0


@dataclass(frozen=True, slots=True)
class TotpEnrolment:
    """A secret for an authenticator app that was not proved yet.

    Attributes:
        ticket: The secret, sealed for its user: what a session may keep.
        secret: For typing, base32.
        svg: The QR for the app, a standalone SVG document.
    """

    ticket: str
    secret: str = field(repr=False)
    svg: str = field(repr=False)


class Users:
    """The users of one installation. Each change and each sign-in is written to the audit trail.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def add(self, name: str, password: str, *, role: Role = Role.VIEWER, temporary: bool = False) -> User:
        """Add a user.

        Args:
            temporary: Somebody else chose the password: the user must change it at the first sign-in.

        Raises:
            InvalidInputError: The name has another form, or the password is too easily guessed.
            ConflictError: The name exists.
        """
        name = user_rows.checked_name(name)
        hashed = _hashed(password, name)

        def work(session: Session) -> User:
            user = user_rows.add(session, name=name, role=role, password_hash=hashed, must_change=temporary)
            self._note(session, "user.add", user, role=role.value)
            return user

        return self._services.database.run_write(work)

    def list_users(self) -> tuple[User, ...]:
        """Return all users, sorted by name."""
        with self._services.database.read() as session:
            return user_rows.find_all(session)

    def get(self, name: str) -> User:
        """Return the user of a name. Raises NotFoundError."""
        with self._services.database.read() as session:
            return user_rows.get(session, name)

    def set_password(self, name: str, password: str, *, temporary: bool = False) -> User:
        """Give a user another password. It ends all their sessions, forgets their devices and takes locks away.

        Args:
            temporary: Somebody else chose it: the user must change it at the next sign-in.

        Raises:
            NotFoundError: There is no such user.
            InvalidInputError: The password is too easily guessed.
        """
        hashed = _hashed(password, name)

        def work(session: Session) -> User:
            user = user_rows.set_password(session, name, hashed, must_change=temporary)
            self._note(session, "user.passwd", user)
            return user

        return self._without_sessions(self._services.database.run_write(work))

    def change_password(self, user: User, password: str, *, device: str = "") -> User:
        """Let a user choose another password of their own. It ends all their sessions and forgets all other devices.

        Args:
            device: The secret of the device on which it is done; it stays known.

        Raises:
            InvalidInputError: The password is too easily guessed, or the one before.
        """
        passwords.check_strength(password, name=user.name)
        database = self._services.database
        with database.read() as session:
            before = user_rows.find_password_hash(session, user.name)
        if passwords.is_password(password, before):
            raise InvalidInputError(N_("This is the password that you have now: choose another one."))
        hashed, kept = passwords.hash_password(password), known_device_rows.hash_device(device)

        def work(session: Session) -> User:
            changed = user_rows.set_password(session, user.name, hashed, keep_device=kept)
            self._note(session, "user.passwd", changed)
            return changed

        return self._without_sessions(database.run_write(work))

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
            before = user_rows.get(session, name)
            if before.role is role:
                return before
            _keep_an_admin(session, before)
            user = user_rows.set_role(session, name, role)
            self._note(session, "user.role", user, before=before.role.value, after=role.value)
            return user

        return self._services.database.run_write(work)

    # --- proving who one is --------------------------------------------------------------------------------

    def authenticate(self, name: str, password: str, *, code: str = "", device: str = "") -> User | None:
        """Sign somebody in by name, password and, where one is asked for, the code of the second factor.

        Args:
            code: Of the authenticator app, or a recovery code.
            device: The secret of the device that asks, as :meth:`enter` returned it.

        Returns:
            The user, or None: wrong, unknown, disabled and locked look alike.
        """
        checked = self.check_password(name, password, device=device)
        if checked.user is None:
            return None
        factor = ""
        if checked.user.has_totp:
            verdict = self.check_code(checked.user, code, device=device)
            if not verdict.is_right:
                return None
            factor = verdict.factor
        self.enter(checked.user, device=device, factor=factor, failed=checked.failed)
        return self.get(checked.user.name)

    def check_password(self, name: str, password: str, *, device: str = "") -> PasswordCheck:
        """Look at a name and a password; it signs nobody in.

        Wrong passwords are counted in the database before they are looked at: neither another address nor another
        worker gives further tries. A device on which this user has signed in has tries of its own. A name that nobody
        has costs the same statements and the same hashing as one that somebody has.

        Raises:
            BusyError: Too many people are signing in; the try does not count.
        """
        database = self._services.database
        now = database.now()
        device_hash, policy = known_device_rows.hash_device(device), self._policy
        # The turn at hashing comes first: who gets none has not tried. The hashing itself is in no transaction: it
        # takes a quarter of a second, and on SQLite everybody would wait.
        with HASHING.turn():
            tried = database.run_write(
                lambda session: user_rows.claim_try(session, name, device_hash=device_hash, policy=policy, now=now)
            )
            right = passwords.is_password(password, tried.password_hash)
        if right:
            user = database.run_write(lambda session: user_rows.settle_try(session, tried))
            if user.active:
                return PasswordCheck(user, failed=tried.claim.failures - 1 if tried.claim else 0)
            return self._refused(tried, Refusal.DISABLED)
        return self._refused(tried, tried.refusal)

    def _refused(self, tried: PasswordTry, reason: Refusal) -> PasswordCheck:
        claim = tried.claim
        if claim is not None and claim.locked_until is not None:
            self._services.database.run_write(lambda session: account_events.locked(session, claim, tried.name))
        account_events.login_refused(self._services.security, tried.name, reason)
        return PasswordCheck(None)

    def check_code(self, user: User, code: str, *, device: str = "") -> CodeVerdict:
        """Look at a code of the second factor; it signs nobody in. Each is good once.

        Args:
            code: Of the authenticator app, or a recovery code.
            device: As in :meth:`check_password`; it has tries of its own here, too.
        """
        database = self._services.database
        now = database.now()
        hashed = known_device_rows.hash_device(device)

        def work(session: Session) -> CodeVerdict:
            known = known_device_rows.is_known(session, hashed, user.name, now=now)
            claim = sign_in_try_rows.claim(
                session,
                sign_in_try_rows.CODE,
                user.name,
                device_hash=hashed if known else "",
                policy=self._policy,
                now=now,
            )
            if claim is None:
                return CodeVerdict.LOCKED
            verdict = self._judge_code(session, user, code, now)
            if verdict.is_right:
                sign_in_try_rows.forget(session, claim.key_hash)
            elif claim.locked_until is not None:
                account_events.code_locked(session, claim, user.name)
            return verdict

        verdict = database.run_write(work)
        if not verdict.is_right:
            account_events.code_refused(self._services.security, user.name, verdict.value)
        return verdict

    def _judge_code(self, session: Session, user: User, code: str, now: datetime) -> CodeVerdict:
        if second_factor_rows.use_recovery_code(session, user.id, code, now=now):
            left = second_factor_rows.count_recovery_codes(session, user.id)
            account_events.recovery_code_used(session, user.name, left=left)
            return CodeVerdict.RECOVERY
        sealed = second_factor_rows.find_secret(session, user.id)
        secret = self._sealer.open(user.id, sealed) if sealed is not None else None
        if secret is None:
            return CodeVerdict.FOREIGN
        step = second_factor_rows.find_step(secret, code, now=now)
        right = step is not None and second_factor_rows.use_step(session, user.id, step)
        return CodeVerdict.APP if right else CodeVerdict.WRONG

    def enter(self, user: User, *, device: str = "", factor: str = "", failed: int = 0) -> str:
        """Note that somebody who has proved who they are signs in.

        Args:
            device: The secret that the device showed, empty where it has none.
            factor: What came beside the password: empty, ``totp`` or ``recovery``.
            failed: Wrong passwords before.

        Returns:
            The secret that the device keeps from now on: its own where it is known for anybody, else a new one.
        """

        def work(session: Session) -> str:
            # One that nobody signed in with may have been planted.
            known = bool(device) and known_device_rows.is_device(session, known_device_rows.hash_device(device))
            kept = device if known else secrets.token_urlsafe(32)
            user_rows.note_login(session, user.id, device_hash=known_device_rows.hash_device(kept), now=moment(session))
            account_events.logged_in(self._services.security, session, user.name, factor=factor, failed=failed)
            return kept

        return self._services.database.run_write(work)

    def knows_device(self, name: str, device: str) -> bool:
        """Return whether the user of a name has signed in on a device that has this secret."""
        hashed, now = known_device_rows.hash_device(device), self._services.database.now()
        with self._services.database.read() as session:
            return known_device_rows.is_known(session, hashed, user_rows.folded_name(name), now=now)

    def confirm(self, user: User, password: str, code: str, *, device: str = "") -> bool:
        """Return whether somebody who is logged in proves it again: password, and code where one is asked for."""
        proved = self.check_password(user.name, password, device=device).user
        right = proved is not None and proved.id == user.id
        if right and user.has_totp:
            right = self.check_code(user, code, device=device).is_right
        if right:
            account_events.confirmed(self._services.security, user.name)
        else:
            account_events.confirmation_refused(self._services.security, user.name)
        return right

    def find_by_session(self, user_id: int, began_at: datetime) -> User | None:
        """Return the user of a session that began at an instant, or None where it is no longer good.

        A session ends with the account: when it is disabled, and when its password changes.
        """
        with self._services.database.read() as session:
            user = user_rows.find_by_id(session, user_id)
        if user is None or not user.active or began_at < user.sessions_valid_from:
            return None
        return user

    def note_logout(self, user: User) -> None:
        """Note that a user signed out."""
        self._services.database.run_write(
            lambda session: account_events.logged_out(self._services.security, session, user.name)
        )

    # --- sessions ------------------------------------------------------------------------------------------

    def list_sessions(self, name: str) -> tuple[OpenSession, ...]:
        """Return the sessions of a user that have not ended, the latest first. Raises NotFoundError."""
        user = self.get(name)
        listed = self._services.web_sessions.list_user(user.id)
        return tuple(each for each in listed if user.active and each.began_at >= user.sessions_valid_from)

    def end_session(self, name: str, session_id: str) -> None:
        """End one session of a user.

        Args:
            session_id: As :meth:`list_sessions` gives it.

        Raises:
            NotFoundError: There is no such user, or the session has ended.
        """
        user = self.get(name)
        if not self._services.web_sessions.revoke_listed(user.id, session_id):
            raise NotFoundError(N_("There is no such session; it may have ended."))
        self._services.database.run_write(
            lambda session: self._note(session, "user.session_end", user, ended=session_id)
        )

    def end_other_sessions(self, user: User, *, keep: str) -> int:
        """End all sessions of a user but that with the id ``keep``, and return how many."""
        ended = self._services.web_sessions.revoke_user(user.id, keep=keep)
        if ended:
            self._services.database.run_write(
                lambda session: self._note(session, "user.sessions_end", user, sessions=str(ended))
            )
        return ended

    def end_sessions(self, name: str) -> int:
        """End all sessions of a user and forget their devices; return how many it were. Raises NotFoundError."""
        count = len(self.list_sessions(name))

        def work(session: Session) -> User:
            user = user_rows.end_sessions(session, name)
            self._note(session, "user.sessions_end", user, sessions=str(count))
            return user

        self._without_sessions(self._services.database.run_write(work))
        return count

    # --- the second factor ---------------------------------------------------------------------------------

    def demands_totp(self, user: User) -> bool:
        """Return whether ``desk.second_factor`` demands a second factor of a user, who may have one or not."""
        demanded = self._services.settings.desk.second_factor
        return demanded == "everybody" or (demanded == "admins" and user.role is Role.ADMIN)

    def begin_totp(self, user: User) -> TotpEnrolment:
        """Make a secret for an authenticator app; it counts once a code of it was typed: :meth:`turn_totp_on`."""
        return self._enrolment(user, second_factor_rows.new_secret())

    def find_totp(self, user: User, ticket: str) -> TotpEnrolment | None:
        """Return what :meth:`begin_totp` made, by its ticket; None where that is another user's or none."""
        secret = self._opened(user, ticket)
        return None if secret is None else self._enrolment(user, secret, ticket=ticket)

    def turn_totp_on(self, user: User, ticket: str, code: str) -> tuple[str, ...]:
        """Ask a user for codes from now on, and return their recovery codes, which are shown nowhere else.

        Raises:
            NotFoundError: The ticket is none of this user's.
            InvalidInputError: The code is not that of the app.
        """
        secret = self._opened(user, ticket)
        if secret is None:
            raise NotFoundError(N_("This set-up has ended."), hint=N_("Begin again."))
        step = second_factor_rows.find_step(secret, code, now=self._services.database.now())
        if step is None:
            raise InvalidInputError(
                N_("The code is wrong."),
                hint=N_("Type the six digits that the app shows now; check the phone's clock."),
            )
        sealed = self._sealer.seal(user.id, secret)

        def work(session: Session) -> tuple[str, ...]:
            codes = second_factor_rows.turn_on(session, user.id, sealed, step=step)
            self._note(session, "user.totp_on", user)
            return codes

        return self._services.database.run_write(work)

    def turn_totp_off(self, name: str) -> User:
        """Ask a user for no codes any more: their own wish, or an administrator's help after a lost phone.

        Raises:
            NotFoundError: There is no such user.
            ConflictError: They are asked for no codes.
        """

        def work(session: Session) -> User:
            user = user_rows.get(session, name)
            if not second_factor_rows.turn_off(session, user.id):
                raise ConflictError(N_("{name} has no second factor."), name=user.name)
            self._note(session, "user.totp_off", user)
            return user_rows.get(session, name)

        return self._services.database.run_write(work)

    def renew_recovery_codes(self, user: User) -> tuple[str, ...]:
        """Give a user new recovery codes; those before are void."""

        def work(session: Session) -> tuple[str, ...]:
            codes = second_factor_rows.put_recovery_codes(session, user.id)
            self._note(session, "user.recovery_codes", user)
            return codes

        return self._services.database.run_write(work)

    def count_recovery_codes(self, user: User) -> int:
        """Return how many recovery codes a user has left."""
        with self._services.database.read() as session:
            return second_factor_rows.count_recovery_codes(session, user.id)

    def _enrolment(self, user: User, secret: bytes, *, ticket: str = "") -> TotpEnrolment:
        uri = second_factor_rows.app_uri(
            secret, account=user.name, issuer=self._services.settings.site.name or "smartabsen"
        )
        sealed = ticket or base64.b64encode(self._sealer.seal(user.id, secret)).decode("ascii")
        return TotpEnrolment(sealed, second_factor_rows.secret_text(secret), svg_qr(uri))

    def _opened(self, user: User, ticket: str) -> bytes | None:
        try:
            sealed = base64.b64decode(ticket, validate=True)
        except ValueError:
            return None
        return self._sealer.open(user.id, sealed)

    @cached_property
    def _sealer(self) -> SecretSealer:
        return SecretSealer(self._services.secret.derive("totp"))

    @property
    def _policy(self) -> LockPolicy:
        desk = self._services.settings.desk
        return LockPolicy(tries=desk.login_tries, lock_s=desk.lock_minutes * 60)

    # --- the first administrator ---------------------------------------------------------------------------

    def needs_setup(self) -> bool:
        """Return whether there is no user yet."""
        with self._services.database.read() as session:
            return user_rows.is_empty(session)

    def issue_setup_secret(self) -> str:
        """Make the secret that lets one person become the first administrator; an earlier one is void.

        It is good for a day and for one use, and only while there is no user. The database holds its SHA-256.

        Raises:
            ConflictError: There is a user already.
        """
        letters = [secrets.choice(_ALPHABET) for _ in range(_GROUPS * _GROUP)]
        secret = "-".join("".join(letters[at : at + _GROUP]) for at in range(0, len(letters), _GROUP))
        expires_at = self._services.database.now() + timedelta(hours=SETUP_VALID_H)

        def work(session: Session) -> None:
            if not user_rows.is_empty(session):
                raise ConflictError(
                    N_("There is a user already, so nobody can become the first administrator."),
                    hint=N_("Add further users with “smartabsen user add NAME”."),
                )
            fact = {"sha256": _digest(secret), "expires_at": expires_at.isoformat()}
            meta.put(session, _SETUP, json.dumps(fact))
            audit_rows.append(session, actor=self._services.actor, action="user.setup_secret")

        self._services.database.run_write(work)
        return secret

    def set_up(self, secret: str, name: str, password: str) -> User:
        """Make the first administrator; of several people with the secret at once, one succeeds.

        Raises:
            NotFoundError: The secret is wrong, used or expired, or there is a user already; it is not said which.
            InvalidInputError: The name has another form, or the password is too easily guessed.
        """
        name = user_rows.checked_name(name)
        hashed = _hashed(password, name)

        def work(session: Session) -> User:
            fact = meta.find(session, _SETUP)
            good = (
                fact is not None and _is_setup_secret(secret, fact, now=moment(session)) and user_rows.is_empty(session)
            )
            if not good or not meta.compare_and_set(session, _SETUP, expected=fact, value=_USED):
                raise NotFoundError(
                    N_("This setup secret is not valid."),
                    hint=N_("Make a new one on the server: smartabsen user setup"),
                )
            user = user_rows.add(session, name=name, role=Role.ADMIN, password_hash=hashed)
            audit_rows.append(session, actor=user.name, action="user.setup", subject=user.name)
            return user

        try:
            return self._services.database.run_write(work)
        except NotFoundError:
            self._services.security.note(SecurityKind.TOKEN_REFUSED, reason="setup")
            raise

    def _change(self, name: str, *, active: bool) -> User:
        def work(session: Session) -> User:
            if not active:
                _keep_an_admin(session, user_rows.get(session, name))
            user = user_rows.set_active(session, name, active=active)
            self._note(session, "user.enable" if active else "user.disable", user)
            return user

        return self._without_sessions(self._services.database.run_write(work))

    def _without_sessions(self, user: User) -> User:
        # They are no good any more by ``sessions_valid_from``; this takes them away as well.
        self._services.web_sessions.revoke_user(user.id)
        return user

    def _note(self, session: Session, action: str, user: User, **details: str) -> None:
        account_events.account_changed(
            self._services.security, session, self._services.actor, action=action, name=user.name, details=details
        )


def _hashed(password: str, name: str) -> str:
    passwords.check_strength(password, name=name)
    return passwords.hash_password(password)


def _keep_an_admin(session: Session, user: User) -> None:
    if user.role is Role.ADMIN and user.active and user_rows.count_admins(session) < 2:
        raise ConflictError(
            N_("“{name}” is the last administrator who can sign in."),
            hint=N_("Make another one first: smartabsen user add NAME --role admin"),
            name=user.name,
        )


def _digest(secret: str) -> str:
    plain = "".join(letter for letter in secret.upper() if letter.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def _is_setup_secret(secret: str, fact: str, *, now: datetime) -> bool:
    if fact == _USED:
        return False
    stored = parse_json(fact)
    fresh = now < datetime.fromisoformat(stored["expires_at"])
    return hmac.compare_digest(_digest(secret), stored["sha256"]) and fresh

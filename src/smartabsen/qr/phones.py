"""Phones of employees: pairing, revoking, and punches by phone and PIN for people without a face template."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import threading
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Final

from ..app.bootstrap import Services
from ..attendance.punch import punch_by_pin
from ..kernel.domain import Employee, PairedPhone, Pairing, PhoneCredential, PunchResult, SecurityKind
from ..kernel.errors import ConflictError, DeniedError, InvalidInputError, NotFoundError, TooManyTriesError
from ..kernel.i18n import N_
from ..org.addresses import public_url
from ..org.hashing import HASHING
from ..people import employee_rows
from ..store.clock import moment
from ..store.database import Database, Session
from ..trust import audit_rows
from . import phone_rows, pin_rows
from .pin_rows import PinClaim, PinHasher, PinTry
from .render import svg_qr
from .signin import POLL_S
from .terminal import Terminal

PAIRING_LIFETIME: Final = timedelta(minutes=10)
_PIN: Final = re.compile(r"[0-9]{6}")


class Phones:
    """The paired phones of this installation.

    Args:
        services: Its parts.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    # --- pairing -------------------------------------------------------------------------------------------

    def token_of(self, browser: str, nonce: str) -> str:
        """Return the token of an invitation that one browser makes, and can show again; it is stored nowhere.

        Whoever reads the database finds the nonce, but has neither the server's secret nor what the browser holds.

        Args:
            browser: What only that browser has: the id of its session.
            nonce: Random, other for each invitation.
        """
        text = f"smartabsen invitation:{browser}:{nonce}"
        digest = hmac.new(self._services.secret.derive("invitation"), text.encode(), hashlib.sha384).digest()
        return base64.urlsafe_b64encode(digest).decode()

    def start_pairing(self, code: str, *, actor: str = "", token: str = "") -> Pairing:
        """Invite an employee to pair a phone: once, within ten minutes. An earlier invitation of theirs is dead.

        Args:
            code: The employee's code.
            actor: Who does it, for the audit trail; the user of the operating system by default.
            token: As :meth:`token_of` gives it; a random one by default.

        Raises:
            NotFoundError: There is no such employee.
            ConflictError: The employee is inactive.
        """
        token = token or secrets.token_urlsafe(48)
        now = self._services.database.now()
        expires_at = now + PAIRING_LIFETIME

        def work(session: Session) -> Employee:
            employee = employee_rows.get(session, code)
            _check_active(employee)
            phone_rows.invite(session, employee.id, token=token, now=now, expires_at=expires_at)
            audit_rows.append(session, actor=self._actor(actor), action="phone.invite", subject=employee.code)
            return employee

        return self._pairing(token, self._services.database.run_write(work), expires_at)

    def find_pairing(self, token: str) -> Pairing | None:
        """Return the invitation with that token while it can be used; changes nothing."""
        with self._services.database.read() as session:
            found = phone_rows.find_invitation(session, token, now=moment(session))
        return None if found is None else self._pairing(token, *found)

    def complete_pairing(self, token: str, *, label: str = "") -> PhoneCredential:
        """Use an invitation up and pair the phone that shows its token.

        Args:
            label: What the phone calls itself, for lists.

        Returns:
            What the phone must keep; it is stored nowhere else.

        Raises:
            NotFoundError: The invitation is unknown, expired or used: not told apart.
        """
        credential = secrets.token_urlsafe(48)

        def work(session: Session) -> PairedPhone | None:
            phone = phone_rows.accept(session, token, credential=credential, label=label, now=moment(session))
            if phone is not None:
                code, details = phone.employee.code, {"phone": str(phone.id), "label": phone.label}
                audit_rows.append(session, actor=code, action="phone.pair", subject=code, details=details)
            return phone

        phone = self._services.database.run_write(work)
        if phone is None:
            self._services.security.note(SecurityKind.TOKEN_REFUSED, reason="pairing")
            raise NotFoundError(
                N_("This invitation to pair a phone is not valid."), hint=N_("Ask for a new one; each works once.")
            )
        return PhoneCredential(credential, phone.employee, phone.id)

    def render_svg(self, pairing: Pairing) -> str:
        """Return the invitation's QR as a standalone SVG document."""
        return svg_qr(pairing.url)

    def render_terminal(self, pairing: Pairing, terminal: Terminal) -> str:
        """Return the invitation's QR as lines of text.

        Raises:
            InvalidInputError: The terminal is too narrow.
        """
        return terminal.draw_qr(pairing.url)

    def wait(self, pairing: Pairing, *, stop: threading.Event, poll_s: float = POLL_S) -> PairedPhone | None:
        """Wait until a phone has used the invitation up, it has expired or ``stop`` is set; return the phone if any."""
        while self.find_pairing(pairing.token) is not None:
            if stop.wait(poll_s):
                return None
        started_at = pairing.expires_at - PAIRING_LIFETIME
        paired = [each for each in self.list_phones(pairing.employee.code) if each.created_at >= started_at]
        return paired[-1] if paired else None

    def _pairing(self, token: str, employee: Employee, expires_at: datetime) -> Pairing:
        url = f"{public_url(self._services.settings)}/pair?token={token}"
        return Pairing(url, token, employee, expires_at)

    # --- paired phones -------------------------------------------------------------------------------------

    def find_phone(self, credential: str) -> PairedPhone | None:
        """Return the phone that keeps this secret; None where it is unknown, was revoked, or its owner is inactive."""
        with self._services.database.read() as session:
            found = phone_rows.find_by_credential(session, credential)
        if found is None:
            self._services.security.note(SecurityKind.TOKEN_REFUSED, reason="phone")
        return found

    def list_phones(self, code: str | None = None) -> tuple[PairedPhone, ...]:
        """Return the paired phones of one employee or of all.

        Raises:
            NotFoundError: There is no such employee.
        """
        with self._services.database.read() as session:
            return phone_rows.find_all(session, None if code is None else employee_rows.get(session, code).id)

    def revoke(self, phone_id: int, *, actor: str = "") -> PairedPhone:
        """Revoke a phone for good, at once.

        Raises:
            NotFoundError: There is none with that number.
        """

        def work(session: Session) -> PairedPhone:
            phone = phone_rows.revoke(session, phone_id, at=moment(session))
            details = {"phone": str(phone.id), "label": phone.label}
            audit_rows.append(
                session,
                actor=self._actor(actor),
                action="phone.revoke",
                subject=phone.employee.code,
                details=details,
            )
            return phone

        return self._services.database.run_write(work)

    # --- PINs ----------------------------------------------------------------------------------------------

    def has_pin(self, code: str) -> bool:
        """Say whether an employee has a PIN. Raises NotFoundError."""
        with self._services.database.read() as session:
            return pin_rows.exists(session, employee_rows.get(session, code).id)

    def set_pin(self, code: str, pin: str, *, actor: str = "") -> Employee:
        """Give an employee a PIN of six digits in place of the one before; a lock is lifted.

        Raises:
            NotFoundError: There is no such employee.
            InvalidInputError: It is not six digits, or one that everybody tries first.
        """
        _check_pin(pin)
        with self._services.database.read() as session:
            employee = employee_rows.get(session, code)
        pin_hash = self._hasher.hash(employee.id, pin)

        def work(session: Session) -> None:
            pin_rows.put(session, employee.id, pin_hash=pin_hash, key_id=self._hasher.key_id, now=moment(session))
            audit_rows.append(session, actor=self._actor(actor), action="pin.set", subject=employee.code)

        self._services.database.run_write(work)
        return employee

    def remove_pin(self, code: str, *, actor: str = "") -> Employee:
        """Take an employee's PIN away.

        Raises:
            NotFoundError: There is no such employee, or no PIN.
        """

        def work(session: Session) -> Employee:
            employee = employee_rows.get(session, code)
            if not pin_rows.remove(session, employee.id):
                raise _no_pin(employee)
            audit_rows.append(session, actor=self._actor(actor), action="pin.remove", subject=employee.code)
            return employee

        return self._services.database.run_write(work)

    def punch_by_pin(self, phone: PairedPhone, pin: str, *, key: str) -> PunchResult:
        """Record a punch for the owner of a paired phone who types the PIN.

        Each try counts as a wrong one before the PIN is compared, so many at once do not get past the limit.

        Args:
            phone: As :meth:`find_phone` gave it.
            key: Idempotency key of the attempt.

        Raises:
            DeniedError: The PIN is wrong, or the phone was revoked.
            TooManyTriesError: Five wrong ones in a row lock it for 15 minutes, 20 until a new one is set.
            NotFoundError: The employee has no PIN.
            ConflictError: The employee is inactive, or the PIN was set under another secret of the server.
            BusyError: Too many people are signing in; the try does not count.
        """
        owner = phone.employee
        try:
            # The turn at hashing comes first: who gets none has not tried.
            with HASHING.turn():
                claim = self._services.database.run_write(lambda session: self._begin_try(session, phone))
                right = self._hasher.matches(owner.id, pin, claim.pin_hash)
        except DeniedError as error:
            reason = "locked" if isinstance(error, TooManyTriesError) else "phone"
            self._services.security.note(SecurityKind.PIN_REFUSED, reason=reason, phone=str(phone.id))
            raise
        if not right:
            self._note_wrong_pin(phone, claim)
            raise DeniedError(N_("The PIN is wrong."), hint=N_("Try again, or ask for a new one."))
        return punch_by_pin(self._services, owner, key=key, claim=claim, phone_id=phone.id)

    def _begin_try(self, session: Session, phone: PairedPhone) -> PinClaim:
        now = moment(session)
        if not phone_rows.use(session, phone.id, at=now):
            raise DeniedError(N_("This phone is not paired any more."), hint=N_("Ask to pair it again."))
        claim = pin_rows.begin_try(session, phone.employee.id, key_id=self._hasher.key_id, now=now)
        if claim.verdict is PinTry.ALLOWED:
            return claim
        if claim.verdict is PinTry.MISSING:
            # Said on the phone: its owner has no terminal.
            raise _no_pin(phone.employee, hint=N_("Ask your administrator for one, or use the camera."))
        if claim.verdict is PinTry.FOREIGN:
            raise ConflictError(
                N_("The PIN was set under another secret of the server and cannot be checked."),
                hint=N_("Ask your administrator to set a new PIN."),
            )
        if claim.locked_until is None:
            raise TooManyTriesError(
                N_("Too many wrong PINs: the PIN is blocked."),
                hint=N_("Ask your administrator for a new one, or use the camera."),
                seconds=0,
            )
        seconds = int((claim.locked_until - now).total_seconds()) + 1
        raise TooManyTriesError(
            N_("Too many wrong PINs."),
            hint=N_("Try again in {minutes} minutes, use the camera, or ask your administrator."),
            minutes=-(-seconds // 60),
            seconds=seconds,
        )

    def _note_wrong_pin(self, phone: PairedPhone, claim: PinClaim) -> None:
        if claim.fills:
            self._services.database.run_write(lambda session: _note_lock(session, phone, claim))
        self._services.security.note(SecurityKind.PIN_REFUSED, reason="wrong", phone=str(phone.id))

    @cached_property
    def _hasher(self) -> PinHasher:
        return PinHasher(self._services.secret.derive("pin"))

    def _actor(self, actor: str) -> str:
        return actor or self._services.actor


def _note_lock(session: Session, phone: PairedPhone, claim: PinClaim) -> None:
    """Write the one entry of a lock; wrong PINs before it are lines of the security log."""
    owner = phone.employee
    if pin_rows.stays_locked(session, owner.id, pin_hash=claim.pin_hash):
        details = {"phone": str(phone.id), "tries": str(claim.tries)}
        action = "pin.locked" if claim.tries < pin_rows.MAX_FAILURES else "pin.blocked"
        audit_rows.append(session, actor=owner.code, action=action, subject=owner.code, details=details)


def _check_active(employee: Employee) -> None:
    if not employee.active:
        raise ConflictError(
            N_("{name} ({code}) is not active and cannot punch."),
            hint=N_("Activate the employee first."),
            name=employee.name,
            code=employee.code,
        )


def carry_revocations(services: Services, live: Database, restored: Database) -> None:
    """Revoke in a database that is about to take the place of the live one what was revoked since it was made.

    A lost phone stays worth nothing. Phones are matched by what they keep: row ids are given out again.

    Raises:
        DatabaseError: One of both does not answer.
    """
    if live.path is not None and not live.path.exists():
        return
    with live.read() as session:
        revoked = [(row.credential, row.revoked_at) for row in phone_rows.revoked(session)]

    def work(session: Session) -> None:
        for credential, at in revoked:
            phone = phone_rows.revoke_as_elsewhere(session, credential, at=at or moment(session))
            if phone is not None:
                details = {"phone": str(phone.id), "label": phone.label}
                code = phone.employee.code
                audit_rows.append(session, actor=services.actor, action="phone.revoke", subject=code, details=details)

    if revoked:
        restored.run_write(work)


def _check_pin(pin: str) -> None:
    if not _PIN.fullmatch(pin):
        raise InvalidInputError(N_("A PIN is six digits."))
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    if steps in ({0}, {1}, {9}) or len(set(pin)) < 3:
        raise InvalidInputError(N_("This PIN is too easy to guess."), hint=N_("Choose one with other digits."))


def _no_pin(employee: Employee, *, hint: str = N_("“smartabsen phone pin {code}” sets one.")) -> NotFoundError:
    return NotFoundError(
        N_("{name} ({code}) has no PIN."),
        hint=hint,
        name=employee.name,
        code=employee.code,
    )

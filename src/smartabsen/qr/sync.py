"""Signing in with a phone: the two secrets, who may use which, and how often.

A browser asks to sign in and shows a QR code. What the code carries (the token) lets a phone *confirm*; only the
session that asked can *collect*. Whoever photographs the code can do neither more nor learn how the request stands.
The flow is that of RFC 8628 (device authorisation), with a number to compare as in its section 5.4 and BCP 247.

- The store gets the SHA-256 of the token, and keyed hashes of the access code and of the session.
- One atomic change in the store decides each step; looking changes nothing.
- Unknown, expired, used and foreign secrets get the same answer.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Protocol

from ..domain import (
    PairedPhone,
    SignInAsk,
    SignInGrant,
    SignInRequest,
    SignInState,
    StoredSignIn,
    VerifyOutcome,
)
from ..errors import ConflictError, InvalidInputError
from ..i18n import N_

LIFETIME: Final = timedelta(minutes=10)
"""A request that nobody answered is dead after it."""
COLLECT_WITHIN: Final = timedelta(minutes=2)
"""A confirmed request that nobody collected is dead after it."""
CODE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Twenty consonants (RFC 8628, section 6.1): no words, and nothing that looks like a digit."""
CODE_LENGTH: Final = 8
CODE_TRIES: Final = 5
"""Wrong access codes that one client may try within :data:`LIFETIME`."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{64}")
_CODE: Final = re.compile(f"[{CODE_LETTERS}]{{{CODE_LENGTH}}}")

SecretKind = Literal["token", "code", "session"]
"""Which hash of a request is looked up."""


class SignInStore(Protocol):
    """Keeps requests, for all processes. :mod:`smartabsen.qr.memory` is the reference."""

    def add(self, request: StoredSignIn) -> bool:
        """Keep a new request in place of its session's earlier one; False where another one has its code."""
        ...

    def find(self, kind: SecretKind, digest: str) -> StoredSignIn | None:
        """Return the request with that hash, whatever its state and age. Changes nothing."""
        ...

    def settle(
        self, token_hash: str, state: SignInState, *, now: datetime, expires_at: datetime, phone: PairedPhone | None
    ) -> bool:
        """Answer a request that is pending and not expired, in one step; False where it was not, or is not any more."""
        ...

    def collect(self, session_hash: str, *, now: datetime) -> StoredSignIn | None:
        """Use up a session's verified request that is not expired, in one step; None where there was none."""
        ...

    def sweep(self, *, now: datetime) -> int:
        """Remove what has expired and return how many."""
        ...


class TryCounter(Protocol):
    """Counts tries where all processes see them."""

    def hit(self, key: str, *, limit: int, per_s: int) -> int:
        """Count one; 0 where it is allowed, else the seconds to wait."""
        ...

    def give_back(self, key: str) -> None:
        """Take one back."""
        ...


def _do_now(work: Callable[[], object]) -> None:
    work()


class QRSyncManager:
    """Requests to sign in: made by a browser, answered by a phone, collected by the browser that asked.

    Args:
        store: Keeps them, for all processes.
        tries: Counts wrong access codes, for all processes.
        public_url: Address of the server as phones reach it, as ``https://absen.example.com``.
        key: The server's secret, at least 32 bytes: the same wherever requests are made and answered.
        paired_only: Only paired phones may answer.
        clock: Gives the present instant (UTC, aware).
        tidy: Does the work of removing what has expired, or has it done beside.

    Attributes:
        public_url: As given, without a slash at its end.
    """

    def __init__(
        self,
        store: SignInStore,
        tries: TryCounter,
        *,
        public_url: str,
        key: bytes,
        paired_only: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        tidy: Callable[[Callable[[], object]], None] = _do_now,
    ) -> None:
        if len(key) < 32:
            raise InvalidInputError(N_("The server's secret needs at least 32 bytes."))
        self._store = store
        self._tries = tries
        self.public_url = public_url.rstrip("/")
        self._key = key
        self._paired_only = paired_only
        self._clock = clock
        self._tidy = tidy

    def generate_qr_code(self, session: str, *, kiosk: str, place: str = "") -> SignInRequest:
        """Make a request for a browser session; the session's earlier one is dead from now on.

        Args:
            session: What only the asking browser has, as its session id; it is needed to collect.
            kiosk, place: Who asks, shown on the phone.

        Raises:
            DatabaseError: The store does not answer.
        """
        self._tidy(self.cleanup_expired)
        now = self._clock()
        for _ in range(5):
            token = secrets.token_urlsafe(48)
            code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
            request = SignInRequest(
                id=self._id_of(_sha256(token)),
                url=f"{self.public_url}/verify_qr?token={token}",
                token=token,
                access_code=f"{code[:4]}-{code[4:]}",
                number=10 + secrets.randbelow(90),
                kiosk=kiosk,
                place=place,
                created_at=now,
                expires_at=now + LIFETIME,
            )
            if self._store.add(self._stored(request, code=code, session=session)):
                return request
        raise ConflictError(N_("No free access code was found."), hint=N_("Try again in a moment."))

    def find_ask(self, secret: str, *, client: str | None = None) -> SignInAsk | None:
        """Return who asks, while the request can be answered; None for everything else.

        With a token nothing is written, however often it is called: use it for GET. Access codes can be guessed, so
        they are looked at only with ``client``, and wrong ones are counted: use that for POST.

        Args:
            secret: The token, or the access code as it was typed.
            client: Who typed the code, as an address or a paired phone; None takes tokens only.
        """
        if client is None and not _TOKEN.fullmatch(secret):
            return None
        found = self._find(secret, client or "")
        if found is None:
            return None
        return SignInAsk(found.kiosk, found.place, found.created_at, found.expires_at)

    def verify_qr_code(
        self,
        secret: str,
        *,
        number: int | None,
        decline: bool = False,
        phone: PairedPhone | None = None,
        client: str = "",
    ) -> VerifyOutcome:
        """Answer a request, once. A wrong number ends it: whoever cannot see the other screen gets no second try.

        Args:
            secret: The token, or the access code as it was typed.
            number: The number seen on the other screen; not needed to decline.
            decline: The person did not ask for it.
            phone: The paired phone that answers, where it is one.
            client: Who typed the access code, as for :meth:`find_ask`: after five wrong ones none is taken for a while.

        Raises:
            InvalidInputError: Neither a number nor ``decline`` is given; the request lives on.
        """
        if number is None and not decline:
            raise InvalidInputError(
                N_("The number is missing."), hint=N_("Type the number that the other screen shows.")
            )
        if phone is None and self._paired_only:
            return VerifyOutcome.PHONE_NOT_PAIRED
        found = self._find(secret, client)
        if found is None:
            return VerifyOutcome.INVALID
        if decline:
            outcome, state = VerifyOutcome.DECLINED, SignInState.DECLINED
        elif hmac.compare_digest(str(number), str(found.number)):
            outcome, state = VerifyOutcome.CONFIRMED, SignInState.VERIFIED
        else:
            outcome, state = VerifyOutcome.WRONG_NUMBER, SignInState.WRONG_NUMBER
        now = self._clock()
        expires_at = now + COLLECT_WITHIN if state is SignInState.VERIFIED else found.expires_at
        if not self._store.settle(found.token_hash, state, now=now, expires_at=expires_at, phone=phone):
            return VerifyOutcome.INVALID
        return outcome

    def get_verification_status(self, session: str, *, request_id: str = "") -> SignInState:
        """Return how the request of a browser session stands. Reads one row and writes nothing.

        Args:
            request_id: Which of the session's requests is meant; the latest by default.
        """
        found = self._store.find("session", self._keyed("session", session))
        if found is None or found.expires_at <= self._clock():
            return SignInState.DEAD
        if request_id and not hmac.compare_digest(request_id.encode(), self._id_of(found.token_hash).encode()):
            return SignInState.REPLACED
        return found.state

    def collect(self, session: str) -> SignInGrant | None:
        """Return what the phone granted, once and only to the session that asked; None where there is nothing.

        A phone that was revoked after its confirmation grants nothing.
        """
        found = self._store.collect(self._keyed("session", session), now=self._clock())
        if found is None or (self._paired_only and found.employee is None):
            return None
        return SignInGrant(found.employee)

    def cleanup_expired(self) -> int:
        """Remove expired requests and return how many; :meth:`generate_qr_code` does it by itself."""
        return self._store.sweep(now=self._clock())

    def _find(self, secret: str, client: str) -> StoredSignIn | None:
        if _TOKEN.fullmatch(secret):
            return self._if_open(self._store.find("token", _sha256(secret)))
        code = re.sub(r"[\s-]", "", secret).upper()
        if not _CODE.fullmatch(code):
            return None
        # Counted before it is looked at: many guesses at once do not get past the limit.
        key = f"access-code:{client}"
        if self._tries.hit(key, limit=CODE_TRIES, per_s=int(LIFETIME.total_seconds())):
            return None
        found = self._if_open(self._store.find("code", self._keyed("code", code)))
        if found is not None:
            self._tries.give_back(key)
        return found

    def _if_open(self, found: StoredSignIn | None) -> StoredSignIn | None:
        # Spares a write transaction; what decides between processes is the store's own condition.
        still = found is not None and found.state is SignInState.PENDING and found.expires_at > self._clock()
        return found if still else None

    def _stored(self, request: SignInRequest, *, code: str, session: str) -> StoredSignIn:
        return StoredSignIn(
            token_hash=_sha256(request.token),
            code_hash=self._keyed("code", code),
            session_hash=self._keyed("session", session),
            number=request.number,
            kiosk=request.kiosk,
            place=request.place,
            created_at=request.created_at,
            expires_at=request.expires_at,
        )

    def _id_of(self, token_hash: str) -> str:
        name = f"smartabsen sign-in id:{token_hash}"
        return hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()[:16]

    def _keyed(self, kind: SecretKind, value: str) -> str:
        return hmac.new(self._key, f"smartabsen sign-in {kind}:{value}".encode(), hashlib.sha256).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

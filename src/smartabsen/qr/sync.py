"""Signing in with a phone: the two secrets, who may use which, and how often.

A browser asks to sign in and shows a QR code. What the code carries (the token) lets a phone *confirm*; only the
session that asked can *collect*. Whoever photographs the code can do neither more nor learn how the request stands.
The flow is that of RFC 8628 (device authorisation), with a number to compare as in its section 5.4 and BCP 247.

- The store gets the SHA-256 of the token, and keyed hashes of the access code and of the session.
- One atomic change in the store decides each step; looking changes nothing.
- Unknown, expired, used and foreign secrets get the same answer.
- An address has so many places for requests that wait. A full one gives a place to a browser that shows it is there: by
  asking how its request stands, which whoever asks for codes without end does not do (:func:`find_place`). Until then
  its request is a draft that nobody keeps.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import math
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Protocol

from ..kernel.domain import (
    FoundPlace,
    Kept,
    PairedPhone,
    PlaceHolder,
    SignInAsk,
    SignInDraft,
    SignInGrant,
    SignInRequest,
    SignInState,
    StoredSignIn,
    VerifyOutcome,
    find_place,
)
from ..kernel.errors import ConflictError, InvalidInputError, TooManyTriesError
from ..kernel.i18n import N_

LIFETIME: Final = timedelta(minutes=10)
"""A request that nobody answered is dead after it."""
COLLECT_WITHIN: Final = timedelta(minutes=2)
"""A confirmed request that nobody collected is dead after it."""
CODE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Twenty consonants (RFC 8628, section 6.1): no words, and nothing that looks like a digit."""
CODE_LENGTH: Final = 8
CODE_TRIES: Final = 5
"""Wrong access codes that one client may try within :data:`LIFETIME`."""
PLACES: Final = 20
"""Requests that wait at one address, unless it is set otherwise."""
NOTE_EVERY: Final = timedelta(seconds=10)
"""That a browser asks how its request stands is noted so often, and not more."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{64}")
_CODE: Final = re.compile(f"[{CODE_LETTERS}]{{{CODE_LENGTH}}}")

SecretKind = Literal["token", "code", "session"]
"""Which hash of a request is looked up."""


class SignInStore(Protocol):
    """Keeps requests, for all processes. :mod:`smartabsen.qr.memory` is the reference."""

    def add(self, request: StoredSignIn, *, places: Sequence[str] = ()) -> Kept:
        """Keep a new request in place of its session's earlier one, in one step.

        Args:
            places: Of the address that asks: the request gets the one that :func:`find_place` finds, and whose it was
                is gone. Without any it holds none.
        """
        ...

    def find_holders(self, places: Sequence[str]) -> tuple[PlaceHolder, ...]:
        """Return the requests that hold one of these places, whatever their age. Changes nothing."""
        ...

    def note_asked(self, token_hash: str, *, now: datetime) -> None:
        """Note when its browser asked how a request stands."""
        ...

    def find(self, kind: SecretKind, digest: str) -> StoredSignIn | None:
        """Return the request with that hash, whatever its state and age. Changes nothing."""
        ...

    def settle(
        self, token_hash: str, state: SignInState, *, now: datetime, expires_at: datetime, phone: PairedPhone | None
    ) -> bool:
        """Answer a request that is pending and not expired, in one step; False where it was not, or is not any more.

        It holds no place from now on.
        """
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
        places: Requests that may wait at one address.
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
        places: int = PLACES,
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
        self._places = places
        self._clock = clock
        self._tidy = tidy

    def generate_qr_code(self, session: str, *, kiosk: str, place: str = "", address: str = "") -> SignInRequest:
        """Make a request for a browser session; the session's earlier one is dead from now on.

        Args:
            session: What only the asking browser has, as its session id; it is needed to collect.
            kiosk, place: Who asks, shown on the phone.
            address: Where the browser is: so many requests wait there at most, see :func:`find_place`. Empty for a
                terminal: nobody else can ask there.

        Raises:
            DatabaseError: The store does not answer.
            TooManyTriesError: All places at the address are held by others who are left undisturbed for now.
        """
        self._tidy(self.cleanup_expired)
        for _ in range(5):
            request, draft = self.draft(kiosk=kiosk, place=place)
            stored = _stored(draft, self._keyed("session", session), kiosk=kiosk, place=place)
            kept = self._store.add(stored, places=self._places_at(address))
            if kept is Kept.YES:
                return request
            if kept is Kept.NO_PLACE:
                # Says for how long, unless somebody has left meanwhile.
                self.has_free_place(address)
        raise ConflictError(N_("No free access code was found."), hint=N_("Try again in a moment."))

    def has_free_place(self, address: str) -> bool:
        """Tell whether one more request at an address can be kept without taking another one's place. Reads only.

        Raises:
            TooManyTriesError: There is no place, and none can be taken for now.
        """
        found = self._find_place(address)
        if found.free_in:
            raise TooManyTriesError(
                N_("Many people are signing in here at once."),
                hint=N_("Wait a moment: this page tries again by itself."),
                seconds=math.ceil(found.free_in.total_seconds()),
            )
        return not found.displaced

    def draft(self, *, kiosk: str, place: str = "") -> tuple[SignInRequest, SignInDraft]:
        """Make a request that nobody keeps: no phone can answer it before :meth:`keep_draft`. Writes nothing.

        Returns:
            What the browser shows, and what it brings along to have it kept.
        """
        now, token = self._clock(), secrets.token_urlsafe(48)
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        token_hash = _sha256(token)
        request = SignInRequest(
            id=self._id_of(token_hash),
            url=f"{self.public_url}/verify_qr?token={token}",
            token=token,
            access_code=f"{code[:4]}-{code[4:]}",
            number=10 + secrets.randbelow(90),
            kiosk=kiosk,
            place=place,
            created_at=now,
            expires_at=now + LIFETIME,
        )
        return request, SignInDraft(request.id, token_hash, self._keyed("code", code), request.number, now)

    def can_keep(self, draft: SignInDraft, *, address: str) -> bool:
        """Tell whether a draft is not expired, was never kept, and finds a place now. Reads only."""
        return (
            self._clock() < draft.created_at + LIFETIME
            and self._store.find("token", draft.token_hash) is None
            and not self._find_place(address).free_in
        )

    def keep_draft(self, draft: SignInDraft, session: str, *, kiosk: str, place: str = "", address: str) -> bool:
        """Keep the draft of a browser that asks how it stands, in the place of whoever is missed least.

        Args:
            draft: From :meth:`draft`, and from nobody else.
            session, kiosk, place, address: As for :meth:`generate_qr_code`.

        Returns:
            False where it cannot be kept; another one has to be made.
        """
        self._tidy(self.cleanup_expired)
        stored = _stored(draft, self._keyed("session", session), kiosk=kiosk, place=place)
        asked = dataclasses.replace(stored, asked_at=self._clock())
        return self._store.add(asked, places=self._places_at(address)) is Kept.YES

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
        """Return how the request of a browser session stands. Reads one row.

        Where the request holds a place at an address it is noted now and then that its browser asks: whoever does not
        ask loses the place first.

        Args:
            request_id: Which of the session's requests is meant; the latest by default.
        """
        found = self._store.find("session", self._keyed("session", session))
        now = self._clock()
        if found is None or found.expires_at <= now:
            return SignInState.DEAD
        if request_id and not hmac.compare_digest(request_id.encode(), self._id_of(found.token_hash).encode()):
            return SignInState.REPLACED
        if found.waits_at and (found.asked_at is None or now - found.asked_at >= NOTE_EVERY):
            self._store.note_asked(found.token_hash, now=now)
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

    def _find_place(self, address: str) -> FoundPlace:
        places = self._places_at(address)
        return find_place(places, self._store.find_holders(places), now=self._clock())

    def _places_at(self, address: str) -> tuple[str, ...]:
        if not address:
            return ()
        return tuple(self._keyed("place", f"{address} {number}") for number in range(self._places))

    def _id_of(self, token_hash: str) -> str:
        name = f"smartabsen sign-in id:{token_hash}"
        return hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()[:16]

    def _keyed(self, kind: Literal[SecretKind, "place"], value: str) -> str:
        return hmac.new(self._key, f"smartabsen sign-in {kind}:{value}".encode(), hashlib.sha256).hexdigest()


def _stored(draft: SignInDraft, session_hash: str, *, kiosk: str, place: str) -> StoredSignIn:
    return StoredSignIn(
        token_hash=draft.token_hash,
        code_hash=draft.code_hash,
        session_hash=session_hash,
        number=draft.number,
        kiosk=kiosk,
        place=place,
        created_at=draft.created_at,
        expires_at=draft.created_at + LIFETIME,
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

"""Signing in with a phone: requests, phones, sessions of browsers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from .people import Employee
from .words import Role

WATCHED_WITHIN: Final = timedelta(seconds=30)
"""A request whose browser has not asked for so long is one that nobody waits for; pages ask every five seconds."""
UNDISTURBED: Final = timedelta(seconds=60)
"""A request whose browser asks keeps its place for so long: time to scan the code and to type the number."""


class SignInState(StrEnum):
    """How a request to sign in stands, as the browser that made it may know."""

    PENDING = "pending"
    VERIFIED = "verified"
    DECLINED = "declined"
    WRONG_NUMBER = "wrong_number"
    """Ended by a wrong number, typed on the phone."""
    REPLACED = "replaced"
    """The session has made another request since, as in another window of the same browser."""
    DEAD = "dead"
    """Expired, collected, or never made: not told apart."""


class VerifyOutcome(StrEnum):
    """What became of a phone's answer to a request."""

    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WRONG_NUMBER = "wrong_number"
    INVALID = "invalid"
    """The request is unknown, expired, answered already, or the code was tried too often: not told apart."""
    PHONE_NOT_PAIRED = "phone_not_paired"


class Kept(StrEnum):
    """What became of a request that a store was to keep."""

    YES = "yes"
    DUPLICATE = "duplicate"
    """Another request has its token, code or session."""
    NO_PLACE = "no_place"
    """All places at its address are held by requests that are left undisturbed for now."""


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """A request to sign in, as the browser that made it shows it. Only this object knows the token.

    Attributes:
        id: Tells it apart from the session's other requests; no secret.
        url: What the QR code carries; the token is in it.
        token: 64 random characters: lets a phone answer, never collect.
        access_code: The same for phones without a camera, as ``BCDF-GHJK``.
        number: 10 to 99, to be compared and typed by the person.
        kiosk, place: Who asks, as the phone shows it.
        created_at, expires_at: UTC.
    """

    id: str
    url: str = field(repr=False)
    token: str = field(repr=False)
    access_code: str = field(repr=False)
    number: int = field(repr=False)
    kiosk: str
    place: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignInAsk:
    """What a phone sees of a request before it answers: who asks, and until when (UTC)."""

    kiosk: str
    place: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignInGrant:
    """What the asking browser collects, once.

    Attributes:
        employee: Whose paired phone confirmed; None where an unpaired one did and that is allowed.
    """

    employee: Employee | None


@dataclass(frozen=True, slots=True)
class StoredSignIn:
    """A request as a store keeps it: hashes in place of the secrets.

    Attributes:
        token_hash: SHA-256 of the token, hex.
        code_hash, session_hash: Keyed hashes of the access code and of the asking browser's session, hex.
        state: PENDING, VERIFIED, DECLINED, WRONG_NUMBER or DEAD.
        employee: Whose paired phone confirmed, where one did and both are still active.
        waits_at: Keyed hash of an address and of one of its places, which it holds while it is pending; empty where
            nobody counts.
        asked_at: When its browser last asked how it stands, UTC, as far as that was noted.
    """

    token_hash: str
    code_hash: str
    session_hash: str
    number: int
    kiosk: str
    place: str
    created_at: datetime
    expires_at: datetime
    state: SignInState = SignInState.PENDING
    employee: Employee | None = None
    waits_at: str = ""
    asked_at: datetime | None = None

    @property
    def seen_at(self) -> datetime:
        """When its browser was last heard of, as far as that was noted."""
        return self.asked_at or self.created_at


@dataclass(frozen=True, slots=True)
class SignInDraft:
    """A request whose code a browser shows and that no store keeps yet: hashes in place of the secrets.

    Attributes:
        id: As :attr:`SignInRequest.id`.
        token_hash, code_hash, number: As in :class:`StoredSignIn`.
        created_at: UTC.
    """

    id: str
    token_hash: str
    code_hash: str
    number: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PlaceHolder:
    """A request that holds a place at an address; attributes as in :class:`StoredSignIn`."""

    token_hash: str
    waits_at: str
    created_at: datetime
    expires_at: datetime
    asked_at: datetime | None

    def is_missed(self, now: datetime) -> bool:
        """Tell whether its browser has asked about it lately, and may do so again."""
        return now < self.expires_at and self.asked_at is not None and now - self.asked_at <= WATCHED_WITHIN


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """Where at an address one more request may wait.

    Attributes:
        waits_at: The place; empty where there is none, or where nobody counts.
        displaced: The request that loses it, by its token's hash; empty where it is free.
        free_in: Where there is none: how long until there is.
    """

    waits_at: str = ""
    displaced: str = ""
    free_in: timedelta = timedelta()


def find_place(places: Sequence[str], holders: Sequence[PlaceHolder], *, now: datetime) -> FoundPlace:
    """Find a place at an address: a free one, else that of the request that is missed least.

    Whoever asks for codes without end does not ask how each stands; a browser in front of a person does. So a request
    that nobody has asked about lately goes first, the one that was heard of longest ago before the others. Where all
    are asked about, the oldest goes, but none before it had the time to be confirmed.

    Args:
        places: All places of the address; none where nobody counts.
        holders: Who holds one of them.
    """
    taken = {each.waits_at for each in holders}
    free = next((each for each in places if each not in taken), None)
    if free is not None or not holders:
        return FoundPlace(free or "")
    idle = [each for each in holders if not each.is_missed(now)]
    if idle:
        longest = min(idle, key=lambda each: each.asked_at or each.created_at)
        return FoundPlace(longest.waits_at, longest.token_hash)
    oldest = min(holders, key=lambda each: each.created_at)
    left = oldest.created_at + UNDISTURBED - now
    if left > timedelta():
        return FoundPlace(free_in=left)
    return FoundPlace(oldest.waits_at, oldest.token_hash)


@dataclass(frozen=True, slots=True)
class PairedPhone:
    """A phone that belongs to an employee.

    Attributes:
        id: Row id.
        created_at: UTC, when it was paired.
        label: What it calls itself, as ``Android``; may be empty.
        last_used_at: UTC, when it last answered or punched.
    """

    id: int
    employee: Employee
    created_at: datetime
    label: str = ""
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pairing:
    """An invitation to pair a phone: valid once, until ``expires_at`` (UTC). Its QR carries ``url``, with the token."""

    url: str = field(repr=False)
    token: str = field(repr=False)
    employee: Employee
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PhoneCredential:
    """What a newly paired phone keeps: ``value`` is its secret, and stored nowhere else."""

    value: str = field(repr=False)
    employee: Employee
    phone_id: int


@dataclass(frozen=True, slots=True)
class WebSession:
    """What a browser's session on the server holds.

    Attributes:
        data: Plain JSON values.
        user_id: Who is logged in, None where nobody is.
        created_at: UTC.
    """

    data: dict[str, object]
    user_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session of a user that has not ended, as people see it.

    Attributes:
        id: What names it in lists; it opens nothing.
        began_at, last_seen_at, ends_at: UTC. It is noted a few times within the idle time that it was seen.
        address: From where the user signed in; empty where that is not known.
        label: What the browser calls itself, as ``Firefox, Windows``; empty where that is not known.
    """

    id: str
    began_at: datetime
    last_seen_at: datetime
    ends_at: datetime
    address: str
    label: str


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in to the dashboard. The password is nowhere but in the database, hashed.

    Attributes:
        name: In lower case, unique.
        active: Whether the user may sign in.
        created_at, last_login_at: UTC.
        locked_until: After too many wrong passwords, UTC: devices in which the user never signed in are kept out.
        sessions_valid_from: Sessions that began before this instant are over, UTC.
        must_change_password: Somebody else gave the password; nothing else can be done before it is changed.
        has_totp: A code of an authenticator app is asked for beside the password.
    """

    id: int
    name: str
    role: Role
    active: bool
    created_at: datetime
    last_login_at: datetime | None
    locked_until: datetime | None
    sessions_valid_from: datetime
    must_change_password: bool = False
    has_totp: bool = False

"""Signing in with a phone: requests, phones, sessions of browsers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .people import Employee
from .words import Role


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

"""Events of the security log, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class SecurityKind(StrEnum):
    """What happened, as a stable word. OWASP ASVS 5.0, 16.3, says which of them a log must have."""

    LOGIN = "login.ok"
    LOGIN_REFUSED = "login.refused"
    LOGOUT = "login.ended"
    ACCESS_DENIED = "access.denied"
    CSRF_REFUSED = "csrf.refused"
    REQUEST_REFUSED = "request.refused"
    RATE_LIMITED = "rate.limited"
    TOKEN_REFUSED = "token.refused"  # noqa: S105 - a word, no password
    PIN_REFUSED = "pin.refused"
    SIGN_IN_REFUSED = "signin.refused"
    FACE_REFUSED = "face.refused"
    KEY_REUSED = "key.reused"
    ERROR = "error.unexpected"
    UNAVAILABLE = "error.unavailable"
    SERVER_STARTED = "server.started"
    SERVER_STOPPED = "server.stopped"
    SETTINGS_CHANGED = "settings.changed"
    ACCOUNT = "account.changed"


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One line of the security log.

    Attributes:
        at: UTC.
        kind: A word of :class:`SecurityKind`, or one of another version of the program.
        address: Where the request came from; empty where there was none, ``*`` for many addresses at once.
        actor: The account that it concerns, where one is known.
        reason: Why, as a stable word: ``locked``, ``role``.
        place: The endpoint that was asked, without anything that the visitor wrote.
        count: How many events of this kind, address and reason the line stands for.
        more: Further facts, as text by name.
    """

    at: datetime
    kind: str
    address: str = ""
    actor: str = ""
    reason: str = ""
    place: str = ""
    count: int = 1
    more: Mapping[str, str] = field(default_factory=dict)

"""What a browser may do after a phone has confirmed its sign-in: record one attendance, within five minutes.

The grant lies in the server-side session. It keeps the answer that was given under its key, so that an answer lost on
the way is given again, and nothing else is. What decides between attempts at once is not the session but the database:
the punch is stored under the id of the grant, and there is one punch of a key.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask import session

from ..kernel.domain import SignInGrant
from ..kernel.i18n import _
from .faults import Problem
from .library import library
from .sessions import browser_session

LIFETIME: Final = timedelta(minutes=5)
_KEY: Final = "grant"


@dataclass(frozen=True, slots=True)
class Grant:
    """A confirmed sign-in.

    Attributes:
        id: Random; the idempotency key of its punch, for whom ever it is.
        code: Code of the employee whose paired phone confirmed; empty where any phone may.
        until: UTC.
        key: Idempotency key of the attempt that was recorded; empty before that.
        asked: Digest of what that attempt sent.
        answer: What it was answered.
    """

    id: str
    code: str
    until: datetime
    key: str = ""
    asked: str = ""
    answer: dict[str, Any] | None = None

    @property
    def seconds_left(self) -> int:
        """Whole seconds until it ends."""
        return max(0, int((self.until - library().now()).total_seconds()))


def take_grant(granted: SignInGrant) -> Grant:
    """Let the current browser record an attendance; its session gets a new id."""
    grant = Grant(
        id=secrets.token_hex(8),
        code=granted.employee.code if granted.employee else "",
        until=library().now() + LIFETIME,
    )
    browser_session().renew()
    _store(grant)
    return grant


def find_grant() -> Grant | None:
    """Return the grant of the current browser while it lasts."""
    kept = session.get(_KEY)
    if not isinstance(kept, dict):
        return None
    until = datetime.fromisoformat(kept["until"])
    grant = Grant(kept["id"], kept["code"], until, kept["key"], kept.get("asked", ""), kept["answer"])
    return grant if grant.seconds_left else None


def use_up(grant: Grant, *, key: str, asked: str, answer: dict[str, Any]) -> None:
    """Keep what an attempt sent and was answered; nothing else can be recorded with this grant."""
    _store(Grant(grant.id, grant.code, grant.until, key, asked, answer))


def signed_out() -> Problem:
    """Return what a browser is told whose grant has ended or was used."""
    return Problem("not_verified", _("The sign-in has ended."), _("Begin again with the QR code."))


def _store(grant: Grant) -> None:
    session[_KEY] = {
        "id": grant.id,
        "code": grant.code,
        "until": grant.until.isoformat(),
        "key": grant.key,
        "asked": grant.asked,
        "answer": grant.answer,
    }

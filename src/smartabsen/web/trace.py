"""What requests leave behind: the address that everything in them is written with, and refusals in the security log."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import Final

from flask import Flask, g, request

from ..app.facade import SmartAbsen
from ..kernel.actors import acting_as, coming_from
from ..kernel.domain import SecurityKind, User
from ..kernel.errors import KeyReusedError, SmartAbsenError
from .connection import visitor_address
from .library import library

_KINDS: Final = {
    400: SecurityKind.REQUEST_REFUSED,
    401: SecurityKind.ACCESS_DENIED,
    403: SecurityKind.ACCESS_DENIED,
    405: SecurityKind.REQUEST_REFUSED,
    413: SecurityKind.REQUEST_REFUSED,
    415: SecurityKind.REQUEST_REFUSED,
    429: SecurityKind.RATE_LIMITED,
}
"""Status to what the log calls it; pages that are not there are asked for by every browser, and are not logged."""
_CODES: Final = {"csrf": SecurityKind.CSRF_REFUSED, KeyReusedError.code: SecurityKind.KEY_REUSED}
"""Code of a problem to what the log calls it, whatever its status."""


def init_app(app: Flask, library: SmartAbsen) -> None:
    """Know the address of each request from its first moment to its last."""
    # A server in production has a service manager that keeps what it says; at a terminal people read it.
    library.security.to_journal = library.settings.server.production
    app.before_request(_begin)
    app.teardown_request(_end)


def note_failure(code: str, status: int, *, error: BaseException | None = None) -> None:
    """Write an answer that refuses, or that failed, to the security log.

    Args:
        code: Of the problem, as the visitor sees it.
        error: What happened, where it is a bug; the log gets the name of its class.
    """
    user: User | None = g.get("user")
    facts = {"actor": user.name if user is not None else "", "reason": code, "place": request.endpoint or ""}
    if error is not None:
        library().security.note(SecurityKind.ERROR, **facts, error=type(error).__name__)
        return
    if status >= 500:
        library().security.note(SecurityKind.ERROR if status == 500 else SecurityKind.UNAVAILABLE, **facts)
        return
    kind = _CODES.get(code) or _KINDS.get(status)
    if kind is None:
        return
    library().security.note(kind, **facts)
    if kind is SecurityKind.ACCESS_DENIED and user is not None:
        _note_in_trail(user)


def _note_in_trail(user: User) -> None:
    """Write to the audit trail that somebody who is known asked for what is not theirs, once in a while."""
    with suppress(SmartAbsenError), acting_as(user.name):
        # Where that fails, the security log has it.
        library().audit.note_denied(user.name, request.endpoint or "")


def _begin() -> None:
    g.from_address = ExitStack()
    g.from_address.enter_context(coming_from(visitor_address()))


def _end(_error: BaseException | None) -> None:
    stack: ExitStack | None = g.pop("from_address", None)
    if stack is not None:
        stack.close()
    library().security.tick()

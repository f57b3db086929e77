"""What people and scripts see of the security log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Final

from ..kernel.domain import SecurityEvent, SecurityKind
from ..kernel.i18n import N_, _
from .answer import one_line, print_json
from .data import Json
from .output import Column, Output

KINDS: Final[Mapping[str, str]] = {
    SecurityKind.LOGIN: N_("Logged in"),
    SecurityKind.LOGIN_REFUSED: N_("Login refused"),
    SecurityKind.LOGOUT: N_("Logged out"),
    SecurityKind.ACCESS_DENIED: N_("Access denied"),
    SecurityKind.CSRF_REFUSED: N_("Form without its token refused"),
    SecurityKind.REQUEST_REFUSED: N_("Request refused that no page makes"),
    SecurityKind.RATE_LIMITED: N_("Asked too often"),
    SecurityKind.TOKEN_REFUSED: N_("Invalid or used token"),
    SecurityKind.PIN_REFUSED: N_("PIN refused"),
    SecurityKind.SIGN_IN_REFUSED: N_("Sign-in refused"),
    SecurityKind.FACE_REFUSED: N_("Face or pictures refused"),
    SecurityKind.KEY_REUSED: N_("Key of another attempt used again"),
    SecurityKind.ERROR: N_("Unexpected error"),
    SecurityKind.UNAVAILABLE: N_("Could not be answered"),
    SecurityKind.SERVER_STARTED: N_("Server started"),
    SecurityKind.SERVER_STOPPED: N_("Server stopped"),
    SecurityKind.SETTINGS_CHANGED: N_("Security settings changed"),
    SecurityKind.ACCOUNT: N_("Account changed"),
}
"""Kind to what people call it."""


def event(value: SecurityEvent) -> Json:
    """One event."""
    return {
        "at": value.at.isoformat(),
        "kind": value.kind,
        "address": value.address,
        "actor": value.actor,
        "reason": value.reason,
        "place": value.place,
        "count": value.count,
        "more": dict(value.more),
    }


def show_events(out: Output, events: Sequence[SecurityEvent], zone: tzinfo) -> None:
    """Print events as a table."""
    columns = (
        Column(_("Time"), whole=True),
        Column(_("Event")),
        Column(_("Kind")),
        Column(_("Address"), whole=True),
        Column(_("Who")),
        Column(_("Times"), number=True),
        Column(_("Details")),
    )
    rows = [
        (
            f"{each.at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            describe(each),
            one_line(each.kind),
            _address(each),
            one_line(each.actor),
            str(each.count),
            _details(each),
        )
        for each in events
    ]
    out.table(columns, rows, empty=_("No event matches."))


def show_event(out: Output, value: SecurityEvent, zone: tzinfo) -> None:
    """Print one event on a line, or as a line of JSON."""
    if out.as_json:
        print_json(event(value))
        return
    times = f"×{value.count}" if value.count > 1 else ""
    parts = (
        f"{value.at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        describe(value),
        _address(value),
        value.actor,
        times,
        _details(value),
    )
    out.line(one_line("  ".join(part for part in parts if part)))


def describe(value: SecurityEvent) -> str:
    """Return what happened; the bare word where another version of the program wrote it."""
    known = KINDS.get(value.kind)
    return _(known) if known is not None else one_line(value.kind)


def _address(value: SecurityEvent) -> str:
    return _("many") if value.address == "*" else one_line(value.address)


def _details(value: SecurityEvent) -> str:
    facts = {"reason": value.reason, "place": value.place, **value.more}
    return one_line(", ".join(f"{name}={text}" for name, text in facts.items() if text))

"""A guard over all tests: a unit of work of the program that changes rows appends an audit entry, or says why not."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

import smartabsen
from smartabsen.store.database import Database

SOURCES: Final = str(Path(smartabsen.__file__).parent)
UNTOLD: Final = {
    "alembic_version": "the schema itself; an upgrade has its own entry",
    "audit": "the trail",
    "meta": "heads, keys' names and generations: each change that matters has its entry beside it",
    "rate_limits": "counts of tries, gone after minutes; what a limit refuses is in the security log",
    "sign_in_tries": "counts of wrong passwords; the lock that they bring has its entry",
    "known_devices": "which devices have tries of their own; the sign-in has its entry",
    "web_sessions": "sessions of browsers; signing in and out, and ending somebody else's, have their entries",
    "qr_tokens": "requests that nobody answered yet; the answer has its entry",
    "seen_frames": "digests of pictures, gone after a day",
    "refusals": "a record of its own, of people who were not recognised",
    "camera_troubles": "how a camera stands now: no fact about people",
    "erasures": "what an erasure leaves, which has its entry; later, where it was carried out as well",
    "punches": "a record of its own, signed; those by hand, by PIN and corrections have their entries besides",
    "absensi": "derived from punches",
    "day_revisions": "the same, by revision",
}
"""Tables whose rows may change without an entry, each with the reason."""
UNTOLD_PLACES: Final = {
    "org/sites/service.py:enter_first": "the site of the settings, entered by the program itself at its first start",
    "org/users.py:Users.check_password": "wrong passwords are counted and forgiven; lock and sign-in are told",
    "org/users.py:Users.check_code": "a code is good once; what it proves has its entry",
    "privacy/resealing_rows.py:reseal": "the same faces under another key; its choice has its entry",
    "qr/phones.py:Phones.punch_by_pin": "wrong PINs are counted before they are looked at; a lock has its entry",
    "attendance/punch.py:record_attempt": "wrong PINs are forgiven where the punch of a right one stands already",
}
"""Functions that may change other rows without an entry, each with the reason."""
_CHANGE: Final = re.compile(r"\s*(?:INSERT(?: OR \w+)?(?: IGNORE)? INTO|REPLACE INTO|UPDATE|DELETE FROM)\s+[`\"]?(\w+)")
_ENGINE_ROOM: Final = ("store/database.py", "trust/work.py")
_CHANGED: Final = "test_changed"
_CALLER: Final = "test_caller"


def _caller() -> str:
    """Return which function of the program began the unit of work; empty where it was a test."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(SOURCES) and not name.endswith(_ENGINE_ROOM):
            return f"{name.removeprefix(SOURCES + '/')}:{frame.f_code.co_qualname}"
        if "/tests/" in name and name != __file__:
            return ""
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def _note_change(
    connection: Connection, cursor: Any, statement: str, _parameters: object, _context: object, _many: bool
) -> None:
    found = _CHANGE.match(statement)
    if found and cursor.rowcount != 0:
        connection.info.setdefault(_CHANGED, set()).add(found[1].lower())


def _forget(connection: Connection) -> None:
    connection.info.pop(_CHANGED, None)
    connection.info.pop(_CALLER, None)


@pytest.fixture(autouse=True, scope="session")
def everything_is_told() -> Iterator[None]:
    """Refuse to commit what a unit of work of the program changed without an entry."""
    real = Database._unit

    @contextmanager
    def unit(self: Database, mode: str, *, long: bool = False) -> Iterator[Session]:
        caller = _caller() if mode == "write" else ""
        with real(self, mode, long=long) as session:
            if caller:
                session.connection().info[_CALLER] = caller
            yield session

    def check(connection: Connection) -> None:
        changed, caller = connection.info.get(_CHANGED, set()), connection.info.get(_CALLER, "")
        untold = changed - set(UNTOLD)
        _forget(connection)
        if untold and "audit" not in changed and caller and caller not in UNTOLD_PLACES:
            raise AssertionError(f"{caller} changed {', '.join(sorted(untold))} without an entry in the audit trail")

    patch = pytest.MonkeyPatch()
    patch.setattr(Database, "_unit", unit)
    listeners = (("after_cursor_execute", _note_change), ("begin", _forget), ("rollback", _forget), ("commit", check))
    for name, listener in listeners:
        event.listen(Engine, name, listener)
    yield
    for name, listener in listeners:
        event.remove(Engine, name, listener)
    patch.undo()

"""Who acts, for the audit trail: the user of the operating system, or somebody who signed in to the dashboard."""

from __future__ import annotations

import getpass
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from .origin import coming_from as coming_from, current_address as current_address

_actor: ContextVar[str | None] = ContextVar("smartabsen_actor", default=None)


@contextmanager
def acting_as(name: str) -> Iterator[None]:
    """Let everything within a ``with`` block (of this thread or context) be done in somebody's name.

    Users of the dashboard have no @ in their names, users of the operating system have the machine behind one.
    """
    token = _actor.set(name)
    try:
        yield
    finally:
        _actor.reset(token)


def current_actor() -> str:
    """Return who acts here."""
    return _actor.get() or system_actor()


@cache
def system_actor() -> str:
    """Return the user of the operating system and the machine, as ``siti@counter``."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = "unknown"
    return f"{user}@{platform.node()}"

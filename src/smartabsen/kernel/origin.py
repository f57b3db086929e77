"""From which address a request came, so that what is written on its way can say so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_address: ContextVar[str] = ContextVar("smartabsen_address", default="")


@contextmanager
def coming_from(address: str) -> Iterator[None]:
    """Let everything within a ``with`` block (of this thread or context) be done for a request from an address."""
    token = _address.set(address)
    try:
        yield
    finally:
        _address.reset(token)


def current_address() -> str:
    """Return the address of the request that is answered here; empty outside of one, as in a command."""
    return _address.get()

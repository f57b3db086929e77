"""Who may call which page of the administrators."""

from __future__ import annotations

from typing import Final

from ..roles import Route, Who

ROUTES: Final[dict[str, Route]] = {
    "admin.login": Route(Who.ANYONE),
}
"""Endpoint to who may call it."""


def find_role() -> Who | None:
    """Return VIEWER or ADMIN for the administrator who is logged in, None where nobody is."""
    return None

"""The words of the access table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Who(StrEnum):
    """Who may call a route."""

    ANYONE = "anyone"
    OFFICE = "office"
    """A computer in one of the allowed networks (``signin.allowed_networks``)."""
    VERIFIED = "verified"
    """The same, in a browser whose sign-in a phone has confirmed."""
    VIEWER = "viewer"
    """An administrator who may look."""
    ADMIN = "admin"
    """An administrator who may change things; may do what a viewer may."""


@dataclass(frozen=True, slots=True)
class Route:
    """The entry of one route.

    Attributes:
        read: Who may call it by GET and HEAD.
        write: Who may call it by other methods; ``read`` where None.
        as_json: Its errors are JSON, whatever the client accepts.
        max_bytes: Of a request's body, where more is allowed than everywhere else, to those who may call the route.
    """

    read: Who
    write: Who | None = None
    as_json: bool = False
    max_bytes: int | None = None

    def needed_for(self, method: str) -> Who:
        """Return who may call it by this method."""
        return self.read if method in ("GET", "HEAD", "OPTIONS") or self.write is None else self.write

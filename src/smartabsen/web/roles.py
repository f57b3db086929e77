"""The words of the access table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..org.access import Action


class Who(StrEnum):
    """Who may call a route."""

    ANYONE = "anyone"
    OFFICE = "office"
    """A computer in one of the allowed networks (``signin.allowed_networks``)."""
    VERIFIED = "verified"
    """The same, in a browser whose sign-in a phone has confirmed."""


@dataclass(frozen=True, slots=True)
class Route:
    """The entry of one route.

    Attributes:
        read: Who may call it by GET and HEAD; an action is for those whose role may do it (``org.access``).
        write: Who may call it by other methods; ``read`` where None.
        as_json: Its errors are JSON, whatever the client accepts.
        of_all: It is about everybody, so that a role which may see a department only may not call it.
        max_bytes: Of a request's body, where more is allowed than everywhere else, to those who may call the route.
        audit: The actions of which a call that succeeds leaves at least one in the audit trail.
        untold: Why it leaves none; empty where ``audit`` has one.
    """

    read: Who | Action
    write: Who | Action | None = None
    as_json: bool = False
    of_all: bool = False
    max_bytes: int | None = None
    audit: tuple[str, ...] = ()
    untold: str = ""

    def __post_init__(self) -> None:
        if bool(self.audit) == bool(self.untold):
            raise ValueError("a route leaves an entry in the audit trail, or says why not")

    def needed_for(self, method: str) -> Who | Action:
        """Return who may call it by this method."""
        return self.read if method in ("GET", "HEAD", "OPTIONS") or self.write is None else self.write


FORM: Final = "a form: nothing of anybody is shown"
"""Why a route is :attr:`Route.untold`; so are those below."""
OWN: Final = "only the person's own account"
LIST: Final = "names and states, as on every list of the office: no attendance of anybody"
POLL: Final = "a part of a page that has its entry"
NOBODY: Final = "nothing about people"

"""What the schedule asks of people, sites and departments; who builds the program says who answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Protocol

from ...store.database import Session
from .model import Person, Placement, Scope, ScopeKind


class Directory(Protocol):
    """Looks up people and places in a session that is open already."""

    def get_person(self, session: Session, code: str) -> Person:
        """Return the employee with a code. Raises NotFoundError."""

    def people(self, session: Session) -> tuple[Person, ...]:
        """Return everybody who is not deactivated, sorted by name; the number of statements is constant."""

    def get_scope(self, session: Session, kind: ScopeKind, code: str) -> Scope:
        """Return the person, department or site with a code. Raises NotFoundError."""

    def codes(self, session: Session) -> Mapping[Scope, str]:
        """Return the codes of all of them; the number of statements is constant."""

    def placements(self, session: Session, first: date, last: date) -> Mapping[int, tuple[Placement, ...]]:
        """Return where everybody belongs in a range, the oldest first; the number of statements is constant.

        Everybody whom the other methods name has at least one.
        """

"""Whom the schedule is about: people, sites and departments, looked up for it in their own places."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from ..attendance.schedule.model import Person, Placement, Scope, ScopeKind
from ..kernel.dates import FIRST_DAY
from ..kernel.domain import Employee
from ..kernel.errors import NotFoundError
from ..kernel.i18n import N_
from ..people import employee_rows
from ..store.database import Session


class PeopleDirectory:
    """Looks up employees; there are no sites and departments yet.

    Args:
        zone: IANA name of the zone of the installation.
    """

    def __init__(self, zone: str) -> None:
        self._zone = zone

    def get_person(self, session: Session, code: str) -> Person:
        """Return the employee with a code. Raises NotFoundError."""
        return _person(employee_rows.get(session, code))

    def people(self, session: Session) -> tuple[Person, ...]:
        """Return everybody who is not deactivated, sorted by name."""
        return tuple(_person(each) for each in employee_rows.find_all(session, include_inactive=False))

    def get_scope(self, session: Session, kind: ScopeKind, code: str) -> Scope:
        """Return the person, department or site with a code. Raises NotFoundError."""
        if kind is ScopeKind.EMPLOYEE:
            return Scope(kind, self.get_person(session, code).id)
        if kind is ScopeKind.DEPARTMENT:
            raise NotFoundError(N_("There is no department with the code {code}."), code=code)
        raise NotFoundError(N_("There is no site with the code {code}."), code=code)

    def codes(self, session: Session) -> Mapping[Scope, str]:
        """Return the codes of everybody."""
        return {Scope(ScopeKind.EMPLOYEE, each.id): each.code for each in employee_rows.find_all(session)}

    def placements(self, session: Session, first: date, last: date) -> Mapping[int, tuple[Placement, ...]]:  # noqa: ARG002 - of the protocol
        """Return where everybody belongs in a range."""
        everywhere = (Placement(FIRST_DAY, self._zone),)
        return {each.id: everywhere for each in employee_rows.find_all(session)}


def _person(employee: Employee) -> Person:
    return Person(employee.id, employee.code, employee.name)

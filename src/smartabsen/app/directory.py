"""Whom the schedule is about: people, sites and departments, looked up for it in their own places."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta

from ..attendance.schedule.model import Person, Placement, Scope, ScopeKind
from ..kernel.domain import Employee
from ..org.departments import service as departments
from ..org.sites import service as sites
from ..people import employee_rows
from ..people.employment.rules import History
from ..people.employment.service import histories
from ..store.database import Session


class PeopleDirectory:
    """Looks up employees with their terms of employment, sites and departments.

    Args:
        zone: IANA name of the zone of whoever has no site.
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
            return Scope(kind, departments.directory(session).get(code).id)
        return Scope(kind, sites.directory(session).get(code).id)

    def codes(self, session: Session) -> Mapping[Scope, str]:
        """Return the codes of all people, departments and sites."""
        people = {Scope(ScopeKind.EMPLOYEE, each.id): each.code for each in employee_rows.find_all(session)}
        parts = departments.directory(session).departments
        places = sites.directory(session).sites
        return {
            **people,
            **{Scope(ScopeKind.DEPARTMENT, each.id): each.code for each in parts},
            **{Scope(ScopeKind.SITE, each.id): each.code for each in places},
        }

    def placements(
        self, session: Session, first: date, last: date, ids: Collection[int] | None = None
    ) -> Mapping[int, tuple[Placement, ...]]:
        """Return where everybody (or those with these row ids) belongs in a range, the oldest first."""
        return {row_id: self._placed(each, first, last) for row_id, each in histories(session, ids).items()}

    def _placed(self, history: History, first: date, last: date) -> tuple[Placement, ...]:
        changes = [step.valid_from for step in history.steps]
        changes += [history.joined] if history.joined else []
        changes += [history.left + timedelta(days=1)] if history.left else []
        days = sorted({first, *(day for day in changes if first < day <= last)})
        return tuple(self._placement(history, day) for day in days)

    def _placement(self, history: History, day: date) -> Placement:
        found = history.on(day)
        return Placement(
            day,
            found.zone or self._zone,
            site_id=found.site_id,
            department_id=found.department_id,
            week=found.week,
            shortest_weekday=found.shortest_day,
            is_employed=found.is_employed,
        )


def _person(employee: Employee) -> Person:
    return Person(employee.id, employee.code, employee.name)

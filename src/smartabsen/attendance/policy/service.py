"""Policies: what the firm decides of its working time, for whom and from which date."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date

from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_
from ...org.access import Action
from ...people.directory import get_person
from ...store.database import Session
from ...trust.work import Units, Work
from ..rules.model import Terms
from ..standing import Authority, Org, Scope
from . import rows
from .model import Policy, PolicyEntry, get_key
from .rules import PolicyTable, terms_of
from .rulesets import find_ruleset


class Policies:
    """The policies of one installation.

    Args:
        units: Where its work is done.
        org: What is known of people, sites and departments.
        authority: Who may do what.
    """

    def __init__(self, units: Units, org: Org, authority: Authority) -> None:
        self._units = units
        self._org = org
        self._authority = authority

    def set(self, name: str, value: str, *, valid_from: date, scope: Scope = Scope.FIRM, code: str = "") -> PolicyEntry:
        """Decide a policy from a date on.

        Args:
            value: As :class:`.PolicyKey` allows, or ``inherit``: the next wider scope holds again.
            code: Of the site, department or person; empty for the firm.

        Raises:
            NotFoundError: There is no such policy, site, department or person.
            InvalidInputError: The value is not allowed, or the firm cannot inherit.
            DeniedError: The role does not allow it.
        """
        key = get_key(name)
        stored = key.check(value)
        if scope is Scope.FIRM and stored == "inherit":
            raise InvalidInputError(
                N_("Nothing is wider than the firm: set {key} to a value, as its default {default}."),
                key=key.name,
                default=key.default,
            )

        def job(work: Work) -> PolicyEntry:
            self._authority.require(work.session, work.actor, Action.PLAN, None, valid_from)
            scope_id, of = self._find(work.session, scope, code)
            row_id, before = rows.put(
                work.session,
                name=key.name,
                value=stored,
                scope=scope,
                scope_id=scope_id,
                valid_from=valid_from,
                by=work.actor,
                at=work.now,
            )
            details = {"policy": key.name, "scope": scope.value, "from": str(valid_from), "before": before,
                       "after": stored}  # fmt: skip
            work.record("policy.set", subject=of, details=details)
            return PolicyEntry(row_id, key.name, stored, scope, scope_id, of, valid_from, work.actor, work.now)

        return self._units.write(job)

    def entries(self) -> tuple[PolicyEntry, ...]:
        """Return all decisions, by name and date."""
        with self._units.read() as session:
            found = rows.all_entries(session)
            places = (Scope.SITE, Scope.DEPARTMENT)
            return tuple(
                replace(each, of=self._org.scope_code(session, each.scope, each.scope_id))
                if each.scope in places
                else each
                for each in found
            )

    def on(self, code: str, day: date) -> Policy:
        """Return the policies in force for one person on a date. Raises NotFoundError."""
        with self._units.read() as session:
            return self.in_session(session, get_person(session, code).id, day)

    def in_session(self, session: Session, employee_id: int, day: date) -> Policy:
        """Return the same for a row id, within a unit of work."""
        standing = self._org.standings(session, (employee_id,), day, day)(employee_id, day)
        return self.table(session).policy(employee_id, standing, day)

    def table(self, session: Session) -> PolicyTable:
        """Return all decisions, read at once, to be asked for many people and dates."""
        return PolicyTable(rows.all_entries(session))

    def many(
        self, session: Session, employee_ids: Collection[int], first: date, last: date
    ) -> Callable[[int, date], Policy]:
        """Return the policies in force for many people and the dates of a period, read at once."""
        table, standings = self.table(session), self._org.standings(session, employee_ids, first, last)
        return lambda employee_id, day: table.policy(employee_id, standings(employee_id, day), day)

    def terms(
        self, session: Session, employee_ids: Collection[int], first: date, last: date
    ) -> Callable[[int, date], Terms]:
        """Return what the rules of a day ask, for many people and the dates of a period, read at once."""
        table, standings = self.table(session), self._org.standings(session, employee_ids, first, last)

        def of(employee_id: int, day: date) -> Terms:
            standing = standings(employee_id, day)
            return terms_of(table.policy(employee_id, standing, day), standing, find_ruleset(day))

        return of

    def _find(self, session: Session, scope: Scope, code: str) -> tuple[int, str]:
        if scope is Scope.FIRM:
            return 0, ""
        if scope is Scope.EMPLOYEE:
            person = get_person(session, code)
            return person.id, person.code
        return self._org.scope_id(session, scope, code), code

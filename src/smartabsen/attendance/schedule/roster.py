"""Assignments of patterns, and single dates of persons. Each change is written to the audit trail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ...kernel.codes import code_key
from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_
from ...kernel.texts import checked_text
from ...store.database import Session
from ...store.tables import NOTE_LENGTH
from ...trust.work import Units, Work
from ..rules.model import PlannedDay
from . import rows
from .directory import Directory
from .model import OFF, Assignment, Person, RosterDay, Scope, ScopeKind
from .planning import check_range, load_plans
from .rules_plan import PlanBook, code_of
from .service import get_pattern, no_such_shift


@dataclass(frozen=True, slots=True)
class NamedAssignment:
    """An assignment with the code of whom it is for."""

    assignment: Assignment
    code: str


@dataclass(frozen=True, slots=True)
class RosterChange:
    """What a single date of a person was and is; ``has_changed`` is False where it was so already."""

    person: Person
    before: PlannedDay
    after: PlannedDay
    has_changed: bool


@dataclass(frozen=True, slots=True)
class RosterView:
    """A range of dates: who has which pattern, what was decided for single dates, and the plans that follow.

    Attributes:
        people: Whose plans are wanted.
        days: Single dates, of these people.
    """

    first: date
    last: date
    assignments: tuple[NamedAssignment, ...]
    people: tuple[Person, ...]
    days: tuple[RosterDay, ...]
    book: PlanBook


class Roster:
    """Who works when in one installation.

    Args:
        units: Of its database.
        directory: Looks up people and places.
    """

    def __init__(self, units: Units, directory: Directory) -> None:
        self._units = units
        self._directory = directory

    def assign(
        self, kind: ScopeKind, code: str, pattern: str, first: date, last: date | None = None
    ) -> NamedAssignment:
        """Assign a pattern to a person, a department or a site, from a date on.

        The nearest one counts (person, department, site), and of several in force the one that begins last. The same
        once more changes nothing.

        Raises:
            NotFoundError: There is no such person, department, site or pattern.
            InvalidInputError: It would end before it begins.
        """
        if last is not None and last < first:
            raise InvalidInputError(N_("The period ends ({last}) before it begins ({first})."), first=first, last=last)

        def work(job: Work) -> NamedAssignment:
            scope = self._directory.get_scope(job.session, kind, code)
            whom = self._directory.codes(job.session)[scope]
            pattern_id, pattern_code = get_pattern(job.session, pattern)
            for known in rows.assignments(job.session, first, first):
                if (known.scope, known.pattern, known.first, known.last) == (scope, pattern_code, first, last):
                    return NamedAssignment(known, whom)
            number = rows.add_assignment(job.session, scope, pattern_id, first, last)
            details = {
                "scope": kind.value,
                "pattern": pattern_code,
                "from": first.isoformat(),
                "to": last.isoformat() if last else "",
            }
            job.record("roster.assign", subject=whom, details=details)
            return NamedAssignment(Assignment(number, scope, pattern_code, first, last), whom)

        return self._units.write(work)

    def end(self, number: int, last: date) -> NamedAssignment:
        """Let an assignment end on a date, its first one at the earliest.

        Raises:
            NotFoundError: There is no assignment with that number.
            InvalidInputError: The date lies before its first one.
        """

        def work(job: Work) -> NamedAssignment:
            before = rows.get_assignment(job.session, number)
            if last < before.first:
                raise InvalidInputError(
                    N_("The period ends ({last}) before it begins ({first})."), first=before.first, last=last
                )
            whom = self._directory.codes(job.session).get(before.scope, "")
            if before.last != last:
                rows.end_assignment(job.session, number, last)
                details = {
                    "scope": before.scope.kind.value,
                    "pattern": before.pattern,
                    "before": before.last.isoformat() if before.last else "",
                    "after": last.isoformat(),
                }
                job.record("roster.end", subject=whom, details=details)
            after = Assignment(before.id, before.scope, before.pattern, before.first, last)
            return NamedAssignment(after, whom)

        return self._units.write(work)

    def set_day(self, code: str, work_date: date, shift: str, *, reason: str) -> RosterChange:
        """Decide what a person works on one date: a shift, or ``OFF``; it goes before patterns and holidays.

        Raises:
            NotFoundError: There is no such person or shift.
            InvalidInputError: No reason is given.
        """
        reason = checked_reason(reason)

        def work(job: Work) -> RosterChange:
            person = self._directory.get_person(job.session, code)
            shift_id, shift_code = known_shift(rows.shift_ids(job.session), shift)
            before = self._plan(job.session, person, work_date)
            known = rows.roster(job.session, work_date, work_date).get((person.id, work_date))
            if known == RosterDay(person.id, work_date, shift_code, reason):
                return RosterChange(person, before, before, has_changed=False)
            rows.put_roster_day(job.session, person.id, work_date, shift_id, reason)
            details = {
                "date": work_date.isoformat(),
                "before": code_of(before.shift) or OFF,
                "after": shift_code or OFF,
                "reason": reason,
            }
            job.record("roster.set", subject=person.code, details=details)
            return RosterChange(person, before, self._plan(job.session, person, work_date), has_changed=True)

        return self._units.write(work)

    def clear_day(self, code: str, work_date: date, *, reason: str) -> RosterChange:
        """Take back what was decided for one date, so that the pattern counts again. Raises as :meth:`set_day`."""
        reason = checked_reason(reason)

        def work(job: Work) -> RosterChange:
            person = self._directory.get_person(job.session, code)
            before = self._plan(job.session, person, work_date)
            if not rows.delete_roster_day(job.session, person.id, work_date):
                return RosterChange(person, before, before, has_changed=False)
            after = self._plan(job.session, person, work_date)
            details = {
                "date": work_date.isoformat(),
                "before": code_of(before.shift) or OFF,
                "after": code_of(after.shift) or OFF,
                "reason": reason,
            }
            job.record("roster.clear", subject=person.code, details=details)
            return RosterChange(person, before, after, has_changed=True)

        return self._units.write(work)

    def view(self, first: date, last: date, *, kind: ScopeKind | None = None, code: str = "") -> RosterView:
        """Return assignments, single dates and plans of a range.

        Args:
            kind: Only of a person, a department or a site: that with ``code``.

        Raises:
            NotFoundError: There is none with that code.
            InvalidInputError: The range cannot be one.
        """
        check_range(first, last)
        with self._units.read(long=True) as session:
            scope = None if kind is None else self._directory.get_scope(session, kind, code)
            book = load_plans(session, self._directory, first, last)
            people = tuple(person for person in book.people if _belongs(book, person, scope, (first, last)))
            ids = {person.id for person in people}
            codes = self._directory.codes(session)
            days = rows.roster(session, first, last)
            return RosterView(
                first,
                last,
                tuple(
                    NamedAssignment(each, codes.get(each.scope, ""))
                    for each in rows.assignments(session, first, last)
                    if scope is None or each.scope == scope
                ),
                people,
                tuple(day for (person_id, _), day in sorted(days.items()) if person_id in ids),
                book,
            )

    def _plan(self, session: Session, person: Person, work_date: date) -> PlannedDay:
        return load_plans(session, self._directory, work_date, work_date).plan(person.id, work_date)


def known_shift(ids: Mapping[str, tuple[int, str]], shift: str) -> tuple[int | None, str | None]:
    """Return row id and code of a shift, both None for ``OFF``. Raises NotFoundError."""
    if code_key(shift) == code_key(OFF):
        return None, None
    found = ids.get(code_key(shift))
    if found is None:
        raise no_such_shift(shift)
    return found


def checked_reason(reason: str) -> str:
    """Return why a single date is decided. Raises InvalidInputError where nothing is said."""
    return checked_text(reason, field=N_("reason"), limit=NOTE_LENGTH, required=True)


def _belongs(book: PlanBook, person: Person, scope: Scope | None, ends: Sequence[date]) -> bool:
    if scope is None:
        return True
    if scope.kind is ScopeKind.EMPLOYEE:
        return person.id == scope.id
    places = [book.placement(person.id, day) for day in ends]
    ids = {each.site_id if scope.kind is ScopeKind.SITE else each.department_id for each in places}
    return scope.id in ids

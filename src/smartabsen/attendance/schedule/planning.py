"""Plans: what is planned for people on dates, read with a number of statements that does not depend on how many."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Final

from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_
from ...store.database import Session
from ...trust.work import Units
from ..rules.model import PlannedDay
from . import calendar_rows, rows
from .directory import Directory
from .model import Assignment, CalendarDay, Person, Scope, Timetable
from .rules_plan import PlanBook

MOST_DAYS: Final = 800


def load_timetable(session: Session, first: date, last: date) -> Timetable:
    """Read everything that plans of a range depend on, both ends included."""
    assignments: defaultdict[Scope, list[Assignment]] = defaultdict(list)
    for each in rows.assignments(session, first, last):
        assignments[each.scope].append(each)
    calendar: defaultdict[date, list[CalendarDay]] = defaultdict(list)
    for day in calendar_rows.days(session, first, last):
        calendar[day.day].append(day)
    return Timetable(
        shifts=rows.shifts(session),
        patterns=rows.patterns(session),
        assignments={scope: tuple(found) for scope, found in assignments.items()},
        roster=rows.roster(session, first, last),
        presets=rows.presets(session),
        calendar={day: tuple(found) for day, found in calendar.items()},
        opted_out=calendar_rows.worked(session, first, last),
    )


def load_plans(session: Session, directory: Directory, first: date, last: date) -> PlanBook:
    """Read the plans of everybody in a range, both ends included, in a session that is open already.

    Raises:
        InvalidInputError: The range ends before it begins, or is longer than :data:`MOST_DAYS`.
    """
    check_range(first, last)
    return PlanBook(
        directory.people(session), directory.placements(session, first, last), load_timetable(session, first, last)
    )


def check_range(first: date, last: date) -> None:
    """Refuse a range that ends before it begins, or is longer than :data:`MOST_DAYS`. Raises InvalidInputError."""
    if last < first:
        raise InvalidInputError(N_("The period ends ({last}) before it begins ({first})."), first=first, last=last)
    if (last - first).days >= MOST_DAYS:
        raise InvalidInputError(N_("At most {most} days can be planned at once."), most=MOST_DAYS)


class Planning:
    """What is planned in one installation.

    Args:
        units: Of its database.
        directory: Looks up people and places.
    """

    def __init__(self, units: Units, directory: Directory) -> None:
        self._units = units
        self._directory = directory

    def book(self, first: date, last: date) -> PlanBook:
        """Return the plans of everybody in a range; see :func:`load_plans`."""
        with self._units.read(long=True) as session:
            return load_plans(session, self._directory, first, last)

    def day(self, code: str, work_date: date) -> tuple[Person, PlannedDay]:
        """Return what is planned for one person and date. Raises NotFoundError."""
        with self._units.read() as session:
            person = self._directory.get_person(session, code)
            return person, load_plans(session, self._directory, work_date, work_date).plan(person.id, work_date)

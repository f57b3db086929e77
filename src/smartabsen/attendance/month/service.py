"""Reads the days of people for a period, in groups: a year of everybody never lies in memory at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Final, Protocol

from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_
from ...people.employment.rules import History
from ...people.employment.service import histories
from ...store.database import Session
from ...trust.work import Units
from ..rules.model import DayResult
from . import rules
from .model import PersonDays

MOST_DAYS: Final = 366
_GROUP_DAYS: Final = 6000
"""Days of people that are read at once."""


class Days(Protocol):
    """Reads days: stored where they are final, judged where they are not; a constant number of statements."""

    def between(
        self, session: Session, employee_ids: Collection[int] | None, first: date, last: date, now: datetime
    ) -> Mapping[tuple[int, date], DayResult]:
        """Return the days of people in a range, both ends included, by row id and date."""
        ...


class Months:
    """Periods of one installation, for readers.

    Args:
        units: Of its database.
        days: Reads days.
        now: The time (aware), by which windows are open or closed.
    """

    def __init__(self, units: Units, days: Days, now: Callable[[], datetime]) -> None:
        self._units = units
        self._days = days
        self._now = now

    def people(self, first: date, last: date, employee_ids: Collection[int] | None = None) -> Iterator[PersonDays]:
        """Yield people with their days, by name; who is not employed in the period and never came is left out.

        Statements grow with the groups of people, not with the people; a page of 50 people and a month is one group.

        Args:
            employee_ids: Row ids; None for everybody.

        Raises:
            InvalidInputError: The period ends before it begins, or is longer than a year.
        """
        if last < first:
            raise InvalidInputError(N_("The period ends ({last}) before it begins ({first})."), first=first, last=last)
        dates = rules.dates_of(first, last)
        if len(dates) > MOST_DAYS:
            raise InvalidInputError(N_("The period is longer than {most} days."), most=MOST_DAYS)
        return self._people(dates, employee_ids)

    def _people(self, dates: tuple[date, ...], employee_ids: Collection[int] | None) -> Iterator[PersonDays]:
        with self._units.read() as session:
            found = histories(session, employee_ids)
        everybody = sorted(found.values(), key=lambda each: (each.name.casefold(), each.code))
        size, now = max(1, _GROUP_DAYS // len(dates)), self._now()
        for start in range(0, len(everybody), size):
            group = everybody[start : start + size]
            with self._units.read(long=True) as session:
                days = self._days.between(session, [each.employee_id for each in group], dates[0], dates[-1], now)
            for person in group:
                own = {day: days[person.employee_id, day] for day in dates if (person.employee_id, day) in days}
                made = _person(person, dates, own)
                if made.employed or own:
                    yield made


def _person(person: History, dates: tuple[date, ...], days: Mapping[date, DayResult]) -> PersonDays:
    held = [terms for terms in map(person.on, dates) if terms.is_employed]
    department = held[-1].department if held else ""
    employed = frozenset(terms.work_date for terms in held)
    return PersonDays(person.employee_id, person.code, person.name, department, employed, days)

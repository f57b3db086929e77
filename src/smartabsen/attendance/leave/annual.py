"""Annual leave by the law: due after each twelve months in a row, once for each person and year of service."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

from ...kernel.actors import current_actor
from ...org.access import Action
from ...people.directory import get_person
from ...store.database import Session
from ...trust.work import Units, Work
from ..policy.service import Policies
from ..standing import Authority, Org
from . import book_rows as rows
from .book import LeaveBook
from .model import ANNUAL_LEAVE, FULL_DAY, AnnualGrant


class AnnualLeave:
    """Grants annual leave in one installation.

    Args:
        units: Where its work is done.
        book: The leave.
        policies: How many days the firm gives, and whether a server grants them by night.
        org: Since when people are employed.
        authority: Who may do what.
    """

    def __init__(self, units: Units, book: LeaveBook, policies: Policies, org: Org, authority: Authority) -> None:
        self._units = units
        self._book = book
        self._policies = policies
        self._org = org
        self._authority = authority

    def due(self, on: date, *, code: str | None = None, by_night: bool = False) -> tuple[AnnualGrant, ...]:
        """Return what is due by a date and was not granted: of the newest year of service of each person.

        Whose first day is not known, and who has not been there for twelve months, is left out.

        Args:
            by_night: Only of those for whom the firm lets a server do it.

        Raises:
            NotFoundError: There is no such employee.
        """
        with self._units.read(long=True) as session:
            return self._due(session, on, code, by_night=by_night)

    def grant(self, on: date, *, code: str | None = None, by_night: bool = False) -> tuple[AnnualGrant, ...]:
        """Grant what is due by a date; the same again grants nothing.

        Raises:
            NotFoundError: There is no such employee.
            DeniedError: The role does not allow it.
        """
        with self._units.read() as session:
            about = get_person(session, code).id if code else None
            self._authority.require(session, current_actor(), Action.CHANGE_ATTENDANCE, about, on)

        def job(work: Work, *, grant: AnnualGrant) -> bool:
            return self._book.grant_annual_in(work, grant)

        due = self.due(on, code=code, by_night=by_night)
        return tuple(each for each in due if self._units.write(partial(job, grant=each)))

    def _due(self, session: Session, on: date, code: str | None, *, by_night: bool) -> tuple[AnnualGrant, ...]:
        people = rows.active_people(session)
        if code:
            person = get_person(session, code)
            people = {person.id: (person.code, person.name)}
        standings = self._org.standings(session, people, on, on)
        policies = self._policies.many(session, people, on, on)
        granted = rows.annual_grants(session, ANNUAL_LEAVE)
        found: list[AnnualGrant] = []
        for row_id, (its_code, name) in people.items():
            standing = standings(row_id, on)
            due = None if standing.joined is None else newest_anniversary(standing.joined, on)
            policy = policies(row_id, on)
            if due is None or not standing.employed or (row_id, due) in granted:
                continue
            if policy.annual_by_night or not by_night:
                expires = anniversary(due, 1) - timedelta(days=1)
                half_days = policy.annual_days * FULL_DAY
                found.append(AnnualGrant(row_id, its_code, name, due, half_days, expires))
        return tuple(found)


def anniversary(first: date, years: int) -> date:
    """Return the day on which so many years are complete; of 29 February, 1 March in common years."""
    try:
        return first.replace(year=first.year + years)
    except ValueError:
        return date(first.year + years, 3, 1)


def newest_anniversary(joined: date, on: date) -> date | None:
    """Return the newest anniversary of a first day by a date, both counted; None before the first one."""
    years = on.year - joined.year
    while years > 0 and anniversary(joined, years) > on:
        years -= 1
    return anniversary(joined, years) if years > 0 else None

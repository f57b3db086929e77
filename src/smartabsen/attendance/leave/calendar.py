"""Leave follows the calendar: a holiday gives days back, joint leave that is taken takes one."""

from __future__ import annotations

from datetime import date
from functools import partial

from ...people.directory import get_person
from ...store.database import Session
from ...trust.work import Units
from ..standing import WorkCalendar
from . import book_rows as rows
from .book import LeaveBook
from .model import FULL_DAY, Recounted


class LeaveByCalendar:
    """Brings the leave of one installation in line with its calendar and rosters. A second time changes nothing.

    Args:
        units: Where its work is done.
        book: The leave.
        calendar: Which days people work.
    """

    def __init__(self, units: Units, book: LeaveBook, calendar: WorkCalendar) -> None:
        self._units = units
        self._book = book
        self._calendar = calendar

    def follow(
        self, first: date, last: date, *, code: str | None = None, taken_from: date | None = None
    ) -> tuple[Recounted, ...]:
        """Count approved leave of a period again, and take or give back joint leave.

        Joint leave is taken also below zero: it is part of annual leave, granted or not yet. Who works on it (on their
        own or as the firm does), has a roster row or other leave on that day, loses nothing.

        Args:
            code: Of one employee; everybody by default.
            taken_from: Joint leave before this date is given back only.

        Raises:
            NotFoundError: There is no such employee.
        """
        done = list(self._book.recount(first, last, code=code))
        with self._units.read(long=True) as session:
            due, known = self._joint(session, first, last, code)
        for key, request_id in sorted(known.items()):
            if key not in due:
                request = self._units.write(partial(self._book.withdraw_in, request_id=request_id))
                done.append(Recounted(request, FULL_DAY))
        for employee_id, day in sorted(due - known.keys()):
            if taken_from is None or day >= taken_from:
                take = partial(self._book.take_joint_in, employee_id=employee_id, day=day)
                if (entered := self._units.write(take)) is not None:
                    done.append(Recounted(entered, -FULL_DAY))
        return tuple(done)

    def _joint(
        self, session: Session, first: date, last: date, code: str | None
    ) -> tuple[frozenset[tuple[int, date]], dict[tuple[int, date], int]]:
        """Return who takes joint leave on which day, and the requests that the calendar has brought so far."""
        people = (get_person(session, code).id,) if code else tuple(rows.active_people(session))
        wanted = frozenset(people)
        known = {key: row for key, row in rows.by_the_calendar(session, first, last).items() if key[0] in wanted}
        days = self._calendar.joint_leave(session, first, last)
        if not days:
            return frozenset(), known
        planned = self._calendar.work_days(session, people, days[0], days[-1])
        due = frozenset((each, day) for each in people for day in days if planned(each, day).joint_leave)
        other = {(person, day) for person, day, *_ in rows.approved_days(session, days[0], days[-1])}
        return due - (other - known.keys()), known

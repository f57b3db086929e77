"""Days as punches, corrections and entered leave change them: judged again within the unit of work that does it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from ...kernel.domain import AttendanceDay
from ...store.database import Session
from ...trust.work import Work
from ..rules.assignment import instance_of
from ..rules.instants import DAY_MINUTES, date_of, instant_of, second_at, second_of
from ..rules.model import DayResult, DayStatus, Minutes, PlannedDay
from .book import DayBook
from .judging import ONE
from .model import Source
from .service import Results


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the days around a change.

    Attributes:
        results: Of the day and of both its neighbours.
    """

    employee_id: int
    results: Mapping[date, DayResult]

    def day_of(self, punch_id: int) -> date | None:
        """Return the work date that a punch was given to; None where it belongs to no shift."""
        return next((day for day, each in self.results.items() if punch_id in each.punch_ids), None)

    def attendance(self, day: date) -> AttendanceDay:
        """Return a day as it is now."""
        return attendance_of(self.employee_id, self.results[day])


class DayKeeping:
    """Keeps days of one installation equal to what they are judged from.

    Args:
        results: Judges and writes.
        book: Reads days.
        plans: Of dates.
        now: The time (aware).
    """

    def __init__(self, results: Results, book: DayBook, plans: Source[PlannedDay], now: Callable[[], datetime]) -> None:
        self._results = results
        self._book = book
        self._plans = plans
        self._now = now

    def look(self, session: Session, employee_id: int, day: date) -> AttendanceDay | None:
        """Return a day that somebody came to or has leave on; None for any other."""
        result = self.judged(session, employee_id, day)
        if result is None or (result.clock_in is None and not result.status.is_leave):
            return None
        return attendance_of(employee_id, result)

    def judged(self, session: Session, employee_id: int, day: date) -> DayResult | None:
        """Return what became of a day; None where it lies outside the employment."""
        return self._book.between(session, (employee_id,), day, day, self._now()).get((employee_id, day))

    def again(self, session: Session, employee_id: int, first: date, last: date) -> Mapping[date, AttendanceDay]:
        """Return what the days of a person are by what they are judged from, whatever is stored."""
        found = self._book.again(session, (employee_id,), first, last, self._now())
        return {day: attendance_of(employee_id, result) for (_, day), result in found.items()}

    def settle(self, work: Work, employee_id: int, day: date) -> Settled:
        """Judge a day and both its neighbours again, and write what differs."""
        self._results.renew(work, (employee_id,), day - ONE, day + ONE, is_told=False)
        found = self._book.between(work.session, (employee_id,), day - ONE, day + ONE, self._now())
        return Settled(employee_id, {each: result for (_, each), result in found.items()})

    def enter_leave(
        self, work: Work, employee_id: int, days: Collection[date], status: DayStatus | None, *, note: str | None = None
    ) -> None:
        """Enter leave for dates, or take back what was entered where ``status`` is None."""
        entered = {(employee_id, day): status for day in days}
        if entered:
            first, last = min(days), max(days)
            self._results.renew(work, (employee_id,), first, last, entered=entered, is_told=False)
            self._results.note(work, employee_id, days, note if status is not None else "")

    def local_date(self, session: Session, employee_id: int, at: datetime) -> date:
        """Return the date that it is at the person's site at an instant."""
        day = at.date()
        plan = self._plans(session, (employee_id,), day - ONE, day + ONE)
        return date_of(plan(employee_id, day).zone, second_of(at))

    def instant(self, session: Session, employee_id: int, work_date: date, clock: time) -> datetime:
        """Return the instant (UTC) of a local time that is said of a work date.

        A time before the shift opens is that of the next morning, where the shift reaches it.
        """
        plan = self._plans(session, (employee_id,), work_date, work_date)(employee_id, work_date)
        own = instance_of(plan)
        # A time is said to the second, a minute of a date is whole.
        seconds = clock.second
        minute = 60 * clock.hour + clock.minute
        same = second_at(plan.zone, work_date, minute) + seconds
        later = second_at(plan.zone, work_date, minute + DAY_MINUTES) + seconds
        is_later = same < own.opens and later <= own.closes
        return instant_of(later if is_later else same).replace(microsecond=clock.microsecond)


@dataclass(frozen=True, slots=True)
class DaysOfWork:
    """The days of one unit of work, for those who record in it.

    Attributes:
        keeping: Judges them.
        work: The unit.
    """

    keeping: DayKeeping
    work: Work

    def look(self, employee_id: int, day: date) -> AttendanceDay | None:
        """Return a day that somebody came to or has leave on; None for any other."""
        return self.keeping.look(self.work.session, employee_id, day)

    def settle(self, employee_id: int, day: date) -> Settled:
        """Judge a day and both its neighbours again, and write what differs."""
        return self.keeping.settle(self.work, employee_id, day)

    def local_date(self, employee_id: int, at: datetime) -> date:
        """Return the date that it is at the person's site at an instant."""
        return self.keeping.local_date(self.work.session, employee_id, at)


def attendance_of(employee_id: int, result: DayResult) -> AttendanceDay:
    """Return a result as readers of attendance have it."""
    return AttendanceDay(
        employee_id=employee_id,
        work_date=result.work_date,
        clock_in=result.clock_in,
        clock_out=result.clock_out,
        status=result.status,
        late_minutes=result.count(Minutes.LATE),
        worked_minutes=result.count(Minutes.WORKED),
    )

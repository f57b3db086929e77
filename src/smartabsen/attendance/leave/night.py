"""What a server does for leave once a night: post expiries, grant annual leave, take joint leave."""

from __future__ import annotations

from datetime import date

from .annual import AnnualLeave
from .book import LeaveBook
from .calendar import LeaveByCalendar


class LeaveNight:
    """Does the work of a night; a second time, here or in another process, changes nothing.

    Args:
        book: The leave.
        annual: Grants annual leave, where the policy ``annual_by_night`` says so.
        calendar: Brings leave in line with the calendar.
    """

    def __init__(self, book: LeaveBook, annual: AnnualLeave, calendar: LeaveByCalendar) -> None:
        self._book = book
        self._annual = annual
        self._calendar = calendar
        self._done: date | None = None

    def run(self, day: date) -> bool:
        """Do the work of a date unless this process has; return whether it was done now."""
        if self._done == day:
            return False
        self._book.expire(today=day)
        self._annual.grant(day, by_night=True)
        self._calendar.follow(day, date(day.year + 1, 12, 31))
        self._done = day
        return True

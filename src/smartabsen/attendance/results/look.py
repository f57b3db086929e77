"""One day as people look at it: what became of it, where, and by which revision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from ...kernel.errors import NotFoundError
from ...kernel.i18n import N_
from ...store.database import Session
from ...trust.work import Units
from ..rules.model import DayResult
from . import rows
from .book import DayBook


class Whereabouts(Protocol):
    """Looks a person up."""

    def __call__(self, session: Session, code: str, day: date, /) -> Place:
        """Return who has a code and where they work on a date. Raises NotFoundError."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """A person and where they work on a date.

    Attributes:
        zone: IANA name.
    """

    employee_id: int
    code: str
    name: str
    site: str
    zone: str


@dataclass(frozen=True, slots=True)
class DayLook:
    """A day of a person.

    Attributes:
        revision: Of the stored result that it is; 0 where it was judged now or is from before there were rules.
    """

    place: Place
    result: DayResult
    revision: int

    def local(self, at: datetime | None) -> datetime | None:
        """Return an instant as the clock at the site shows it, in whole seconds."""
        return at.astimezone(ZoneInfo(self.place.zone)).replace(microsecond=0) if at is not None else None


class DayLooks:
    """Days of one installation, one by one.

    Args:
        units: Of its database.
        book: Reads days.
        whereabouts: Looks people up.
        now: The time (aware).
    """

    def __init__(self, units: Units, book: DayBook, whereabouts: Whereabouts, now: Callable[[], datetime]) -> None:
        self._units = units
        self._book = book
        self._whereabouts = whereabouts
        self._now = now

    def look(self, code: str, work_date: date) -> DayLook:
        """Return what became of a day. Raises NotFoundError where there is no such person or employment."""
        with self._units.read() as session:
            place = self._whereabouts(session, code, work_date)
            ids = (place.employee_id,)
            result = self._book.between(session, ids, work_date, work_date, self._now()).get((ids[0], work_date))
            stored = rows.find(session, ids[0], work_date)
        if result is None:
            raise NotFoundError(N_("{name} was not employed on {date}."), name=place.name, date=work_date)
        is_stored = stored is not None and stored.result == result
        return DayLook(place, result, stored.revision if stored is not None and is_stored else 0)

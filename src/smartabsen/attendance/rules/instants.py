"""Wall clocks and instants, in whole seconds since 1970: what every rule compares.

Clocks that people read show whole seconds, so instants are cut to them: who is shown ``08:00:00`` is never late. A
minute of a work date is a reading of the wall clock, also in a zone with daylight saving; Indonesia's three have none.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo

DAY_MINUTES: Final = 1440
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_zone = cache(ZoneInfo)


def second_of(at: datetime) -> int:
    """Return the whole second of an instant (aware).

    Raises:
        ValueError: It has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return (at - _EPOCH) // _SECOND


def second_at(zone: str, work_date: date, minute: int) -> int:
    """Return the second at which the wall clock shows a minute of a work date, which may lie on days after it."""
    midnight, is_regular = _day(zone, work_date)
    return midnight + 60 * minute if is_regular else _wall(zone, work_date, minute)


def date_of(zone: str, second: int) -> date:
    """Return the local date of an instant."""
    return datetime.fromtimestamp(second, _zone(zone)).date()


def clock_text(zone: str, second: int) -> str:
    """Return the local time of an instant for people, as ``07:05``."""
    return datetime.fromtimestamp(second, _zone(zone)).strftime("%H:%M")


def instant_of(second: int) -> datetime:
    """Return a second as an instant in UTC."""
    return datetime.fromtimestamp(second, UTC)


@lru_cache(maxsize=8192)
def _day(zone: str, work_date: date) -> tuple[int, bool]:
    """Return the second of local midnight, and whether no clock is changed from a day before until three days after."""
    midnight = datetime(work_date.year, work_date.month, work_date.day, tzinfo=_zone(zone))
    offsets = {(midnight + timedelta(days=days)).utcoffset() for days in (-1, 0, 1, 2, 3)}
    return second_of(midnight), len(offsets) == 1


def _wall(zone: str, work_date: date, minute: int) -> int:
    days, rest = divmod(minute, DAY_MINUTES)
    day = work_date + timedelta(days=days)
    return second_of(datetime(day.year, day.month, day.day, rest // 60, rest % 60, tzinfo=_zone(zone)))

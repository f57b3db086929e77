"""The rules that turn punches into a day. Pure: no clock, no file, no database.

Clocks that people read show whole seconds, so every comparison here cuts instants to whole seconds: who is shown
``08:00:00`` is never told to be late. Comparisons are made between instants, not between readings of a wall clock,
so a zone with daylight saving neither crashes nor gains an hour; Indonesia's three zones have none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ..kernel.domain import AttendanceDay, Punch, PunchMethod, Status


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one site.

    Attributes:
        start: Start of work, local. A start before ``day_starts_at`` lies on the calendar day after the work date, as
            in a shift that begins half an hour after midnight.
        grace_minutes: Minutes after the start that are not late yet.
        zone: IANA name of the site's time zone.
        day_starts_at: Local time at which a work date begins. A night shift wants one between two shifts, as noon.
        cooldown_s: A second punch nearer than this to another one writes nothing.
        min_work_minutes: A departure is a punch at least so many minutes after the arrival.
    """

    start: time
    grace_minutes: int
    zone: str
    day_starts_at: time
    cooldown_s: int
    min_work_minutes: int

    def work_date(self, at: datetime) -> date:
        """Return the local work date that an instant (aware) counts for."""
        local = _aware(at).astimezone(ZoneInfo(self.zone))
        return local.date() - timedelta(days=1) if local.time() < self.day_starts_at else local.date()

    def start_of(self, work_date: date) -> datetime:
        """Return the UTC instant at which work starts on a work date."""
        day = work_date + timedelta(days=1) if self.start < self.day_starts_at else work_date
        return datetime.combine(day, self.start, tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    def instant(self, work_date: date, clock: time) -> datetime:
        """Return the UTC instant of a local time on a work date; before ``day_starts_at`` it is the next morning."""
        day = work_date + timedelta(days=1) if clock < self.day_starts_at else work_date
        return datetime.combine(day, clock, tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    def standing_punch(self, neighbours: Iterable[Punch], at: datetime) -> Punch | None:
        """Return the punch that already stands for an attempt at ``at``, or None when a new one is due.

        The distance counts in both directions: after a clock was set back, the punch before it lies in the future,
        and still no double is written.

        Args:
            neighbours: Punches of the same employee; the nearest before and the nearest after are enough.
            at: Aware instant of the attempt.
        """
        cooldown = timedelta(seconds=self.cooldown_s)
        near = [punch for punch in neighbours if abs(punch.at - _aware(at)) < cooldown]
        return min(near, key=lambda punch: (abs(punch.at - at), punch.id), default=None)

    def derive_day(self, punches: Sequence[Punch]) -> AttendanceDay | None:
        """Derive the day from all punches of one employee on one work date, in any order.

        Punches that another one supersedes do not count, nor do those of a clock that was set back during the day; None
        where nothing else is left (see :func:`standing` and :func:`without_set_back`).

        The first punch is the arrival; the last one that is at least ``min_work_minutes`` later is the departure.
        Late is an arrival after start and grace; ``late_minutes`` then counts the full minutes **from the start of
        work**, grace included, so one second late is LATE with 0 minutes when there is no grace.

        Raises:
            ValueError: No punch, or punches of several employees or work dates.
        """
        if len({(punch.employee_id, punch.work_date) for punch in punches}) != 1:
            raise ValueError("derive_day needs the punches of one employee on one work date")
        ordered = sorted(without_set_back(standing(punches)), key=lambda punch: (punch.at, punch.id))
        if not ordered:
            return None
        first, last = ordered[0], ordered[-1]
        worked = _minutes(first.at, last.at)
        departed = last is not first and worked >= self.min_work_minutes
        late_by = _whole_second(first.at) - self.start_of(first.work_date)
        late = late_by > timedelta(minutes=self.grace_minutes)
        return AttendanceDay(
            employee_id=first.employee_id,
            work_date=first.work_date,
            clock_in=first.at,
            clock_out=last.at if departed else None,
            status=Status.LATE if late else Status.PRESENT,
            late_minutes=late_by // timedelta(minutes=1) if late else 0,
            worked_minutes=worked if departed else 0,
        )


def standing(punches: Iterable[Punch]) -> tuple[Punch, ...]:
    """Return the punches that count, in the order given: neither superseded by another one, nor a mere void.

    A correction can be superseded in its turn, and so can a void: the last entry of a chain decides.
    """
    known = tuple(punches)
    superseded = {punch.supersedes for punch in known if punch.supersedes is not None}
    return tuple(punch for punch in known if punch.method is not PunchMethod.VOID and punch.id not in superseded)


def without_set_back(punches: Iterable[Punch]) -> tuple[Punch, ...]:
    """Return the punches without those that cannot have been at the time that they show, in the order given.

    A doubtful clock puts a punch before one whose time is sure, although it was stored after that: it would make a
    late day punctual. It stays in the record, marked; where no time is sure, doubtful ones are all there is.
    """
    known = tuple(punches)
    sure = [punch for punch in known if punch.time_is_sure]

    def is_contradicted(punch: Punch) -> bool:
        # An attempt that is not stored yet has no id and is the latest of all.
        return not punch.time_is_sure and any(
            punch.at < other.at and 0 < other.id < (punch.id or other.id + 1) for other in sure
        )

    return tuple(punch for punch in known if not is_contradicted(punch))


def _minutes(earlier: datetime, later: datetime) -> int:
    return (_whole_second(later) - _whole_second(earlier)) // timedelta(minutes=1)


def _whole_second(at: datetime) -> datetime:
    return _aware(at).astimezone(UTC).replace(microsecond=0)


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at

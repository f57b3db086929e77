"""Shifts by date, patterns, assignments, rosters, presets and the calendar as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from ..rules.model import Shift

OFF: Final = "OFF"
"""What a cycle, a roster and a sheet call a day off; no shift can have this code."""


class ScopeKind(StrEnum):
    """Whom an assignment is for."""

    EMPLOYEE = "employee"
    DEPARTMENT = "department"
    SITE = "site"


NEAREST_FIRST: Final = (ScopeKind.EMPLOYEE, ScopeKind.DEPARTMENT, ScopeKind.SITE)
"""The order in which assignments are looked for: the first kind that has one in force decides."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A person, a department or a site, by its row id."""

    kind: ScopeKind
    id: int


@dataclass(frozen=True, slots=True)
class ShiftVersion:
    """A shift as it is from a date on, until its next version."""

    shift: Shift
    valid_from: date


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a cycle: so many days of one shift, or off where ``shift`` is None."""

    shift: str | None
    days: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """A cycle of shifts and days off that repeats without end.

    Attributes:
        starts: A date on which the cycle begins. None: a cycle of whole weeks begins on Mondays, and any other one on
            the first date of its assignment.
    """

    code: str
    name: str
    steps: tuple[Step, ...]
    starts: date | None = None

    @property
    def length(self) -> int:
        """Days of the whole cycle."""
        return sum(step.days for step in self.steps)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A pattern for somebody from a date on, up to and with ``last`` where there is one."""

    id: int
    scope: Scope
    pattern: str
    first: date
    last: date | None = None

    def covers(self, work_date: date) -> bool:
        """Whether it is in force on a date."""
        return self.first <= work_date and (self.last is None or work_date <= self.last)


@dataclass(frozen=True, slots=True)
class RosterDay:
    """What somebody decided for one person and one date: a shift, or off where ``shift`` is None."""

    employee_id: int
    work_date: date
    shift: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Replacement:
    """One shift in place of another, on one day of the week (0 is Monday) or on all."""

    shift: str
    instead: str
    weekday: int | None = None


@dataclass(frozen=True, slots=True)
class Preset:
    """Other shifts between two dates, both included, as in Ramadan."""

    code: str
    name: str
    first: date
    last: date
    replacements: tuple[Replacement, ...] = ()

    def moved(self, days: int) -> Preset:
        """Return it that many days later, or earlier where negative."""
        by = timedelta(days=days)
        return Preset(self.code, self.name, self.first + by, self.last + by, self.replacements)


class CalendarKind(StrEnum):
    """What a day of the calendar is."""

    PUBLIC = "public"
    """An official holiday."""
    JOINT = "joint"
    """Joint leave (cuti bersama): part of annual leave, where the firm takes it."""
    COMPANY = "company"
    SCHOOL = "school"


ADMIN: Final = "admin"
"""Source of days that a person entered: a sync never touches them."""


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day of the calendar.

    Attributes:
        region: For which region; empty for all.
        site_id: For which site; None for all.
        source: ``admin``, or where a sync had it from, as ``holidays 0.109``.
        tentative: Whether the source calls the date an estimate ("perkiraan").
        taken: Whether the firm takes this joint leave; without meaning for other kinds.
    """

    day: date
    name: str
    kind: CalendarKind
    region: str = ""
    site_id: int | None = None
    source: str = ADMIN
    tentative: bool = False
    taken: bool = True

    @property
    def label(self) -> str:
        """Its name as people read it, with "(perkiraan)" where the date is an estimate."""
        return f"{self.name} (perkiraan)" if self.tentative else self.name

    @property
    def key(self) -> tuple[date, CalendarKind, str, int | None]:
        """What there is one row of."""
        return self.day, self.kind, self.region, self.site_id


@dataclass(frozen=True, slots=True)
class CalendarDiff:
    """What a sync changes.

    Attributes:
        changed: Days whose name or estimate differs, before and after.
        kept: Days of the source that a person entered already: theirs stays.
    """

    added: tuple[CalendarDay, ...] = ()
    removed: tuple[CalendarDay, ...] = ()
    changed: tuple[tuple[CalendarDay, CalendarDay], ...] = ()
    kept: tuple[CalendarDay, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing would change."""
        return not (self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a person belongs from a date on, and what their contract says of the week.

    Attributes:
        zone: IANA name of the zone of their site.
        week: Working days of a week, 5 or 6.
        shortest_weekday: The shortest working day of a week of six days, 0 is Monday; None where it is not known.
        is_employed: Whether they are employed from that date on: before joining and after leaving nothing is planned.
    """

    first: date
    zone: str
    site_id: int | None = None
    department_id: int | None = None
    region: str = ""
    week: int = 5
    shortest_weekday: int | None = None
    is_employed: bool = True


@dataclass(frozen=True, slots=True)
class Timetable:
    """Everything that plans depend on, for a range of dates.

    Attributes:
        shifts: Versions of each shift by its code, the oldest first.
        patterns: By code.
        assignments: By whom they are for.
        roster: By employee and date.
        calendar: By date.
        opted_out: Employees and the dates of joint leave that they work.
    """

    shifts: Mapping[str, tuple[ShiftVersion, ...]] = field(default_factory=dict)
    patterns: Mapping[str, Pattern] = field(default_factory=dict)
    assignments: Mapping[Scope, tuple[Assignment, ...]] = field(default_factory=dict)
    roster: Mapping[tuple[int, date], RosterDay] = field(default_factory=dict)
    presets: tuple[Preset, ...] = ()
    calendar: Mapping[date, tuple[CalendarDay, ...]] = field(default_factory=dict)
    opted_out: frozenset[tuple[int, date]] = frozenset()


@dataclass(frozen=True, slots=True)
class Person:
    """An employee as the schedule names one."""

    id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Touched:
    """Somebody whose plan of a date a change of the calendar alters; an empty shift is a day off."""

    person: Person
    day: date
    before: str
    after: str

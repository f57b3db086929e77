"""What is planned for a person and a date: from assignments, roster, presets, calendar and contract."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date

from ..rules.model import DayKind, PlannedDay, Shift
from .model import Assignment, CalendarDay, CalendarKind, Person, Placement, Preset, Scope, Timetable, Touched
from .rules_cycles import newest_in_force, scopes_of, shift_in_cycle
from .rules_shifts import version_on


class Planner:
    """Plans days of many people from one timetable, and keeps what they have in common.

    A roster row goes before everything. Else the nearest assignment (person, department, site) gives the shift of its
    pattern, a preset in force replaces that, and a holiday or joint leave takes the day off.

    Args:
        timetable: Covers all dates that are asked for.
    """

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable
        self._shifts: dict[tuple[str, date], Shift | None] = {}
        self._assigned: dict[tuple[Scope, date], Assignment | None] = {}
        self._usual: dict[tuple[int, date], Shift | None] = {}

    def plan(self, employee_id: int, placement: Placement, work_date: date) -> PlannedDay:
        """Return what is planned for a person and a date.

        Args:
            placement: Where the person belongs on that date.
        """
        if not placement.is_employed:
            return PlannedDay(work_date, placement.zone, None, DayKind.REST_DAY, is_planned=False)
        free, joint = self._calendar_of(employee_id, placement, work_date)
        holiday = free or joint
        assignment = self._assignment(employee_id, placement, work_date)
        pattern = assignment.pattern if assignment is not None else ""
        row = self._timetable.roster.get((employee_id, work_date))
        if row is not None:
            shift = self._shift(row.shift, work_date) if row.shift is not None else None
            return PlannedDay(
                work_date,
                placement.zone,
                shift,
                _kind(shift, free, placement, work_date),
                holiday=holiday.label if holiday is not None else "",
                source="roster",
                pattern=pattern,
                usual_shift=shift,
            )
        usual = self._usual_shift(assignment, work_date) if assignment is not None else None
        if assignment is not None:
            off_by_joint_leave = joint is not None and free is None and usual is not None
        else:
            off_by_joint_leave = False
        shift = None if free is not None or off_by_joint_leave else usual
        kind = _kind(shift, free, placement, work_date)
        if off_by_joint_leave or (assignment is None and free is None and not _is_weekend(placement, work_date)):
            # Joint leave has no multipliers of a holiday; and who has no plan works on the days of their contract.
            kind = DayKind.WORKDAY
        is_from_calendar = free is not None or off_by_joint_leave
        planned_by = assignment.scope.kind.value if assignment is not None else "none"
        return PlannedDay(
            work_date,
            placement.zone,
            shift,
            kind,
            holiday=holiday.label if holiday is not None else "",
            source="calendar" if is_from_calendar else planned_by,
            pattern=pattern,
            is_planned=assignment is not None,
            joint_leave=off_by_joint_leave,
            usual_shift=usual,
        )

    def _assignment(self, employee_id: int, placement: Placement, work_date: date) -> Assignment | None:
        for scope in scopes_of(employee_id, department_id=placement.department_id, site_id=placement.site_id):
            known = self._timetable.assignments.get(scope)
            if known is None:
                continue
            key = (scope, work_date)
            if key not in self._assigned:
                self._assigned[key] = newest_in_force(known, work_date)
            found = self._assigned[key]
            if found is not None:
                return found
        return None

    def _usual_shift(self, assignment: Assignment, work_date: date) -> Shift | None:
        key = (assignment.id, work_date)
        if key not in self._usual:
            pattern = self._timetable.patterns[assignment.pattern]
            code = shift_in_cycle(pattern, work_date, assigned_from=assignment.first)
            self._usual[key] = (
                None if code is None else self._shift(replaced(self._timetable.presets, code, work_date), work_date)
            )
        return self._usual[key]

    def _shift(self, code: str, work_date: date) -> Shift | None:
        key = (code, work_date)
        if key not in self._shifts:
            self._shifts[key] = version_on(self._timetable.shifts.get(code, ()), work_date)
        return self._shifts[key]

    def _calendar_of(
        self, employee_id: int, placement: Placement, work_date: date
    ) -> tuple[CalendarDay | None, CalendarDay | None]:
        """Return the holiday of a person and date, and the joint leave that they take on it."""
        free: CalendarDay | None = None
        joint: CalendarDay | None = None
        for day in self._timetable.calendar.get(work_date, ()):
            if day.site_id not in (None, placement.site_id) or day.region not in ("", placement.region):
                continue
            if day.kind is CalendarKind.JOINT:
                if day.taken and (employee_id, work_date) not in self._timetable.opted_out:
                    joint = joint or day
            elif free is None or day.kind is CalendarKind.PUBLIC:
                free = day
        return free, joint


def plan_day(employee_id: int, placement: Placement, work_date: date, timetable: Timetable) -> PlannedDay:
    """Return what is planned for one person and date; see :class:`Planner` for many."""
    return Planner(timetable).plan(employee_id, placement, work_date)


def replaced(presets: Sequence[Preset], shift: str, work_date: date) -> str:
    """Return the code of the shift that counts on a date in place of a pattern's.

    Of several presets in force the one that began last counts; in it a day of the week goes before all days.
    """
    for preset in sorted(presets, key=lambda each: (each.first, each.code), reverse=True):
        if preset.first <= work_date <= preset.last:
            found: Mapping[int | None, str] = {
                each.weekday: each.instead for each in preset.replacements if each.shift == shift
            }
            if instead := found.get(work_date.weekday(), found.get(None)):
                return instead
    return shift


def placement_on(placements: Sequence[Placement], work_date: date) -> Placement:
    """Return where a person belongs on a date.

    Args:
        placements: Of one person, the oldest first, at least one; before the first one that one counts.
    """
    place = bisect_right(placements, work_date, key=lambda each: each.first)
    return placements[max(0, place - 1)]


def _kind(shift: Shift | None, free: CalendarDay | None, placement: Placement, work_date: date) -> DayKind:
    if free is not None:
        # The law speaks of official holidays only (PP 35/2021, art. 31(2)b).
        is_official = free.kind is CalendarKind.PUBLIC
        is_shortest = placement.week == 6 and work_date.weekday() == placement.shortest_weekday
        return DayKind.SHORTEST_DAY if is_official and is_shortest else DayKind.HOLIDAY
    return DayKind.WORKDAY if shift is not None else DayKind.REST_DAY


def _is_weekend(placement: Placement, work_date: date) -> bool:
    return work_date.weekday() >= placement.week


class PlanBook:
    """The plans of many people in a range of dates, computed when they are asked for.

    Args:
        people: Sorted as they are to be shown.
        placements: Of each of them, the oldest first.

    Attributes:
        people: See above.
    """

    def __init__(
        self, people: Sequence[Person], placements: Mapping[int, Sequence[Placement]], timetable: Timetable
    ) -> None:
        self.people = tuple(people)
        self._placements = placements
        self._planner = Planner(timetable)

    def placement(self, employee_id: int, work_date: date) -> Placement:
        """Return where a person belongs on a date."""
        return placement_on(self._placements[employee_id], work_date)

    def plan(self, employee_id: int, work_date: date) -> PlannedDay:
        """Return what is planned for a person and a date."""
        return self._planner.plan(employee_id, self.placement(employee_id, work_date), work_date)


def touched(before: PlanBook, after: PlanBook, dates: Sequence[date]) -> tuple[Touched, ...]:
    """Return whose shift of a date differs between two books of the same people."""
    found = []
    for day in dates:
        for person in before.people:
            old, new = (code_of(book.plan(person.id, day).shift) for book in (before, after))
            if old != new:
                found.append(Touched(person, day, old, new))
    return tuple(found)


def code_of(shift: Shift | None) -> str:
    """Return the code of a shift, empty for a day off."""
    return shift.code if shift is not None else ""

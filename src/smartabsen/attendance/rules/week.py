"""What only a week as a whole shows: the sum of a flexible week, and the overtime that the law caps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from .model import ID_2021, DayKind, DayResult, Limits, Minutes


@dataclass(frozen=True, slots=True)
class WeekResult:
    """The sum of a person's week.

    Attributes:
        monday: When it begins.
        expected: Minutes that a flexible week asks for; None where days decide.
        worked: Minutes worked, overtime included.
        leave: Minutes covered by leave.
        missing: Minutes that a flexible week lacks; before its days are final, what is still to be worked.
        overtime: Minutes beyond a flexible week; else the sum of the days.
        capped_overtime: Overtime of its work days: what the cap of the week counts.
        is_over_cap: Whether that is more than allowed.
        is_final: Whether all days given are.
    """

    monday: date
    expected: int | None
    worked: int
    leave: int
    missing: int
    overtime: int
    capped_overtime: int
    is_over_cap: bool
    is_final: bool


def monday_of(day: date) -> date:
    """Return the Monday of a date's week."""
    return day - timedelta(days=day.weekday())


def judge_week(
    days: Sequence[DayResult], *, flexible_week: int | None = None, week: int = 5, limits: Limits = ID_2021
) -> WeekResult:
    """Sum up the days of one week of one person.

    Args:
        days: Of one week, at least one; outside the employment they ask for nothing.
        flexible_week: Minutes that the week asks for, where the shift says so. A day of leave counts its part of them.
        week: Working days of the contract.
        limits: Of the ruleset.

    Raises:
        ValueError: No day, or days of several weeks.
    """
    mondays = {monday_of(day.work_date) for day in days}
    if len(mondays) != 1:
        raise ValueError("judge_week needs the days of one week")
    worked = sum(day.count(Minutes.WORKED) for day in days)
    leave = sum(day.count(Minutes.LEAVE) for day in days)
    on_work_days = sum(day.count(Minutes.OVERTIME) for day in days if day.kind is DayKind.WORKDAY)
    missing = sum(day.count(Minutes.MISSING) for day in days)
    overtime = sum(day.count(Minutes.OVERTIME) for day in days)
    if flexible_week is not None:
        # Work on days off is paid as such and does not fill the week.
        regular = sum(day.count(Minutes.WORKED) - day.count(Minutes.OVERTIME) for day in days)
        covered = leave or sum(1 for day in days if day.status.is_leave) * (flexible_week // week)
        beyond = max(0, regular + covered - flexible_week)
        missing = max(0, flexible_week - regular - covered)
        leave, overtime, on_work_days = covered, overtime + beyond, on_work_days + beyond
    return WeekResult(
        monday=mondays.pop(),
        expected=flexible_week,
        worked=worked,
        leave=leave,
        missing=missing,
        overtime=overtime,
        capped_overtime=on_work_days,
        is_over_cap=on_work_days > limits.overtime_week,
        is_final=all(day.is_final for day in days),
    )

"""What somebody must look at before a month is closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from smartabsen.attendance.rules.day import judge_day
from smartabsen.attendance.rules.exceptions import (
    LABELS,
    DayException,
    ExceptionKind,
    ExceptionPolicy,
    ExceptionRule,
    Severity,
    exceptions_of,
    exceptions_of_week,
)
from smartabsen.attendance.rules.model import DayKind, DayResult

from .days import FRIDAY, OFFICE, inputs, judged, order, plan

MONDAY = date(2026, 11, 9)
LONG = replace(OFFICE, closes_after=400)


def kinds(result: DayResult, **more: object) -> list[tuple[str, str]]:
    """Return kinds and severities."""
    found = exceptions_of(result, today=FRIDAY, **more)  # type: ignore[arg-type]
    return [(each.kind.value, each.severity.value) for each in found]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (judged("08:00", "17:00"), []),
        (judged("08:00", now="20:59"), []),
        (judged("08:00", now="21:00"), [("forgotten-departure", "critical")]),
        (judged(), [("absent", "high")]),
        (judged("08:00", "17:10"), []),
        (judged("08:00", "19:00"), [("overtime-unordered", "medium")]),
        (judged("08:00", "19:00", orders=(order(120),)), []),
        (judged("08:00", "22:00", planned=LONG), [("overtime-over-cap-unordered", "critical")]),
        (judged("08:00", "22:00", planned=LONG, orders=(order(300),)), [("overtime-over-cap", "high")]),
        (judged("08:00", "20:00", planned=None), [("overtime-unordered", "medium")]),
        (judged("03:00", "08:00", "17:00"), [("outside-roster", "low")]),
    ],
)
def test_what_is_an_exception(result: DayResult, expected: list[tuple[str, str]]) -> None:
    """With the defaults; twelve hours on a rest day break no cap."""
    assert kinds(result) == expected


def test_a_clock_that_cannot_be_trusted_is_critical() -> None:
    """It names the punch."""
    day = inputs("08:00", "17:00")
    doubtful = replace(day, punches=(replace(day.punches[0], is_sure=False), day.punches[1]))
    (found,) = exceptions_of(judge_day(doubtful), today=FRIDAY)
    assert (found.kind, found.severity, found.punch_id) == (ExceptionKind.UNTRUSTED_CLOCK, Severity.CRITICAL, 1)


def test_the_firm_sets_severity_grace_and_window() -> None:
    """Overtime of two hours that are tolerated; Alpa that is raised for a week."""
    policy = ExceptionPolicy(
        {
            ExceptionKind.OVERTIME_UNORDERED: ExceptionRule(Severity.LOW, grace=120),
            ExceptionKind.ABSENT: ExceptionRule(Severity.CRITICAL, window_days=7),
        }
    )
    assert kinds(judged("08:00", "19:00"), policy=policy) == []
    assert kinds(judged("08:00", "19:01"), policy=policy) == [("overtime-unordered", "low")]
    assert kinds(judged(), policy=policy) == [("absent", "critical")]
    assert exceptions_of(judged(), today=FRIDAY + timedelta(days=8), policy=policy) == ()


def test_who_is_exempt_needs_no_order() -> None:
    """Overtime that is not paid is nobody's to approve."""
    assert kinds(judged("08:00", "19:00"), is_exempt=True) == []


def week(*overtime: int, on_sunday: int = 0) -> list[DayResult]:
    """Return a week with minutes of overtime from Monday on."""
    days = []
    for number, minutes in enumerate(overtime):
        end = 17 * 60 + minutes
        days.append(
            judged("08:00", f"{end // 60:02d}:{end % 60:02d}", day=MONDAY + timedelta(days=number), planned=LONG)
        )
    sunday = MONDAY + timedelta(days=6)
    planned = plan(sunday, None, kind=DayKind.REST_DAY)
    days.append(judged("08:00", f"{8 + on_sunday // 60:02d}:00", day=sunday, planned=planned))
    return days


def test_overtime_on_sunday_does_not_count_for_the_cap_of_a_week() -> None:
    """19 hours of which 5 on Sunday are within 18."""
    assert exceptions_of_week(week(180, 180, 180, 180, 120, on_sunday=300), today=FRIDAY) == ()


def test_more_than_eighteen_hours_of_work_days_are_over_the_cap() -> None:
    """19 hours, none ordered."""
    (found,) = exceptions_of_week(week(240, 240, 240, 240, 180), today=FRIDAY)
    expected = DayException(ExceptionKind.OVERTIME_OVER_CAP_UNORDERED, Severity.CRITICAL, MONDAY, 1140, is_of_week=True)
    assert found == expected


def test_each_kind_has_a_label() -> None:
    """People read it."""
    assert set(LABELS) == set(ExceptionKind)

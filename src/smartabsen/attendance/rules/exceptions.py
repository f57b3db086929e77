"""What somebody must look at before a month is closed: exceptions of days and weeks, with a severity that firms set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from ...kernel.i18n import N_
from .model import ID_2021, DayKind, DayResult, DayStatus, Limits, Minutes
from .week import monday_of


class Severity(StrEnum):
    """How much an exception matters; critical ones keep a period from being closed."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class ExceptionKind(StrEnum):
    """What is not as it should be."""

    FORGOTTEN_DEPARTURE = "forgotten-departure"
    ABSENT = "absent"
    OVERTIME_UNORDERED = "overtime-unordered"
    """Overtime that no order covers, within the caps."""
    OVERTIME_OVER_CAP = "overtime-over-cap"
    """Overtime over the caps, and all of it ordered."""
    OVERTIME_OVER_CAP_UNORDERED = "overtime-over-cap-unordered"
    UNTRUSTED_CLOCK = "untrusted-clock"
    OUTSIDE_ROSTER = "outside-roster"


LABELS: Final[Mapping[ExceptionKind, str]] = {
    ExceptionKind.FORGOTTEN_DEPARTURE: N_("Forgotten departure"),
    ExceptionKind.ABSENT: N_("Absent without leave"),
    ExceptionKind.OVERTIME_UNORDERED: N_("Overtime without an order"),
    ExceptionKind.OVERTIME_OVER_CAP: N_("Overtime over the caps"),
    ExceptionKind.OVERTIME_OVER_CAP_UNORDERED: N_("Overtime over the caps without an order"),
    ExceptionKind.UNTRUSTED_CLOCK: N_("Punch by a clock that cannot be trusted"),
    ExceptionKind.OUTSIDE_ROSTER: N_("Punch outside the roster"),
}


@dataclass(frozen=True, slots=True)
class ExceptionRule:
    """How a firm treats one kind.

    Attributes:
        severity: How much it matters.
        grace: Minutes that are tolerated, where the kind counts minutes.
        window_days: For how many days after the date it is raised; None for always.
    """

    severity: Severity
    grace: int = 0
    window_days: int | None = None


DEFAULT_RULES: Final[Mapping[ExceptionKind, ExceptionRule]] = {
    ExceptionKind.FORGOTTEN_DEPARTURE: ExceptionRule(Severity.CRITICAL),
    ExceptionKind.ABSENT: ExceptionRule(Severity.HIGH),
    ExceptionKind.OVERTIME_UNORDERED: ExceptionRule(Severity.MEDIUM, grace=15),
    ExceptionKind.OVERTIME_OVER_CAP: ExceptionRule(Severity.HIGH),
    ExceptionKind.OVERTIME_OVER_CAP_UNORDERED: ExceptionRule(Severity.CRITICAL),
    ExceptionKind.UNTRUSTED_CLOCK: ExceptionRule(Severity.CRITICAL),
    ExceptionKind.OUTSIDE_ROSTER: ExceptionRule(Severity.LOW),
}


@dataclass(frozen=True, slots=True)
class DayException:
    """One exception.

    Attributes:
        work_date: Of the day; of a week, its Monday.
        minutes: What it counts: overtime, or minutes that are missing; 0 where it counts none.
        punch_id: Of a punch that it is about, else None.
        suggested_out: Of a forgotten departure, what the shift suggests.
        is_of_week: Whether it is about the week as a whole.
    """

    kind: ExceptionKind
    severity: Severity
    work_date: date
    minutes: int = 0
    punch_id: int | None = None
    suggested_out: datetime | None = None
    is_of_week: bool = False


@dataclass(frozen=True, slots=True)
class ExceptionPolicy:
    """What a firm set for each kind, and the caps of the ruleset; kinds that are missing keep the default."""

    rules: Mapping[ExceptionKind, ExceptionRule] = field(default_factory=dict)
    limits: Limits = ID_2021

    def rule(self, kind: ExceptionKind) -> ExceptionRule:
        """Return how a kind is treated."""
        return self.rules.get(kind, DEFAULT_RULES[kind])


def exceptions_of(
    result: DayResult, *, today: date, policy: ExceptionPolicy | None = None, is_exempt: bool = False
) -> tuple[DayException, ...]:
    """Return what is not as it should be about one day.

    Args:
        today: Local date of the question, for windows.
        policy: None for the defaults.
        is_exempt: Whether the person's overtime is not paid: then it needs no order.
    """
    policy = policy or ExceptionPolicy()
    found: list[DayException] = []

    def add(
        kind: ExceptionKind, minutes: int = 0, punch_id: int | None = None, suggested: datetime | None = None
    ) -> None:
        rule = policy.rule(kind)
        is_past = rule.window_days is not None and (today - result.work_date).days > rule.window_days
        if not is_past and (minutes == 0 or minutes > rule.grace):
            found.append(DayException(kind, rule.severity, result.work_date, minutes, punch_id, suggested))

    if result.clock_in is not None and result.clock_out is None and result.is_final:
        add(ExceptionKind.FORGOTTEN_DEPARTURE, suggested=result.suggested_out)
    if result.status is DayStatus.ABSENT:
        add(ExceptionKind.ABSENT, minutes=result.count(Minutes.MISSING))
    overtime = result.count(Minutes.OVERTIME)
    open_minutes = overtime - result.count(Minutes.OVERTIME_APPROVED)
    if overtime and not is_exempt:
        is_over = result.kind is DayKind.WORKDAY and overtime > policy.limits.overtime_day
        if is_over and open_minutes:
            add(ExceptionKind.OVERTIME_OVER_CAP_UNORDERED, minutes=overtime)
        elif is_over:
            add(ExceptionKind.OVERTIME_OVER_CAP, minutes=overtime)
        elif open_minutes:
            add(ExceptionKind.OVERTIME_UNORDERED, minutes=open_minutes)
    for punch_id in result.unsure_ids:
        add(ExceptionKind.UNTRUSTED_CLOCK, punch_id=punch_id)
    for punch_id in result.outside_ids:
        add(ExceptionKind.OUTSIDE_ROSTER, punch_id=punch_id)
    return tuple(found)


def exceptions_of_week(
    results: Sequence[DayResult], *, today: date, policy: ExceptionPolicy | None = None, is_exempt: bool = False
) -> tuple[DayException, ...]:
    """Return what is not as it should be about a week: overtime over its cap. Rest days and holidays do not count.

    Args:
        results: Of one person and one week.
    """
    policy = policy or ExceptionPolicy()
    counted = [day for day in results if day.kind is DayKind.WORKDAY]
    overtime = sum(day.count(Minutes.OVERTIME) for day in counted)
    if is_exempt or overtime <= policy.limits.overtime_week:
        return ()
    approved = sum(day.count(Minutes.OVERTIME_APPROVED) for day in counted)
    kind = ExceptionKind.OVERTIME_OVER_CAP if approved >= overtime else ExceptionKind.OVERTIME_OVER_CAP_UNORDERED
    rule, monday = policy.rule(kind), monday_of(counted[0].work_date)
    if overtime <= rule.grace or (rule.window_days is not None and (today - monday).days > rule.window_days + 6):
        return ()
    return (DayException(kind, rule.severity, monday, overtime, is_of_week=True),)

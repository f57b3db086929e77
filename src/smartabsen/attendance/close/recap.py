"""What the days of one person add up to in a period: days by status, minutes by kind, overtime by tier, money. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Final

from ...kernel.errors import InvalidInputError
from ..leave.model import LeaveSum
from ..rules.model import DayResult, DayStatus, Minutes
from ..rules.overtime import OvertimeTerms, Wage, hour_wage, round_half_up, split, wage_base


@dataclass(frozen=True, slots=True)
class PayTerms:
    """By what the overtime of one date is paid.

    Attributes:
        terms: The law, the week of the contract, and what the firm decided; None where no law is known.
        wage: What the person earned on that date; None where it is not known.
        is_exempt: Whether overtime is not paid.
    """

    terms: OvertimeTerms | None
    wage: Wage | None = None
    is_exempt: bool = False


PayOf = Callable[[date], PayTerms]
"""Gives the terms of a date."""


def unpaid(_day: date) -> PayTerms:
    """Say that nothing is known of pay: minutes are counted, units and money are not."""
    return PayTerms(None)


@dataclass(frozen=True, slots=True)
class OvertimeSum:
    """Overtime of one person in a period.

    Attributes:
        minutes: By the clock.
        approved: What orders with consent and approval cover: only that is paid.
        tiers: Minutes of it by multiplier.
        units: Hours, each times its multiplier.
        exact: Rupiah before rounding; None where a wage is missing on a day with paid overtime.
        unpayable: Days whose overtime passes the last step of the law, which the firm refuses.
    """

    minutes: int = 0
    approved: int = 0
    tiers: Mapping[Fraction, Fraction] = field(default_factory=dict)
    units: Fraction = Fraction(0)
    exact: Fraction | None = Fraction(0)
    unpayable: tuple[date, ...] = ()

    @property
    def amount(self) -> int | None:
        """Whole rupiah, rounded half up once; None where a wage is missing."""
        return None if self.exact is None else round_half_up(self.exact)


NO_LEAVE: Final = LeaveSum()


@dataclass(frozen=True, slots=True)
class Recap:
    """Totals of one person.

    Attributes:
        days: Days by status.
        minutes: Minutes by kind.
        late_days, early_days: Days on which the person came late, or left early.
        overtime: See :class:`OvertimeSum`.
        leave: See :class:`LeaveSum`.
    """

    days: Mapping[DayStatus, int]
    minutes: Mapping[Minutes, int]
    late_days: int
    early_days: int
    overtime: OvertimeSum
    leave: LeaveSum = NO_LEAVE

    def count(self, status: DayStatus) -> int:
        """Return the days of a status."""
        return self.days.get(status, 0)


def recap(results: Iterable[DayResult], pay: PayOf = unpaid, *, leave: LeaveSum = NO_LEAVE) -> Recap:
    """Return what days of one person add up to; their order does not matter."""
    days: Counter[DayStatus] = Counter()
    minutes: Counter[Minutes] = Counter()
    late = early = 0
    known = sorted(results, key=lambda each: each.work_date)
    for result in known:
        days[result.status] += 1
        minutes.update(result.minutes)
        late += result.count(Minutes.LATE) > 0
        early += result.count(Minutes.EARLY) > 0
    return Recap(dict(days), {k: n for k, n in minutes.items() if n}, late, early, overtime_of(known, pay), leave)


def overtime_of(results: Iterable[DayResult], pay: PayOf) -> OvertimeSum:
    """Return what the overtime of days is worth: added exactly, to be rounded once."""
    minutes = approved = 0
    tiers: dict[Fraction, Fraction] = {}
    units, exact, unpayable = Fraction(0), Fraction(0), []
    is_known = True
    for result in results:
        minutes += result.count(Minutes.OVERTIME)
        paid = result.count(Minutes.OVERTIME_APPROVED)
        approved += paid
        on = pay(result.work_date)
        if not paid or on.is_exempt or on.terms is None:
            continue
        try:
            parts = split(Fraction(paid, 60), result.kind, on.terms)
        except InvalidInputError:
            unpayable.append(result.work_date)
            continue
        for part in parts:
            tiers[part.multiplier] = tiers.get(part.multiplier, Fraction(0)) + (part.to_hour - part.from_hour) * 60
        of_day = sum((part.units for part in parts), Fraction(0))
        units += of_day
        if on.wage is None:
            is_known = False
        else:
            exact += of_day * hour_wage(wage_base(on.wage, on.terms), on.terms)
    return OvertimeSum(minutes, approved, tiers, units, exact if is_known else None, tuple(unpayable))

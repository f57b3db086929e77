"""What overtime is worth: units by the steps of the law, and money. Pure, in exact fractions.

Nothing is rounded on the way: an amount is rounded half up to whole rupiah once, for a person and a period. A firm that
rounds the hour's wage first says so (:class:`HourRounding`), as the ministry does in its examples.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import floor
from typing import Final

from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_
from .model import DayKind
from .ruleset import Ruleset

HOURS_OF_A_DAY: Final = 24
PAST_TIERS_TIMES: Final = Fraction(4)
"""What an hour past the last step counts where the firm pays it: as much as one of the last step."""
PAST_TIERS_ARTICLE: Final = "past_tiers=4x"
_CLOCK: Final = re.compile(r"(\d{1,3}):([0-5]\d)")
_DECIMAL: Final = re.compile(r"\d{1,3}(?:[.,]\d{1,9})?")


class HourRounding(StrEnum):
    """What becomes of the hour's wage before it is multiplied."""

    EXACT = "exact"
    FLOOR = "floor"
    """Cut to whole rupiah, as in the ministry's examples."""
    HALF_UP = "half_up"


class PastTiers(StrEnum):
    """What becomes of hours past the last step of the law."""

    REFUSE = "refuse"
    FOUR_TIMES = "4x"


@dataclass(frozen=True, slots=True)
class Wage:
    """What a person earns, in rupiah.

    Attributes:
        basic: Basic pay of a month, without allowances.
        fixed: Fixed allowances of a month.
        variable: Allowances of a month that depend on something, as on attendance.
        daily: Wage of a day, for those who are paid by day; the three others are 0 then.
        minimum: The minimum wage at the place of work; 0 where it is not known.
    """

    basic: Fraction = Fraction(0)
    fixed: Fraction = Fraction(0)
    variable: Fraction = Fraction(0)
    daily: Fraction | None = None
    minimum: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class WageBase:
    """The month's base of the hour's wage, and the articles that gave it."""

    amount: Fraction
    articles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OvertimePart:
    """A stretch of overtime with one multiplier: ``from_hour`` 1 and ``to_hour`` 3 are the second and third hour."""

    from_hour: Fraction
    to_hour: Fraction
    multiplier: Fraction
    article: str

    @property
    def units(self) -> Fraction:
        """Hours times multiplier."""
        return (self.to_hour - self.from_hour) * self.multiplier


@dataclass(frozen=True, slots=True)
class OvertimeTerms:
    """By what overtime is judged: the law, the week of the contract, and what the law leaves to the firm."""

    ruleset: Ruleset
    week: int = 5
    hour_rounding: HourRounding = HourRounding.EXACT
    past_tiers: PastTiers = PastTiers.REFUSE


@dataclass(frozen=True, slots=True)
class OvertimeExplained:
    """One stretch of overtime, explained.

    Attributes:
        units: Hours, each times its multiplier.
        hour_wage: Rupiah, rounded as the firm says.
        exact: Rupiah before rounding.
        amount: Whole rupiah, rounded half up.
        base: The month's base of the wage.
        ruleset: Code of the law.
    """

    units: Fraction
    hour_wage: Fraction
    exact: Fraction
    amount: int
    parts: tuple[OvertimePart, ...]
    base: WageBase
    ruleset: str


def parse_hours(text: str) -> Fraction:
    """Return the hours that a person wrote: ``3``, ``1.5``, ``1,5`` or ``1:30``.

    Raises:
        InvalidInputError: It is none of these, or more than a day.
    """
    given = text.strip()
    if found := _CLOCK.fullmatch(given):
        hours = Fraction(int(found[1])) + Fraction(int(found[2]), 60)
    elif _DECIMAL.fullmatch(given):
        hours = Fraction(given.replace(",", "."))
    else:
        raise InvalidInputError(N_("“{given}” is no number of hours: write 3, 1.5 or 1:30."), given=given[:40])
    if hours > HOURS_OF_A_DAY:
        raise InvalidInputError(N_("Overtime of {hours} hours does not fit into a day."), hours=given)
    return hours


def wage_base(wage: Wage, terms: OvertimeTerms) -> WageBase:
    """Return the month's base of the hour's wage.

    Basic pay and fixed allowances; where these are less than the law's share of everything, that share of everything;
    a daily wage times the law's days; and at least the minimum wage.

    Raises:
        InvalidInputError: A part is negative, both kinds of wages are given, or nothing is.
    """
    law = terms.ruleset.wage
    _check(wage)
    if wage.daily is not None:
        amount = wage.daily * law.daily_days[_checked_week(terms)]
        articles = (law.daily_article,)
    else:
        certain, everything = wage.basic + wage.fixed, wage.basic + wage.fixed + wage.variable
        amount, articles = certain, (law.divisor_article,)
        if certain < law.fixed_share * everything:
            amount, articles = law.fixed_share * everything, (law.fixed_share_article,)
    if amount < wage.minimum:
        return WageBase(wage.minimum, (*articles, law.minimum_article))
    return WageBase(amount, articles)


def hour_wage(base: WageBase, terms: OvertimeTerms) -> Fraction:
    """Return the wage of an hour, rounded as the firm says."""
    exact = base.amount / terms.ruleset.wage.divisor
    if terms.hour_rounding is HourRounding.FLOOR:
        return Fraction(floor(exact))
    if terms.hour_rounding is HourRounding.HALF_UP:
        return Fraction(round_half_up(exact))
    return exact


def split(hours: Fraction, kind: DayKind, terms: OvertimeTerms) -> tuple[OvertimePart, ...]:
    """Return the steps that hours of overtime on one kind of day fall into, in order.

    Raises:
        InvalidInputError: The hours are negative or pass the last step (and the firm refuses those), or the week has
            no such day.
    """
    if hours < 0:
        raise InvalidInputError(N_("Overtime cannot be less than nothing."))
    table = terms.ruleset.tiers.get((kind, _checked_week(terms)))
    if table is None:
        raise InvalidInputError(
            N_("A week of {week} days has no overtime of the kind “{kind}”."), week=terms.week, kind=kind.value
        )
    parts: list[OvertimePart] = []
    begin = Fraction(0)
    for step in table.steps:
        if begin >= hours:
            break
        end = hours if step.hours is None else min(hours, begin + step.hours)
        parts.append(OvertimePart(begin, end, step.times, table.article))
        begin = end
    if begin < hours:
        if terms.past_tiers is PastTiers.REFUSE:
            raise InvalidInputError(
                N_("The law has no multiplier past {most} hours on such a day ({article})."),
                hint=N_("Check the hours; where they are right and paid four times: past_tiers=4x."),
                most=_plain(begin),
                article=table.article,
            )
        parts.append(OvertimePart(begin, hours, PAST_TIERS_TIMES, PAST_TIERS_ARTICLE))
    return tuple(parts)


def units_of(parts: Iterable[OvertimePart]) -> Fraction:
    """Return hours times multipliers."""
    return sum((part.units for part in parts), Fraction(0))


def explain(hours: Fraction, kind: DayKind, wage: Wage, terms: OvertimeTerms) -> OvertimeExplained:
    """Return what hours of overtime on one day are worth, and why.

    Raises:
        InvalidInputError: See :func:`wage_base` and :func:`split`.
    """
    parts, base = split(hours, kind, terms), wage_base(wage, terms)
    units, wage_of_hour = units_of(parts), hour_wage(base, terms)
    exact = units * wage_of_hour
    return OvertimeExplained(units, wage_of_hour, exact, round_half_up(exact), parts, base, terms.ruleset.code)


def amount_of_period(explained: Iterable[OvertimeExplained]) -> int:
    """Return what the overtime of one person in a period is worth: the exact amounts, added, and rounded once."""
    return round_half_up(sum((each.exact for each in explained), Fraction(0)))


def round_half_up(value: Fraction) -> int:
    """Return the nearest whole number, the larger one of two as near."""
    return floor(value + Fraction(1, 2))


def decimal_text(value: Fraction, *, places: int = 6) -> str:
    """Return a fraction as a decimal, rounded half up, without zeros at its end: ``5.5``, ``28901.734104``."""
    scaled = round_half_up(value * 10**places)
    whole, part = divmod(scaled, 10**places)
    return f"{whole}.{part:0{places}d}".rstrip("0").rstrip(".")


def _plain(value: Fraction) -> str:
    return decimal_text(value, places=2)


def _checked_week(terms: OvertimeTerms) -> int:
    if terms.week not in terms.ruleset.day_minutes:
        raise InvalidInputError(N_("A week of work has 5 or 6 days, not {week}."), week=terms.week)
    return terms.week


def _check(wage: Wage) -> None:
    monthly = (wage.basic, wage.fixed, wage.variable)
    if min(*monthly, wage.daily or 0, wage.minimum) < 0:
        raise InvalidInputError(N_("A wage cannot be less than nothing."))
    if wage.daily is not None and any(monthly):
        raise InvalidInputError(N_("Somebody is paid by day or by month, not both."))
    if wage.daily is None and not any(monthly) and not wage.minimum:
        raise InvalidInputError(N_("The wage is missing: basic pay of a month, or the wage of a day."))

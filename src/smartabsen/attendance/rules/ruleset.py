"""A ruleset of law as data: what holds from a date on. Frozen; :mod:`..policy.rulesets` reads the shipped ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from .model import DayKind, DayStatus


@dataclass(frozen=True, slots=True)
class Tier:
    """A step of overtime: so many hours that count so many times an hour's wage.

    Attributes:
        hours: None for a step without an end.
    """

    hours: Fraction | None
    times: Fraction


@dataclass(frozen=True, slots=True)
class TierTable:
    """The steps of overtime on one kind of day, in order, and where they are written."""

    steps: tuple[Tier, ...]
    article: str


@dataclass(frozen=True, slots=True)
class OvertimeCaps:
    """How much overtime may be asked of a person.

    Attributes:
        not_counted: Kinds of days whose overtime the caps leave out.
    """

    day_minutes: int
    week_minutes: int
    not_counted: frozenset[DayKind]
    article: str


@dataclass(frozen=True, slots=True)
class WageLaw:
    """How the hour's wage follows from the pay.

    Attributes:
        divisor: The hour's wage is the month's base divided by this.
        fixed_share: Share of everything below which basic pay and fixed allowances are raised to it.
        daily_days: Days of a month that daily wages are multiplied by, for each week of contract.
    """

    divisor: int
    divisor_article: str
    fixed_share: Fraction
    fixed_share_article: str
    daily_days: Mapping[int, int]
    daily_article: str
    minimum_article: str


@dataclass(frozen=True, slots=True)
class BreakLaw:
    """The break that is due: so many minutes after so many minutes of work in a row."""

    after_minutes: int
    minutes: int
    article: str


@dataclass(frozen=True, slots=True)
class LeaveKind:
    """A kind of leave.

    Attributes:
        code: As ``tahunan``; what requests and the ledger name.
        label: What people call it, in the firm's language.
        status: What a day is called that it covers wholly: LEAVE, EXCUSED, SICK or DUTY.
        account: Code of the balance that it is taken from; empty where no balance limits it.
        most_days: Days of one request; None without a limit.
        extended_days: The same with a letter (an attachment).
        calendar: Whether days off inside it count as well.
        counts_as_work: Whether what it covers counts as worked.
        right: What the law or the firm gives, in words.
        paid: How much of the wage is paid, in words.
        article: Where it is written; empty for kinds of the firm.
        is_active: Whether it may be asked for.
    """

    code: str
    label: str
    status: DayStatus
    account: str = ""
    most_days: int | None = None
    extended_days: int | None = None
    calendar: bool = False
    counts_as_work: bool = False
    right: str = ""
    paid: str = ""
    article: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Ruleset:
    """The law from a date on; each is read once, so it is equal to itself alone.

    Attributes:
        code: Stable name, as ``id-2021``; results of days keep it.
        day_minutes: Working time of a day by week of contract (5 or 6 days).
        week_minutes: Working time of a week.
        tiers: Steps of overtime by kind of day and week of contract.
        food_from_minutes: Overtime of one day from which food is due.
        leave: The kinds that the law knows.
    """

    code: str
    name: str
    valid_from: date
    day_minutes: Mapping[int, int]
    week_minutes: int
    hours_article: str
    tiers: Mapping[tuple[DayKind, int], TierTable]
    caps: OvertimeCaps
    food_from_minutes: int
    food_article: str
    rest: BreakLaw
    exempt_article: str
    order_article: str
    wage: WageLaw
    leave: tuple[LeaveKind, ...]

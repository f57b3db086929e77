"""How much overtime may be asked of a person: findings, never a refusal. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from .model import DayKind
from .ruleset import OvertimeCaps


@dataclass(frozen=True, slots=True)
class OvertimeOfDay:
    """Minutes of overtime on a date, and which kind of day it is for the person."""

    day: date
    minutes: int
    kind: DayKind = DayKind.WORKDAY


@dataclass(frozen=True, slots=True)
class CapFinding:
    """A cap that is exceeded.

    Attributes:
        rule: ``overtime.cap_day`` or ``overtime.cap_week``.
        day: The date, or the Monday of the week.
        minutes: What the cap counts.
        cap: Minutes that are allowed.
        article: Where that is written.
    """

    rule: str
    day: date
    minutes: int
    cap: int
    article: str


def over_caps(overtime: Iterable[OvertimeOfDay], caps: OvertimeCaps) -> tuple[CapFinding, ...]:
    """Return which caps one person's overtime exceeds, by date; a week begins on Monday.

    Overtime on days that the law does not count (rest days, holidays) is left out of both.
    """
    by_day: dict[date, int] = defaultdict(int)
    by_week: dict[date, int] = defaultdict(int)
    for each in overtime:
        if each.kind not in caps.not_counted:
            by_day[each.day] += each.minutes
            by_week[each.day - timedelta(days=each.day.weekday())] += each.minutes
    days = [
        CapFinding("overtime.cap_day", day, minutes, caps.day_minutes, caps.article)
        for day, minutes in by_day.items()
        if minutes > caps.day_minutes
    ]
    weeks = [
        CapFinding("overtime.cap_week", day, minutes, caps.week_minutes, caps.article)
        for day, minutes in by_week.items()
        if minutes > caps.week_minutes
    ]
    return tuple(sorted([*days, *weeks], key=lambda found: (found.day, found.rule)))

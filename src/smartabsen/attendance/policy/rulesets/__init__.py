"""Rulesets of law that the program ships, read from the TOML files of this folder."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from ....kernel.errors import InvalidInputError, NotFoundError
from ....kernel.i18n import N_
from ...rules.model import DayKind, DayStatus
from ...rules.ruleset import BreakLaw, LeaveKind, OvertimeCaps, Ruleset, Tier, TierTable, WageLaw


@cache
def all_rulesets() -> tuple[Ruleset, ...]:
    """Return the rulesets that are shipped, the oldest first."""
    found = (each for each in files(__name__).iterdir() if each.name.endswith(".toml"))
    rulesets = (parse_ruleset(tomllib.loads(each.read_text(encoding="utf-8"))) for each in found)
    return tuple(sorted(rulesets, key=lambda each: each.valid_from))


def find_ruleset(on: date) -> Ruleset | None:
    """Return the ruleset in force on a date; None before the first one."""
    in_force = [each for each in all_rulesets() if each.valid_from <= on]
    return in_force[-1] if in_force else None


def ruleset_on(on: date) -> Ruleset:
    """Return the ruleset in force on a date.

    Raises:
        InvalidInputError: The date is before the first one.
    """
    found = find_ruleset(on)
    if found is None:
        first = all_rulesets()[0]
        raise InvalidInputError(
            N_("No ruleset is known for {date}: the first one, {name}, holds from {first}."),
            date=on,
            name=first.code,
            first=first.valid_from,
        )
    return found


def get_ruleset(code: str) -> Ruleset:
    """Return the ruleset with a code.

    Raises:
        NotFoundError: There is none.
    """
    for each in all_rulesets():
        if each.code == code:
            return each
    known = ", ".join(each.code for each in all_rulesets())
    raise NotFoundError(N_("There is no ruleset {code}; known are: {known}."), code=code, known=known)


def parse_ruleset(facts: Mapping[str, Any]) -> Ruleset:
    """Return the ruleset that the parsed TOML describes. Raises KeyError or ValueError for one that lacks something."""
    caps, wage = facts["caps"], facts["wage"]
    tiers = {(DayKind(each["kind"]), week): _table(each) for each in facts["tiers"] for week in each["weeks"]}
    return Ruleset(
        code=facts["code"],
        name=facts["name"],
        valid_from=facts["valid_from"],
        day_minutes=_by_week(facts["hours"]["day_minutes"]),
        week_minutes=facts["hours"]["week_minutes"],
        hours_article=facts["hours"]["article"],
        tiers=MappingProxyType(tiers),
        caps=OvertimeCaps(
            caps["day_minutes"],
            caps["week_minutes"],
            frozenset(DayKind(each) for each in caps["not_counted"]),
            caps["article"],
        ),
        food_from_minutes=facts["food"]["from_minutes"],
        food_article=facts["food"]["article"],
        rest=BreakLaw(facts["break"]["after_minutes"], facts["break"]["minutes"], facts["break"]["article"]),
        exempt_article=facts["exempt"]["article"],
        order_article=facts["order"]["article"],
        wage=WageLaw(
            divisor=wage["divisor"],
            divisor_article=wage["divisor_article"],
            fixed_share=Fraction(wage["fixed_share"]),
            fixed_share_article=wage["fixed_share_article"],
            daily_days=_by_week(wage["daily_days"]),
            daily_article=wage["daily_article"],
            minimum_article=wage["minimum_article"],
        ),
        leave=tuple(LeaveKind(**{**each, "status": DayStatus(each["status"])}) for each in facts["leave"]),
    )


def _by_week(table: Mapping[str, int]) -> Mapping[int, int]:
    return MappingProxyType({int(week): value for week, value in table.items()})


def _table(facts: Mapping[str, Any]) -> TierTable:
    steps = (
        Tier(Fraction(each["hours"]) if "hours" in each else None, Fraction(each["times"])) for each in facts["steps"]
    )
    return TierTable(tuple(steps), facts["article"])

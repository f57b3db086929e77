"""Which decision of the firm holds for a person on a date. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any, Final

from ..rules.exceptions import DEFAULT_RULES, ExceptionKind, ExceptionRule, Severity
from ..rules.model import DayKind, Limits, Terms
from ..rules.ruleset import Ruleset
from ..standing import Scope, Standing
from .model import INHERIT, KEYS, Policy, PolicyEntry

_NEAREST_FIRST: Final = (Scope.EMPLOYEE, Scope.DEPARTMENT, Scope.SITE, Scope.FIRM)


class PolicyTable:
    """The decisions of a firm, ready to be asked for many people and dates.

    The nearest scope wins (person, department, site, firm); in it the newest decision that holds on the date.

    Args:
        entries: All decisions, in any order.
    """

    def __init__(self, entries: Iterable[PolicyEntry]) -> None:
        self._entries: dict[tuple[Scope, int], list[PolicyEntry]] = defaultdict(list)
        for entry in sorted(entries, key=lambda each: (each.valid_from, each.id)):
            self._entries[entry.scope, entry.scope_id].append(entry)
        self._known: dict[tuple[int, int, int, date], Policy] = {}

    def policy(self, employee_id: int, standing: Standing, on: date) -> Policy:
        """Return the policies in force for a person on a date."""
        person = employee_id if (Scope.EMPLOYEE, employee_id) in self._entries else 0
        asked = (person, standing.department_id, standing.site_id, on)
        if asked not in self._known:
            self._known[asked] = self._resolve(asked)
        return self._known[asked]

    def _resolve(self, asked: tuple[int, int, int, date]) -> Policy:
        person, department, site, on = asked
        ids = {Scope.EMPLOYEE: person, Scope.DEPARTMENT: department, Scope.SITE: site, Scope.FIRM: 0}
        values: dict[str, Any] = {}
        for scope in _NEAREST_FIRST:
            if scope is not Scope.FIRM and not ids[scope]:
                continue
            newest = {
                each.name: each.value for each in self._entries.get((scope, ids[scope]), ()) if each.valid_from <= on
            }
            for name, value in newest.items():
                if value != INHERIT and name in KEYS:
                    values.setdefault(name, KEYS[name].read(value))
        return Policy(**values)


def terms_of(policy: Policy, standing: Standing, ruleset: Ruleset | None) -> Terms:
    """Return what the rules of a day ask of law, contract and firm.

    Args:
        ruleset: In force on the date; None before the first one.
    """
    return Terms(
        ruleset=ruleset.code if ruleset is not None else "",
        week=standing.week,
        exempt=standing.exempt,
        employed=standing.employed,
        min_departure=policy.min_departure,
        same_punch=policy.same_punch,
        overtime_least=policy.overtime_least,
        break_by_law=policy.break_by_law,
        limits=limits_of(ruleset, standing.week) if ruleset is not None else Limits(),
    )


@lru_cache(maxsize=16)
def limits_of(ruleset: Ruleset, week: int) -> Limits:
    """Return what a ruleset limits, with the articles for a week of contract."""
    tiers = ruleset.tiers
    of_days = {kind.value: tiers[kind, each].article for each in (6, week) for kind in DayKind if (kind, each) in tiers}
    articles = {
        "overtime_day": ruleset.caps.article,
        "overtime_week": ruleset.caps.article,
        "food_after": ruleset.food_article,
        "break_after": ruleset.rest.article,
        "order": ruleset.order_article,
        "exempt": ruleset.exempt_article,
        **of_days,
    }
    return Limits(
        overtime_day=ruleset.caps.day_minutes,
        overtime_week=ruleset.caps.week_minutes,
        food_after=ruleset.food_from_minutes,
        break_after=ruleset.rest.after_minutes,
        break_least=ruleset.rest.minutes,
        articles=articles,
    )


def exception_rules(policy: Policy) -> Mapping[ExceptionKind, ExceptionRule]:
    """Return how exceptions are treated: those that a policy calls critical are, others are not."""
    return {
        kind: replace(
            rule,
            severity=_severity(kind, rule, policy),
            grace=policy.unordered_grace if kind is ExceptionKind.OVERTIME_UNORDERED else rule.grace,
            window_days=policy.exception_window or None,
        )
        for kind, rule in DEFAULT_RULES.items()
    }


def _severity(kind: ExceptionKind, rule: ExceptionRule, policy: Policy) -> Severity:
    if kind in policy.critical:
        return Severity.CRITICAL
    return Severity.HIGH if rule.severity is Severity.CRITICAL else rule.severity

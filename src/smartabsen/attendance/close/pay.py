"""By what overtime is paid: law, policies, contract and wage of people on dates, read at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from fractions import Fraction
from typing import TypeAlias

from ...people.employment.model import DatedWage, Employment
from ...people.employment.service import histories
from ...store.database import Session
from ..policy.model import Policy
from ..policy.rulesets import find_ruleset
from ..policy.service import Policies
from ..rules.exceptions import DEFAULT_RULES, ExceptionKind, ExceptionPolicy, ExceptionRule, Severity
from ..rules.overtime import OvertimeTerms, Wage
from .recap import PayOf, PayTerms

WagesOf: TypeAlias = Callable[[Session, Collection[int] | None], Mapping[int, tuple[DatedWage, ...]]]
"""Opens wages: of everybody for None; see :func:`smartabsen.people.employment.wages.opened`."""


class PayBook:
    """What holds for people on the dates of a range.

    Args:
        policies: What the firm decides.
        wages: Opens wages; None leaves money out.
    """

    def __init__(
        self,
        session: Session,
        policies: Policies,
        wages: WagesOf | None,
        employee_ids: Collection[int],
        first: date,
        last: date,
    ) -> None:
        self._people = histories(session, employee_ids)
        self._policy = policies.many(session, employee_ids, first, last)
        self._wages = wages(session, employee_ids) if wages is not None and employee_ids else {}

    def employment(self, employee_id: int, day: date) -> Employment:
        """Return what holds for somebody on a date."""
        return self._people[employee_id].on(day)

    def policy(self, employee_id: int, day: date) -> Policy:
        """Return the policies in force for somebody on a date."""
        return self._policy(employee_id, day)

    @property
    def has_wages(self) -> bool:
        """Whether any wage was opened."""
        return bool(self._wages)

    def pay(self, employee_id: int) -> PayOf:
        """Return how to look up by what somebody's overtime is paid."""

        def on(day: date) -> PayTerms:
            law, holds, policy = find_ruleset(day), self.employment(employee_id, day), self.policy(employee_id, day)
            terms = OvertimeTerms(law, holds.week, policy.hour_rounding, policy.past_tiers) if law else None
            return PayTerms(terms, self._wage(employee_id, day), is_exempt=bool(holds.exempt))

        return on

    def exception_policy(self, employee_id: int, day: date) -> ExceptionPolicy:
        """Return how the firm treats exceptions of somebody on a date."""
        policy = self.policy(employee_id, day)
        window = policy.exception_window or None
        rules: dict[ExceptionKind, ExceptionRule] = {}
        for kind, usual in DEFAULT_RULES.items():
            severity = usual.severity
            if kind in policy.critical:
                severity = Severity.CRITICAL
            elif severity is Severity.CRITICAL:
                severity = Severity.HIGH
            grace = policy.unordered_grace if kind is ExceptionKind.OVERTIME_UNORDERED else usual.grace
            rules[kind] = ExceptionRule(severity, grace, window)
        return ExceptionPolicy(rules)

    def _wage(self, employee_id: int, day: date) -> Wage | None:
        known = [each.wage for each in self._wages.get(employee_id, ()) if each.valid_from <= day]
        if not known:
            return None
        wage = known[-1]
        if wage.daily is None and not (wage.basic or wage.fixed or wage.variable):
            return None
        return Wage(
            Fraction(wage.basic),
            Fraction(wage.fixed),
            Fraction(wage.variable),
            None if wage.daily is None else Fraction(wage.daily),
        )

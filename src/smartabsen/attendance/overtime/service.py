"""Orders for overtime: asked for, agreed to by the worker, approved; the list of them; what hours are worth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from ...kernel.actors import current_actor
from ...kernel.errors import ConflictError, InvalidInputError, NotFoundError
from ...kernel.i18n import N_
from ...kernel.texts import checked_text
from ...org.access import Action
from ...people.directory import get_person, lock_person
from ...store.database import Session
from ...trust.work import Units, Work
from ..policy.rulesets import find_ruleset, ruleset_on
from ..policy.service import Policies
from ..rules.model import DayKind, OvertimeOrder
from ..rules.overtime import HourRounding, OvertimeExplained, OvertimeTerms, PastTiers, Wage, explain
from ..rules.overtime_caps import CapFinding, OvertimeOfDay, over_caps
from ..standing import Authority, WorkCalendar, WorkDayOf
from . import rows
from .model import Order, Ordered

MOST_MINUTES: Final = 24 * 60
_REASON_LENGTH: Final = 500


class Overtime:
    """The overtime of one installation.

    Args:
        units: Where its work is done.
        policies: What the firm decides.
        calendar: Which days people work.
        authority: Who may do what.
    """

    def __init__(self, units: Units, policies: Policies, calendar: WorkCalendar, authority: Authority) -> None:
        self._units = units
        self._policies = policies
        self._calendar = calendar
        self._authority = authority

    def explain(
        self,
        hours: Fraction,
        kind: DayKind,
        wage: Wage,
        *,
        week: int,
        on: date,
        hour_rounding: HourRounding = HourRounding.EXACT,
        past_tiers: PastTiers = PastTiers.REFUSE,
    ) -> OvertimeExplained:
        """Return what hours of overtime are worth by the law of a date, and why; nothing is read or stored.

        Raises:
            InvalidInputError: There is no such day, wage or law; see :func:`.rules.overtime.explain`.
        """
        return explain(hours, kind, wage, OvertimeTerms(ruleset_on(on), week, hour_rounding, past_tiers))

    def order(self, code: str, day: date, minutes: int, *, reason: str = "") -> Ordered:
        """Order overtime. It is paid once the worker agreed and it is approved.

        Returns:
            The order, and which caps the person's orders of that week exceed with it: told, not refused.

        Raises:
            NotFoundError: There is no employee with that code.
            InvalidInputError: The minutes do not fit into a day.
        """
        if not 1 <= minutes <= MOST_MINUTES:
            raise InvalidInputError(
                N_("Overtime has 1 to {most} minutes, not {minutes}."), most=MOST_MINUTES, minutes=minutes
            )
        why = checked_text(reason, field=N_("reason"), limit=_REASON_LENGTH)

        def job(work: Work) -> Ordered:
            person = lock_person(work.session, get_person(work.session, code).id)
            self._authority.require(work.session, work.actor, Action.REQUEST, person.id, day)
            order_id = rows.add(
                work.session, employee_id=person.id, work_date=day, minutes=minutes, reason=why, by=work.actor,
                at=work.now,
            )  # fmt: skip
            details = {"date": str(day), "minutes": str(minutes), "order": str(order_id), "reason": why}
            work.record("overtime.order", subject=person.code, details=details)
            return self._ordered(work.session, order_id)

        return self._units.write(job)

    def consent(self, order_id: int) -> Ordered:
        """Note that the worker agrees to an order. Raises NotFoundError, ConflictError, DeniedError."""
        return self._units.write(lambda work: self._note(work, order_id, "consent", "overtime.consent"))

    def approve(self, order_id: int) -> Ordered:
        """Approve an order. Raises NotFoundError, ConflictError, DeniedError."""
        return self._units.write(lambda work: self._note(work, order_id, "approved", "overtime.approve"))

    def cancel(self, order_id: int) -> Ordered:
        """Take an order back. Raises NotFoundError, ConflictError, DeniedError."""
        return self._units.write(lambda work: self._note(work, order_id, "cancelled", "overtime.cancel"))

    def orders(self, first: date, last: date, *, code: str | None = None) -> tuple[Order, ...]:
        """Return the orders of a period, both ends included: the list that the law asks for. Raises NotFoundError."""
        with self._units.read() as session:
            ids = (get_person(session, code).id,) if code else None
            found = rows.between(session, first, last, employee_ids=ids)
            seen = self._authority.seen(session, current_actor(), {each.employee_id for each in found}, last)
            return self._with_food(session, tuple(each for each in found if each.employee_id in seen))

    def findings(self, first: date, last: date, *, code: str | None = None) -> Mapping[str, tuple[CapFinding, ...]]:
        """Return which caps the orders of a period exceed, by code of the employee; weeks are looked at whole."""
        begin, end = first - timedelta(days=first.weekday()), last + timedelta(days=6 - last.weekday())
        with self._units.read() as session:
            ids = (get_person(session, code).id,) if code else None
            by_code: dict[str, list[Order]] = defaultdict(list)
            known = rows.between(session, begin, end, employee_ids=ids)
            seen = self._authority.seen(session, current_actor(), {each.employee_id for each in known}, last)
            for order in (each for each in known if each.employee_id in seen):
                by_code[order.code].append(order)
            planned = self._calendar.work_days(session, {each.employee_id for each in known}, begin, end)
            found = {each: self._over_caps(orders, planned) for each, orders in by_code.items()}
        return {each: caps for each, caps in found.items() if caps}

    def orders_in_session(
        self, session: Session, employee_ids: Collection[int], first: date, last: date
    ) -> Mapping[tuple[int, date], tuple[OvertimeOrder, ...]]:
        """Return the orders that stand, as the rules of days need them, for many people and dates at once."""
        found: dict[tuple[int, date], list[OvertimeOrder]] = defaultdict(list)
        for order in rows.between(session, first, last, employee_ids=employee_ids):
            if order.cancelled is None:
                found[order.employee_id, order.work_date].append(order.as_rule)
        return {key: tuple(orders) for key, orders in found.items()}

    def orders_on_days(
        self, session: Session, employee_ids: Collection[int], first: date, last: date
    ) -> Callable[[int, date], tuple[OvertimeOrder, ...]]:
        """Return how to look the same up by person and date: a source of the inputs of days."""
        found = self.orders_in_session(session, employee_ids, first, last)
        return lambda employee_id, day: found.get((employee_id, day), ())

    def _note(self, work: Work, order_id: int, what: str, action: str) -> Ordered:
        order = rows.find(work.session, order_id, lock=True)
        if order is None:
            raise NotFoundError(
                N_("There is no order for overtime with the number {id}."),
                hint=N_("“smartabsen overtime list” shows all."),
                id=order_id,
            )
        if order.cancelled is not None:
            raise ConflictError(N_("The order {id} was taken back."), id=order_id)
        if (order.consent if what == "consent" else order.approval if what == "approved" else None) is not None:
            raise ConflictError(N_("That is noted of the order {id} already."), id=order_id)
        about = Action.APPROVE if what == "approved" else Action.REQUEST
        self._authority.require(work.session, work.actor, about, order.employee_id, order.work_date)
        if what == "approved":
            self._authority.require_another(work.session, work.actor, order.employee_id)
        rows.say(work.session, order_id, what, work.actor, work.now)
        details = {"date": str(order.work_date), "minutes": str(order.minutes), "order": str(order_id)}
        work.record(action, subject=order.code, details=details)
        return self._ordered(work.session, order_id)

    def _ordered(self, session: Session, order_id: int) -> Ordered:
        order = rows.find(session, order_id)
        assert order is not None
        monday = order.work_date - timedelta(days=order.work_date.weekday())
        of_week = rows.between(session, monday, monday + timedelta(days=6), employee_ids=(order.employee_id,))
        planned = self._calendar.work_days(session, (order.employee_id,), monday, monday + timedelta(days=6))
        caps = tuple(
            each
            for each in self._over_caps(of_week, planned)
            if each.rule != "overtime.cap_day" or each.day == order.work_date
        )
        (order,) = (each for each in self._with_food(session, of_week) if each.id == order_id)
        return Ordered(order, caps)

    @staticmethod
    def _over_caps(orders: Iterable[Order], planned: WorkDayOf) -> tuple[CapFinding, ...]:
        """Return the caps that one person's orders exceed."""
        standing = [each for each in orders if each.cancelled is None]
        ruleset = find_ruleset(standing[0].work_date) if standing else None
        if ruleset is None:
            return ()
        overtime = (
            OvertimeOfDay(each.work_date, each.minutes, planned(each.employee_id, each.work_date).kind)
            for each in standing
        )
        return over_caps(overtime, ruleset.caps)

    def _with_food(self, session: Session, orders: tuple[Order, ...]) -> tuple[Order, ...]:
        minutes: dict[tuple[int, date], int] = defaultdict(int)
        for each in orders:
            if each.cancelled is None:
                minutes[each.employee_id, each.work_date] += each.minutes
        if not minutes:
            return orders
        policy = self._policies.many(session, {person for person, _ in minutes}, *_ends(day for _, day in minutes))
        due = {(person, day): total >= policy(person, day).food for (person, day), total in minutes.items()}
        return tuple(replace(each, is_food_due=due.get((each.employee_id, each.work_date), False)) for each in orders)


def _ends(days: Iterable[date]) -> tuple[date, date]:
    known = sorted(days)
    return known[0], known[-1]

"""Orders for overtime as people see them. Frozen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ..rules.model import OvertimeOrder
from ..rules.overtime_caps import CapFinding


@dataclass(frozen=True, slots=True)
class Said:
    """Who said it, and when (UTC)."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """An order for overtime (SPL), as the list has it that the law asks for: names and durations.

    Attributes:
        ordered: Who asked for it.
        consent: That the worker agrees; None before.
        approval: That it is approved; None before.
        cancelled: That it was taken back.
        is_food_due: Whether food is due for what is ordered on that day.
    """

    id: int
    employee_id: int
    code: str
    name: str
    work_date: date
    minutes: int
    reason: str
    ordered: Said
    consent: Said | None = None
    approval: Said | None = None
    cancelled: Said | None = None
    is_food_due: bool = False

    @property
    def state(self) -> str:
        """``ordered``, ``agreed``, ``approved`` (without the consent yet), ``in_force`` or ``cancelled``."""
        if self.cancelled is not None:
            return "cancelled"
        if self.consent is not None:
            return "in_force" if self.approval is not None else "agreed"
        return "approved" if self.approval is not None else "ordered"

    @property
    def as_rule(self) -> OvertimeOrder:
        """The order as the rules of a day need it."""
        return OvertimeOrder(self.minutes, self.consent is not None, self.approval is not None)


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order, and the caps that the person's orders of that week exceed with it."""

    order: Order
    findings: tuple[CapFinding, ...]


@dataclass(frozen=True, slots=True)
class OrderedWeek:
    """What one person's orders of a week add up to; those that were taken back do not count.

    Attributes:
        monday: First day of the week.
        minutes: Of all orders.
        in_force: Of those with consent and approval.
        by_day: Minutes on each day from Monday to Sunday.
    """

    monday: date
    code: str
    name: str
    minutes: int
    in_force: int
    by_day: tuple[int, ...]


def by_week(orders: Iterable[Order]) -> tuple[OrderedWeek, ...]:
    """Return orders added up by week and person, by week, then code."""
    known: dict[tuple[date, str], list[Order]] = {}
    for each in orders:
        if each.cancelled is None:
            monday = each.work_date - timedelta(days=each.work_date.weekday())
            known.setdefault((monday, each.code), []).append(each)
    return tuple(
        OrderedWeek(
            monday,
            code,
            found[0].name,
            sum(each.minutes for each in found),
            sum(each.minutes for each in found if each.state == "in_force"),
            tuple(sum(each.minutes for each in found if each.work_date.weekday() == day) for day in range(7)),
        )
        for (monday, code), found in sorted(known.items())
    )

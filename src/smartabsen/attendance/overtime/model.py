"""Orders for overtime as people see them. Frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

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

"""Where and on what terms a person works on a date, and which days are working days: asked of other places.

The services of policy, overtime and leave are given these ports; who builds the program says who answers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ..org.access import Action
from .rules.model import DayKind

if TYPE_CHECKING:
    from ..store.database import Session


class Scope(StrEnum):
    """Whom something holds for, the widest first."""

    FIRM = "firm"
    SITE = "site"
    DEPARTMENT = "department"
    EMPLOYEE = "employee"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where and on what terms a person works on a date.

    Attributes:
        site_id, department_id: 0 for none.
        week: Working days of the week of the contract, 5 or 6.
        exempt: Clause by which overtime is not paid; empty where it is.
        employed: Whether the date lies between joining and leaving.
        joined: First day of the employment; None where it is not known.
    """

    site_id: int = 0
    department_id: int = 0
    week: int = 5
    exempt: str = ""
    employed: bool = True
    joined: date | None = None


StandingOf: TypeAlias = Callable[[int, date], Standing]
"""Standing of a person (row id) on a date."""


class Org(Protocol):
    """What the organisation knows of people, sites and departments."""

    def standings(self, session: Session, employee_ids: Collection[int], first: date, last: date) -> StandingOf:
        """Return how people stand on the dates of a period, read at once."""
        ...

    def scope_id(self, session: Session, scope: Scope, code: str) -> int:
        """Return the row id of a site or a department by its code. Raises NotFoundError."""
        ...

    def scope_code(self, session: Session, scope: Scope, scope_id: int) -> str:
        """Return the code of a site or a department by its row id; empty where it is gone."""
        ...

    def members(self, session: Session, department_id: int, on: date) -> tuple[int, ...]:
        """Return the row ids of the people of a department on a date."""
        ...


@dataclass(frozen=True, slots=True)
class WorkDay:
    """What leave and overtime ask of a day of somebody.

    Attributes:
        is_workday: Whether they are to work: no day off, no holiday and no joint leave that they take.
        kind: Which steps overtime has.
        joint_leave: Whether they would work, and take joint leave.
    """

    is_workday: bool
    kind: DayKind
    joint_leave: bool = False


WorkDayOf: TypeAlias = Callable[[int, date], WorkDay]
"""What a date is for a person (row id)."""


class WorkCalendar(Protocol):
    """Which days people work, by schedule and calendar."""

    def work_days(self, session: Session, employee_ids: Collection[int], first: date, last: date) -> WorkDayOf:
        """Return what the dates of a period are for people, read at once."""
        ...

    def joint_leave(self, session: Session, first: date, last: date) -> tuple[date, ...]:
        """Return the dates of joint leave that the calendar has in a period, whoever takes them."""
        ...


class Authority(Protocol):
    """Who may do what about whom. The program on its machine may do everything, as users of the system do."""

    def require(self, session: Session, actor: str, action: Action, employee_id: int | None, on: date) -> None:
        """Refuse what somebody may not do about a person (row id), or about the whole firm. Raises DeniedError."""
        ...

    def require_another(self, session: Session, actor: str, employee_id: int) -> None:
        """Refuse who decides about themselves. Raises DeniedError."""
        ...

    def seen(self, session: Session, actor: str, employee_ids: Collection[int], on: date) -> frozenset[int]:
        """Return whose attendance somebody sees, of these people."""
        ...

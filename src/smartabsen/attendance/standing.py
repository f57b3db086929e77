"""Where and on what terms a person works on a date, and which days are working days: asked of other places.

The services of policy, overtime and leave are given these ports; what stands here as a default holds where nobody has
said anything: one site without departments, and work from Monday to Friday.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ..kernel.errors import NotFoundError
from ..kernel.i18n import N_
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
    """

    site_id: int = 0
    department_id: int = 0
    week: int = 5
    exempt: str = ""
    employed: bool = True


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


class WorkCalendar(Protocol):
    """Which days people work, by schedule and calendar."""

    def is_workday(self, session: Session, employee_id: int, day: date) -> bool:
        """Return whether somebody is to work on a day: no day off and no holiday."""
        ...

    def kind_of_day(self, session: Session, employee_id: int, day: date) -> DayKind:
        """Return which steps overtime of somebody on a day has."""
        ...


class OneSite:
    """An organisation without sites and departments of its own."""

    def standings(self, session: Session, employee_ids: Collection[int], first: date, last: date) -> StandingOf:  # noqa: ARG002 - of the port
        """Return that everybody works five days a week."""
        return lambda employee_id, day: Standing()  # noqa: ARG005

    def scope_id(self, session: Session, scope: Scope, code: str) -> int:  # noqa: ARG002 - of the port
        """Refuse: there is none."""
        text = N_("There is no site with the code {code}.")
        if scope is Scope.DEPARTMENT:
            text = N_("There is no department with the code {code}.")
        raise NotFoundError(text, code=code)

    def scope_code(self, session: Session, scope: Scope, scope_id: int) -> str:  # noqa: ARG002 - of the port
        """Return nothing."""
        return ""

    def members(self, session: Session, department_id: int, on: date) -> tuple[int, ...]:  # noqa: ARG002 - of the port
        """Return nobody."""
        return ()


class MondayToFriday:
    """A calendar without holidays: work from Monday to Friday."""

    def is_workday(self, session: Session, employee_id: int, day: date) -> bool:  # noqa: ARG002 - of the port
        """Return whether it is none of Saturday and Sunday."""
        return day.weekday() < 5

    def kind_of_day(self, session: Session, employee_id: int, day: date) -> DayKind:
        """Return a work day or a rest day."""
        return DayKind.WORKDAY if self.is_workday(session, employee_id, day) else DayKind.REST_DAY

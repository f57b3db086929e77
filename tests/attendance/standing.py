"""Stand-ins for the ports of attendance: people in sites and departments, and a calendar with holidays."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from smartabsen.attendance.leave.book import LeaveBook, LeavePorts
from smartabsen.attendance.leave.letters import Letters
from smartabsen.attendance.overtime.service import Overtime
from smartabsen.attendance.policy.service import Policies
from smartabsen.attendance.rules.model import DayKind
from smartabsen.attendance.standing import Scope, Standing, StandingOf, WorkDay, WorkDayOf
from smartabsen.kernel.actors import acting_as
from smartabsen.kernel.errors import NotFoundError
from smartabsen.org.access import Action
from smartabsen.store.database import Database, Session
from smartabsen.trust.work import Units


@dataclass
class FakeOrg:
    """People by row id."""

    people: dict[int, Standing] = field(default_factory=dict)
    sites: dict[str, int] = field(default_factory=lambda: {"JKT": 1, "MKS": 2})
    departments: dict[str, int] = field(default_factory=lambda: {"GUDANG": 1, "TOKO": 2})

    def standings(self, session: Session, employee_ids: Collection[int], first: date, last: date) -> StandingOf:
        return lambda employee_id, day: self.people.get(employee_id, Standing())

    def scope_id(self, session: Session, scope: Scope, code: str) -> int:
        known = self.sites if scope is Scope.SITE else self.departments
        if code not in known:
            raise NotFoundError("There is no {code}.", code=code)
        return known[code]

    def scope_code(self, session: Session, scope: Scope, scope_id: int) -> str:
        known = self.sites if scope is Scope.SITE else self.departments
        return next((code for code, row_id in known.items() if row_id == scope_id), "")

    def members(self, session: Session, department_id: int, on: date) -> tuple[int, ...]:
        return tuple(person for person, at in self.people.items() if at.department_id == department_id)


class AnybodyMay:
    """Everybody may do everything."""

    def require(self, session: Session, actor: str, action: Action, employee_id: int | None, on: date) -> None:
        """Allow it."""

    def require_another(self, session: Session, actor: str, employee_id: int) -> None:
        """Allow it."""

    def seen(self, session: Session, actor: str, employee_ids: Collection[int], on: date) -> frozenset[int]:
        return frozenset(employee_ids)


@dataclass
class FakeCalendar:
    """Monday to Friday but for holidays."""

    holidays: set[date] = field(default_factory=set)

    def work_days(self, session: Session, employee_ids: Collection[int], first: date, last: date) -> WorkDayOf:
        def of(employee_id: int, day: date) -> WorkDay:
            if day in self.holidays:
                return WorkDay(False, DayKind.HOLIDAY)
            is_workday = day.weekday() < 5
            return WorkDay(is_workday, DayKind.WORKDAY if is_workday else DayKind.REST_DAY)

        return of


@dataclass
class WorkingTime:
    """The services on one database, with stand-ins that a test may change; ``today`` is what it says."""

    database: Database
    today: date = date(2026, 11, 2)
    org: FakeOrg = field(default_factory=FakeOrg)
    calendar: FakeCalendar = field(default_factory=FakeCalendar)
    letters: Any = None

    def __post_init__(self) -> None:
        self.units = Units(self.database)
        self.policies = Policies(self.units, self.org, AnybodyMay())
        self.overtime = Overtime(self.units, self.policies, self.calendar, AnybodyMay())
        self.leave = LeaveBook(
            self.units,
            policies=self.policies,
            ports=LeavePorts(
                calendar=self.calendar,
                org=self.org,
                authority=AnybodyMay(),
                letters=self.letters or Letters(None, lambda: None),  # type: ignore[arg-type]
            ),
            today=lambda: self.today,
        )

    def one_step(self) -> WorkingTime:
        """Let one approval be enough."""
        self.policies.set("leave_steps", "1", valid_from=date(2020, 1, 1))
        return self


@contextmanager
def as_user(name: str) -> Iterator[None]:
    """Act as somebody."""
    with acting_as(name):
        yield

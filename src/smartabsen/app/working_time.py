"""Where the rules of working time get their inputs: plans, terms, leave and orders of people, read many at once."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ..attendance.leave.book import LeaveBook
from ..attendance.leave.letters import Letters
from ..attendance.overtime.service import Overtime
from ..attendance.policy.service import Policies
from ..attendance.results.book import DayBook
from ..attendance.results.keeping import DayKeeping
from ..attendance.results.look import Place
from ..attendance.results.model import DaySources
from ..attendance.results.service import Results
from ..attendance.rules.model import DayKind, PlannedDay
from ..attendance.schedule.first_shift import (
    SOURCE,
    FirstShift,
    StartOfWork,
    first_version,
    is_usual_workday,
    load,
)
from ..attendance.schedule.planning import load_timetable
from ..attendance.schedule.rules_plan import PlanBook
from ..attendance.standing import Scope, Standing, StandingOf
from ..config import Settings
from ..kernel.once import made_once
from ..org.departments import service as departments
from ..org.sites import service as sites
from ..people.directory import get_person
from ..people.employment.rules import History
from ..people.employment.service import first_added, histories
from ..store.database import Session
from ..trust.work import Units
from .directory import PeopleDirectory

_MANY = 500
"""More people than so many are read as everybody: a list of ids is no help to a database then."""


@dataclass(frozen=True, slots=True)
class PlansOfDays:
    """Plans of dates: what was planned, and the first shift where nobody planned anything.

    Attributes:
        directory: Where people belong.
        here: The first shift by the settings of this machine.
    """

    directory: PeopleDirectory
    here: FirstShift

    def __call__(
        self, session: Session, employee_ids: Collection[int], first: date, last: date, /
    ) -> Callable[[int, date], PlannedDay]:
        """Return how to look up the plan of a person and a date of a range."""
        people = histories(session, employee_ids if len(employee_ids) <= _MANY else None)
        placements = {row_id: self.directory.placed(each, first, last) for row_id, each in people.items()}
        book = PlanBook((), placements, load_timetable(session, first, last))
        first_shift = load(session, self.here)
        founded = first_added(session)
        known: dict[int, tuple[date | None, date | None]] = {}

        def of(employee_id: int, day: date) -> PlannedDay:
            placement = book.placement(employee_id, day)
            plan = first_shift.plan(book.plan(employee_id, day), placement)
            if employee_id not in known:
                known[employee_id] = _known(people[employee_id], founded, placement.zone)
            since, until = known[employee_id]
            if until is not None and day > until:
                return replace(plan, shift=None, usual_shift=None, joint_leave=False, is_planned=False)
            if (since is not None and day < since) or day == until:
                return replace(plan, is_planned=False)
            return plan

        return of


def _known(history: History, founded: datetime | None, zone: str) -> tuple[date | None, date | None]:
    """Return since and until when somebody is known here: on other dates nobody misses them.

    Who was added on the first day of all, with whom the firm began here, is expected on all dates.
    """
    since = _date(history.added, zone)
    is_founder = since == _date(founded, zone)
    return None if history.joined is not None or is_founder else since, _date(history.ended, zone)


def _date(at: datetime | None, zone: str) -> date | None:
    return at.astimezone(ZoneInfo(zone)).date() if at is not None else None


class PeopleOrg:
    """How people stand on dates, and where sites and departments are found: for policies, overtime and leave."""

    def standings(self, session: Session, employee_ids: Collection[int], first: date, last: date) -> StandingOf:  # noqa: ARG002 - of the port
        """Return how people stand on the dates of a period, read at once."""
        people = histories(session, employee_ids if len(employee_ids) <= _MANY else None)
        known: dict[tuple[int, date], Standing] = {}

        def of(employee_id: int, day: date) -> Standing:
            key = employee_id, day
            if key not in known:
                found = people[employee_id].on(day)
                known[key] = Standing(
                    found.site_id or 0, found.department_id or 0, found.week, found.exempt, found.is_employed
                )
            return known[key]

        return of

    def scope_id(self, session: Session, scope: Scope, code: str) -> int:
        """Return the row id of a site or a department by its code. Raises NotFoundError."""
        if scope is Scope.DEPARTMENT:
            return departments.directory(session).get(code).id
        return sites.directory(session).get(code).id

    def scope_code(self, session: Session, scope: Scope, scope_id: int) -> str:
        """Return the code of a site or a department by its row id; empty where it is gone."""
        if scope is Scope.DEPARTMENT:
            parts = departments.directory(session).departments
            return next((each.code for each in parts if each.id == scope_id), "")
        found = sites.directory(session).find_by_id(scope_id) if scope_id else None
        return found.code if found is not None else ""

    def members(self, session: Session, department_id: int, on: date) -> tuple[int, ...]:
        """Return the row ids of the people of a department on a date."""
        people = histories(session)
        return tuple(row_id for row_id, each in people.items() if each.on(on).department_id == department_id)


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """Which days people work, by their plans; without a plan, by the week of their contract."""

    plans: PlansOfDays
    org: PeopleOrg

    def is_workday(self, session: Session, employee_id: int, day: date) -> bool:
        """Return whether somebody is to work on a day: no day off and no holiday."""
        plan = self.plans(session, (employee_id,), day, day)(employee_id, day)
        if plan.source == SOURCE:
            week = self.org.standings(session, (employee_id,), day, day)(employee_id, day).week
            return plan.shift is not None and is_usual_workday(day, week)
        return plan.shift is not None

    def kind_of_day(self, session: Session, employee_id: int, day: date) -> DayKind:
        """Return which steps overtime of somebody on a day has."""
        plan = self.plans(session, (employee_id,), day, day)(employee_id, day)
        if plan.source == SOURCE:
            return DayKind.WORKDAY if self.is_workday(session, employee_id, day) else DayKind.REST_DAY
        return plan.kind


class WorkingTime:
    """Plans, policies, leave, overtime and the days that are judged by them, of one installation.

    Args:
        units: Of its database.
        settings: Of this machine: what they say of a day of work counts where nobody planned anything.
        letters: Seals attachments of requests for leave.
        now: The time (aware).
    """

    def __init__(self, units: Units, settings: Settings, *, letters: Letters, now: Callable[[], datetime]) -> None:
        self._units = units
        self._settings = settings
        self._letters = letters
        self._now = now

    def _today(self) -> date:
        return self._now().astimezone(ZoneInfo(self._settings.site.zone)).date()

    @made_once
    def directory(self) -> PeopleDirectory:
        """Where people belong, as the schedule asks it."""
        return PeopleDirectory(self._settings.site.zone)

    @made_once
    def plans(self) -> PlansOfDays:
        """Plans of dates."""
        return PlansOfDays(self.directory, first_shift_of(self._settings))

    @made_once
    def org(self) -> PeopleOrg:
        """How people stand on dates."""
        return PeopleOrg()

    @made_once
    def calendar(self) -> PlannedWork:
        """Which days people work."""
        return PlannedWork(self.plans, self.org)

    @made_once
    def policies(self) -> Policies:
        """What the firm decides of its working time, from which date."""
        return Policies(self._units, self.org)

    @made_once
    def overtime(self) -> Overtime:
        """Orders for overtime, and what hours are worth."""
        return Overtime(self._units, self.policies, self.calendar)

    @made_once
    def leave(self) -> LeaveBook:
        """Requests for leave, their approval, and balances."""
        return LeaveBook(
            self._units,
            policies=self.policies,
            calendar=self.calendar,
            org=self.org,
            letters=self._letters,
            today=self._today,
        )

    @made_once
    def sources(self) -> DaySources:
        """Where the inputs of days come from."""
        return DaySources(
            plans=self.plans,
            terms=self.policies.terms,
            leave=self.leave.leave_on_days,
            orders=self.overtime.orders_on_days,
        )

    @made_once
    def results(self) -> Results:
        """Results of days, kept by revision."""
        return Results(self._units, self.sources, self._now)

    @made_once
    def book(self) -> DayBook:
        """Days for readers."""
        return DayBook(self.sources)

    @made_once
    def days(self) -> DayKeeping:
        """Days as punches, corrections and leave change them."""
        return DayKeeping(self.results, self.book, self.plans, self._now)


def first_shift_of(settings: Settings) -> FirstShift:
    """Return the first shift by the settings of this machine."""
    given = settings.attendance
    start = StartOfWork(given.start, given.grace_minutes, given.day_starts_at, given.min_work_minutes)
    place = f"{platform.node()}:{settings.home.resolve()}"
    return first_version(hashlib.sha256(place.encode()).hexdigest()[:16], start)


def whereabouts(session: Session, code: str, day: date) -> Place:
    """Return who has a code and where they work on a date. Raises NotFoundError."""
    person = get_person(session, code)
    found = histories(session, (person.id,))[person.id].on(day)
    return Place(person.id, person.code, person.name, found.site, found.zone)

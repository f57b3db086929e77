"""What policies, overtime and leave ask of people, sites, departments, schedule and users: the ports, fulfilled."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from ..attendance.rules.model import DayKind, PlannedDay
from ..attendance.schedule import calendar_rows
from ..attendance.schedule.model import CalendarKind
from ..attendance.schedule.planning import load_timetable
from ..attendance.schedule.rules_plan import PlanBook
from ..attendance.standing import Scope, Standing, StandingOf, WorkDay, WorkDayOf
from ..kernel.domain import User
from ..kernel.errors import DeniedError
from ..kernel.i18n import N_
from ..org import user_rows
from ..org.access import Action, Scope as About, allows, scope_of
from ..org.departments import service as departments
from ..org.sites import service as sites
from ..people.employment.rules import History
from ..people.employment.service import histories
from ..store.database import Session
from .directory import PeopleDirectory


class TermsOfPeople:
    """Where and on what terms people work, by their terms of employment."""

    def standings(self, session: Session, employee_ids: Collection[int], first: date, last: date) -> StandingOf:  # noqa: ARG002 - of the port
        """Return how people stand on dates; the terms of all times are read at once."""
        known = histories(session, employee_ids)
        kept: dict[tuple[int, date], Standing] = {}

        def of(employee_id: int, day: date) -> Standing:
            if (employee_id, day) not in kept:
                kept[employee_id, day] = _standing(known.get(employee_id), day)
            return kept[employee_id, day]

        return of

    def scope_id(self, session: Session, scope: Scope, code: str) -> int:
        """Return the row id of a site or a department by its code. Raises NotFoundError."""
        if scope is Scope.DEPARTMENT:
            return departments.directory(session).get(code).id
        return sites.directory(session).get(code).id

    def scope_code(self, session: Session, scope: Scope, scope_id: int) -> str:
        """Return the code of a site or a department by its row id; empty where it is gone."""
        if scope is Scope.DEPARTMENT:
            known = {each.id: each.code for each in departments.directory(session).departments}
        else:
            known = {each.id: each.code for each in sites.directory(session).sites}
        return known.get(scope_id, "")

    def members(self, session: Session, department_id: int, on: date) -> tuple[int, ...]:
        """Return the row ids of the people who work in a department on a date."""
        found = ((row_id, each.on(on)) for row_id, each in histories(session).items())
        return tuple(row_id for row_id, each in found if each.department_id == department_id and each.is_employed)


class PlannedWork:
    """Which days people work, by roster, patterns, calendar and contract.

    Args:
        directory: Where people belong.
    """

    def __init__(self, directory: PeopleDirectory) -> None:
        self._directory = directory

    def work_days(self, session: Session, employee_ids: Collection[int], first: date, last: date) -> WorkDayOf:
        """Return what the dates of a period are for people, read at once and computed once for each."""
        placements = self._directory.placements(session, first, last, employee_ids)
        book = PlanBook((), placements, load_timetable(session, first, last))
        kept: dict[tuple[int, date], WorkDay] = {}

        def of(employee_id: int, day: date) -> WorkDay:
            if (employee_id, day) not in kept:
                kept[employee_id, day] = work_day(book.plan(employee_id, day))
            return kept[employee_id, day]

        return of

    def joint_leave(self, session: Session, first: date, last: date) -> tuple[date, ...]:
        """Return the dates of joint leave in a period."""
        known = calendar_rows.days(session, first, last)
        return tuple(sorted({each.day for each in known if each.kind is CalendarKind.JOINT}))


def work_day(plan: PlannedDay) -> WorkDay:
    """Return what leave and overtime ask of a plan; without a pattern, the days of the contract are work days."""
    if plan.is_planned:
        return WorkDay(plan.shift is not None, plan.kind, plan.joint_leave)
    is_due = plan.kind is DayKind.WORKDAY
    # A holiday makes the day none of work; what is left beside its name is joint leave that is taken.
    is_joint = is_due and bool(plan.holiday)
    return WorkDay(is_due and not is_joint, plan.kind, is_joint)


class UsersAuthority:
    """Who may do what, by the role of the dashboard's user who acts.

    Whoever acts under another name (a user of the system, who has an @ in the name) is not asked.

    Args:
        org: Which department people belong to.
    """

    def __init__(self, org: TermsOfPeople) -> None:
        self._org = org

    def require(self, session: Session, actor: str, action: Action, employee_id: int | None, on: date) -> None:
        """Refuse what the role does not allow. Raises DeniedError."""
        user = _user(session, actor)
        if user is None or self._allows(session, user, action, employee_id, on):
            return
        if scope_of(user.role, action) is About.DEPARTMENT:
            raise DeniedError(N_("{name} may do that for the people of the own department only."), name=user.name)
        raise DeniedError(N_("{name} may not do that."), name=user.name)

    def require_another(self, session: Session, actor: str, employee_id: int) -> None:
        """Refuse a user who is that employee. Raises DeniedError."""
        user = _user(session, actor)
        if user is not None and user.employee_id == employee_id:
            raise DeniedError(N_("{name} cannot decide about their own request."), name=user.name)

    def seen(self, session: Session, actor: str, employee_ids: Collection[int], on: date) -> frozenset[int]:
        """Return whose attendance the role shows, of these people."""
        user = _user(session, actor)
        wanted = frozenset(employee_ids)
        if user is None or scope_of(user.role, Action.SEE_ATTENDANCE) is About.ALL:
            return wanted
        standings = self._org.standings(session, wanted, on, on)
        return frozenset(
            each
            for each in wanted
            if allows(
                user, Action.SEE_ATTENDANCE, employee_id=each, department_id=standings(each, on).department_id or None
            )
        )

    def _allows(self, session: Session, user: User, action: Action, employee_id: int | None, on: date) -> bool:
        department: int | None = None
        if employee_id is not None and scope_of(user.role, action) is About.DEPARTMENT:
            department = self._org.standings(session, (employee_id,), on, on)(employee_id, on).department_id or None
        return user.active and allows(user, action, employee_id=employee_id, department_id=department)


def _user(session: Session, actor: str) -> User | None:
    return None if "@" in actor else user_rows.find(session, actor)


def _standing(found: History | None, day: date) -> Standing:
    if found is None:
        return Standing(employed=False)
    terms = found.on(day)
    return Standing(
        site_id=terms.site_id or 0,
        department_id=terms.department_id or 0,
        week=terms.week,
        exempt=terms.exempt,
        employed=terms.is_employed,
        joined=terms.joined,
    )

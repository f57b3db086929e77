"""Who may do what: one table of role and action, which pages, commands and tests read. Pure.

Whoever runs the program on its machine is no user of the dashboard: commands act as the user of the system and may do
everything, as an administrator may.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ..kernel.domain import Role, User


class Action(StrEnum):
    """What somebody may do."""

    SEE_PEOPLE = "people.see"
    CHANGE_PEOPLE = "people.change"
    """Add, edit, enrol, pair phones, deactivate."""
    SEE_WAGES = "wages.see"
    CHANGE_WAGES = "wages.change"
    SEE_ATTENDANCE = "attendance.see"
    CHANGE_ATTENDANCE = "attendance.change"
    """Correct times, enter punches and leave."""
    APPROVE = "requests.approve"
    """Requests for leave, orders for overtime: one step."""
    REQUEST = "requests.make"
    PLAN = "plan.change"
    """Shifts, patterns, rosters, calendar, policies."""
    CLOSE = "period.close"
    SEE_ORGANISATION = "organisation.see"
    CHANGE_ORGANISATION = "organisation.change"
    """Sites, kiosks, departments."""
    SEE_RECORD = "record.see"
    """The audit trail, and why people were refused."""
    SEE_SYSTEM = "system.see"
    CHANGE_SYSTEM = "system.change"
    """Training, checks, keys."""
    CHANGE_USERS = "users.change"
    OWN_ACCOUNT = "account.own"


class Scope(StrEnum):
    """About whom."""

    NOBODY = "nobody"
    OWN = "own"
    """Oneself."""
    DEPARTMENT = "department"
    """The people of one's department."""
    ALL = "all"

    @property
    def allows(self) -> bool:
        """Whether it is anybody at all."""
        return self is not Scope.NOBODY


_ALL, _DEPARTMENT, _OWN = Scope.ALL, Scope.DEPARTMENT, Scope.OWN

TABLE: Final[Mapping[Role, Mapping[Action, Scope]]] = MappingProxyType(
    {
        Role.ADMIN: MappingProxyType(dict.fromkeys(Action, _ALL)),
        Role.HR: MappingProxyType(
            {
                Action.SEE_PEOPLE: _ALL,
                Action.CHANGE_PEOPLE: _ALL,
                Action.SEE_WAGES: _ALL,
                Action.CHANGE_WAGES: _ALL,
                Action.SEE_ATTENDANCE: _ALL,
                Action.CHANGE_ATTENDANCE: _ALL,
                Action.APPROVE: _ALL,
                Action.REQUEST: _ALL,
                Action.PLAN: _ALL,
                Action.CLOSE: _ALL,
                Action.SEE_ORGANISATION: _ALL,
                Action.CHANGE_ORGANISATION: _ALL,
                Action.SEE_RECORD: _ALL,
                Action.SEE_SYSTEM: _ALL,
                Action.OWN_ACCOUNT: _OWN,
            }
        ),
        Role.MANAGER: MappingProxyType(
            {
                Action.SEE_PEOPLE: _DEPARTMENT,
                Action.SEE_ATTENDANCE: _DEPARTMENT,
                Action.APPROVE: _DEPARTMENT,
                Action.REQUEST: _DEPARTMENT,
                Action.OWN_ACCOUNT: _OWN,
            }
        ),
        Role.VIEWER: MappingProxyType(
            {
                Action.SEE_PEOPLE: _ALL,
                Action.SEE_ATTENDANCE: _ALL,
                Action.SEE_ORGANISATION: _ALL,
                Action.SEE_SYSTEM: _ALL,
                Action.OWN_ACCOUNT: _OWN,
            }
        ),
        Role.EMPLOYEE: MappingProxyType({Action.SEE_ATTENDANCE: _OWN, Action.REQUEST: _OWN, Action.OWN_ACCOUNT: _OWN}),
    }
)
"""Role to action to scope; what is not there is for nobody."""

ACCOUNT_ROLES: Final = (Role.ADMIN, Role.HR, Role.MANAGER, Role.VIEWER)
"""Those that a user of the dashboard can have; an employee has a paired phone instead."""


def scope_of(role: Role, action: Action) -> Scope:
    """Return about whom a role may do something."""
    return TABLE[role].get(action, Scope.NOBODY)


def may(role: Role, action: Action) -> bool:
    """Return whether a role may do something, about anybody at all."""
    return scope_of(role, action).allows


def allows(user: User, action: Action, *, employee_id: int | None, department_id: int | None) -> bool:
    """Return whether a user may do something about a person, or about the whole firm.

    Args:
        employee_id: Row id of the person; None for what concerns all.
        department_id: Of the department where the person belongs; None for none.
    """
    scope = scope_of(user.role, action)
    if scope is Scope.DEPARTMENT:
        return employee_id is not None and user.department_id is not None and user.department_id == department_id
    if scope is Scope.OWN:
        return employee_id is not None and user.employee_id == employee_id
    return scope is Scope.ALL

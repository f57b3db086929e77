"""Who may call which page of the administrators, and who is logged in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from flask import g
from werkzeug.wrappers import Response

from ...gallery.enrolments import MAX_PICTURE_BYTES, MAX_PICTURES
from ...kernel.domain import User
from ...org.access import Action, Scope, scope_of
from ...people.model import PeopleOf
from ..library import library
from ..roles import Route, Who
from ..security import refuse_haste
from ..sessions import browser_session

P = ParamSpec("P")
T = TypeVar("T")

PICTURES_BYTES: Final = MAX_PICTURES * MAX_PICTURE_BYTES + 100_000
"""Of a form with as many pictures as are taken at once, each as large as it may be."""
_OWN = Route(Action.OWN_ACCOUNT)
_SEE_PEOPLE = Route(Action.SEE_PEOPLE)
_CHANGE_PEOPLE = Route(Action.CHANGE_PEOPLE)
_SEE_DAYS = Route(Action.SEE_ATTENDANCE)
_CHANGE_DAYS = Route(Action.CHANGE_ATTENDANCE)
_SEE_RECORD = Route(Action.SEE_RECORD)
_USERS = Route(Action.CHANGE_USERS)
_SEE_SYSTEM = Route(Action.SEE_SYSTEM)

ROUTES: Final[dict[str, Route]] = {
    "admin.login": Route(Who.ANYONE),
    "admin.log_in": Route(Who.ANYONE),
    "admin.setup": Route(Who.ANYONE),
    "admin.set_up": Route(Who.ANYONE),
    "admin.ask_code": Route(Who.ANYONE),
    "admin.check_code": Route(Who.ANYONE),
    "admin.first_password": _OWN,
    "admin.set_first_password": _OWN,
    "admin.lead_to_totp": _OWN,
    "admin.logout": _OWN,
    "admin.account": _OWN,
    "admin.change_password": _OWN,
    "admin.end_session": _OWN,
    "admin.end_other_sessions": _OWN,
    "admin.begin_totp": _OWN,
    "admin.show_totp": _OWN,
    "admin.turn_totp_on": _OWN,
    "admin.turn_totp_off": _OWN,
    "admin.renew_recovery_codes": _OWN,
    "admin.today": _SEE_DAYS,
    "admin.today_part": _SEE_DAYS,
    "admin.employees": _SEE_PEOPLE,
    "admin.employee": _SEE_PEOPLE,
    "admin.new_employee": _CHANGE_PEOPLE,
    "admin.add_employee": _CHANGE_PEOPLE,
    "admin.edit_employee": _CHANGE_PEOPLE,
    "admin.set_employee_active": _CHANGE_PEOPLE,
    "admin.enrol": Route(Action.CHANGE_PEOPLE, max_bytes=PICTURES_BYTES),
    "admin.photo": _CHANGE_PEOPLE,
    "admin.remove_photo": _CHANGE_PEOPLE,
    "admin.pair_phone": _CHANGE_PEOPLE,
    "admin.show_pairing": _CHANGE_PEOPLE,
    "admin.phones_part": _SEE_PEOPLE,
    "admin.revoke_phone": _CHANGE_PEOPLE,
    "admin.set_pin": _CHANGE_PEOPLE,
    "admin.remove_pin": _CHANGE_PEOPLE,
    "admin.days": _SEE_DAYS,
    "admin.month": _SEE_DAYS,
    "admin.late": _SEE_DAYS,
    "admin.export": _SEE_DAYS,
    "admin.day": _SEE_DAYS,
    "admin.correct": _CHANGE_DAYS,
    "admin.void": _CHANGE_DAYS,
    "admin.add_punch": _CHANGE_DAYS,
    "admin.leave": Route(Action.SEE_ATTENDANCE, of_all=True),
    "admin.enter_leave": _CHANGE_DAYS,
    "admin.take_back_leave": _CHANGE_DAYS,
    "admin.audit": _SEE_RECORD,
    "admin.refusals": _SEE_RECORD,
    "admin.users": _USERS,
    "admin.add_user": _USERS,
    "admin.user_password": _USERS,
    "admin.user_active": _USERS,
    "admin.user_role": _USERS,
    "admin.end_user_sessions": _USERS,
    "admin.reset_totp": _USERS,
    "admin.system": _SEE_SYSTEM,
    "admin.training_part": _SEE_SYSTEM,
    "admin.train": _CHANGE_PEOPLE,
    "admin.check": Route(Action.CHANGE_SYSTEM),
    "admin.mark_different": _CHANGE_PEOPLE,
}
"""Endpoint to who may call it."""
_WITH_GIVEN_PASSWORD: Final = frozenset({"admin.first_password", "admin.set_first_password", "admin.logout"})
"""What may be done before a password that somebody else gave is changed."""
_WITHOUT_FACTOR: Final = frozenset(
    {"admin.lead_to_totp", "admin.begin_totp", "admin.show_totp", "admin.turn_totp_on", "admin.logout"}
)
"""What may be done before a second factor that is demanded is set up."""


def current_user() -> User | None:
    """Return the user who is logged in, or None; asked once in a request."""
    if "user" not in g:
        session = browser_session()
        g.user = None
        if session.user_id is not None and session.began_at is not None:
            g.user = library().users.find_by_session(session.user_id, session.began_at)
    user: User | None = g.user
    return user


def seen_people() -> PeopleOf | None:
    """Return whom the user who is logged in may see alone: the people of a department; None for everybody."""
    user = current_user()
    if user is None or scope_of(user.role, Action.SEE_PEOPLE) is not Scope.DEPARTMENT:
        return None
    # No department has the id 0: a manager without one sees nobody.
    return PeopleOf(user.department_id or 0, library().desk.work_date())


def may_see(employee_id: int) -> bool:
    """Return whether the user who is logged in may see an employee."""
    people_of = seen_people()
    return people_of is None or library().desk.belongs_to(employee_id, people_of)


def limited_by_user(*, limit: int, per_s: int) -> Callable[[Callable[P, T]], Callable[P, T | Response]]:
    """Answer 429 when a user calls such views more than ``limit`` times in ``per_s`` seconds.

    It is the user who is counted, not the address: people of one office do not use up each other's tries.
    """

    def decorate(view: Callable[P, T]) -> Callable[P, T | Response]:
        @wraps(view)
        def limited(*args: P.args, **kwargs: P.kwargs) -> T | Response:
            user = current_user()
            assert user is not None, "the access table lets nobody in without"
            refusal = refuse_haste(f"account:{user.id}", limit=limit, per_s=per_s)
            return view(*args, **kwargs) if refusal is None else refusal

        return limited

    return decorate


def must_change_password(endpoint: str) -> bool:
    """Return whether the user who is logged in must choose a password of their own before this."""
    user = current_user()
    return user is not None and user.must_change_password and endpoint not in _WITH_GIVEN_PASSWORD


def must_set_up_totp(endpoint: str) -> bool:
    """Return whether the user who is logged in must set up a second factor before this."""
    user = current_user()
    if user is None or user.has_totp or user.must_change_password or endpoint in _WITHOUT_FACTOR:
        # A password of one's own comes first.
        return False
    return library().users.demands_totp(user)


def may(user: User, route: Route, method: str = "GET") -> bool:
    """Return whether a user may call a route that needs somebody who is logged in."""
    needed = route.needed_for(method)
    if isinstance(needed, Who):
        return True
    scope = scope_of(user.role, needed)
    return scope.allows and not (route.of_all and scope is not Scope.ALL)

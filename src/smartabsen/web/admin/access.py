"""Who may call which page of the administrators, and who is logged in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from flask import g
from werkzeug.wrappers import Response

from ...gallery.enrolments import MAX_PICTURE_BYTES, MAX_PICTURES
from ...kernel.domain import Role, User
from ..library import library
from ..roles import Route, Who
from ..security import refuse_haste
from ..sessions import browser_session

P = ParamSpec("P")
T = TypeVar("T")

PICTURES_BYTES: Final = MAX_PICTURES * MAX_PICTURE_BYTES + 100_000
"""Of a form with as many pictures as are taken at once, each as large as it may be."""
_VIEW = Route(Who.VIEWER)
_CHANGE = Route(Who.ADMIN)

ROUTES: Final[dict[str, Route]] = {
    "admin.login": Route(Who.ANYONE),
    "admin.log_in": Route(Who.ANYONE),
    "admin.setup": Route(Who.ANYONE),
    "admin.set_up": Route(Who.ANYONE),
    "admin.ask_code": Route(Who.ANYONE),
    "admin.check_code": Route(Who.ANYONE),
    "admin.first_password": _VIEW,
    "admin.set_first_password": _VIEW,
    "admin.lead_to_totp": _VIEW,
    "admin.logout": _VIEW,
    "admin.account": _VIEW,
    "admin.change_password": _VIEW,
    "admin.end_session": _VIEW,
    "admin.end_other_sessions": _VIEW,
    "admin.begin_totp": _VIEW,
    "admin.show_totp": _VIEW,
    "admin.turn_totp_on": _VIEW,
    "admin.turn_totp_off": _VIEW,
    "admin.renew_recovery_codes": _VIEW,
    "admin.today": _VIEW,
    "admin.today_part": _VIEW,
    "admin.employees": _VIEW,
    "admin.employee": _VIEW,
    "admin.new_employee": _CHANGE,
    "admin.add_employee": _CHANGE,
    "admin.edit_employee": _CHANGE,
    "admin.set_employee_active": _CHANGE,
    "admin.enrol": Route(Who.ADMIN, max_bytes=PICTURES_BYTES),
    "admin.photo": _CHANGE,
    "admin.remove_photo": _CHANGE,
    "admin.pair_phone": _CHANGE,
    "admin.show_pairing": _CHANGE,
    "admin.phones_part": _VIEW,
    "admin.revoke_phone": _CHANGE,
    "admin.set_pin": _CHANGE,
    "admin.remove_pin": _CHANGE,
    "admin.days": _VIEW,
    "admin.month": _VIEW,
    "admin.late": _VIEW,
    "admin.export": _VIEW,
    "admin.day": _VIEW,
    "admin.correct": _CHANGE,
    "admin.void": _CHANGE,
    "admin.add_punch": _CHANGE,
    "admin.leave": _VIEW,
    "admin.enter_leave": _CHANGE,
    "admin.take_back_leave": _CHANGE,
    "admin.audit": _CHANGE,
    "admin.refusals": _CHANGE,
    "admin.users": _CHANGE,
    "admin.add_user": _CHANGE,
    "admin.user_password": _CHANGE,
    "admin.user_active": _CHANGE,
    "admin.user_role": _CHANGE,
    "admin.end_user_sessions": _CHANGE,
    "admin.reset_totp": _CHANGE,
    "admin.system": _VIEW,
    "admin.training_part": _VIEW,
    "admin.train": _CHANGE,
    "admin.check": _CHANGE,
    "admin.mark_different": _CHANGE,
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


def find_role() -> Who | None:
    """Return VIEWER or ADMIN for the user who is logged in, None where nobody is."""
    user = current_user()
    if user is None:
        return None
    return Who.ADMIN if user.role is Role.ADMIN else Who.VIEWER


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


def may(user: User, needed: Who) -> bool:
    """Return whether a user may call what needs this."""
    return needed is not Who.ADMIN or user.role is Role.ADMIN

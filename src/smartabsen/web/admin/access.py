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
from ..roles import FORM, LIST, NOBODY, OWN, POLL, Route, Who
from ..security import refuse_haste
from ..sessions import browser_session

P = ParamSpec("P")
T = TypeVar("T")

PICTURES_BYTES: Final = MAX_PICTURES * MAX_PICTURE_BYTES + 100_000
"""Of a form with as many pictures as are taken at once, each as large as it may be."""


def _view(*audit: str, untold: str = "") -> Route:
    return Route(Who.VIEWER, audit=audit, untold=untold)


def _change(*audit: str, untold: str = "", max_bytes: int | None = None) -> Route:
    return Route(Who.ADMIN, audit=audit, untold=untold, max_bytes=max_bytes)


ROUTES: Final[dict[str, Route]] = {
    "admin.login": Route(Who.ANYONE, untold=FORM),
    "admin.log_in": Route(Who.ANYONE, audit=("user.login",)),
    "admin.setup": Route(Who.ANYONE, untold=FORM),
    "admin.set_up": Route(Who.ANYONE, audit=("user.setup",)),
    "admin.ask_code": Route(Who.ANYONE, untold=FORM),
    "admin.check_code": Route(Who.ANYONE, audit=("user.login",)),
    "admin.first_password": _view(untold=FORM),
    "admin.set_first_password": _view("user.passwd"),
    "admin.lead_to_totp": _view(untold=FORM),
    "admin.logout": _view("user.logout"),
    "admin.account": _view(untold=OWN),
    "admin.change_password": _view("user.passwd"),
    "admin.end_session": _view("user.session_end"),
    "admin.end_other_sessions": _view("user.sessions_end"),
    "admin.begin_totp": _view(untold="nothing counts before a code was typed"),
    "admin.show_totp": _view(untold=OWN),
    "admin.turn_totp_on": _view("user.totp_on"),
    "admin.turn_totp_off": _view("user.totp_off"),
    "admin.renew_recovery_codes": _view("user.recovery_codes"),
    "admin.today": _view("attendance.read"),
    "admin.today_part": _view(untold=POLL),
    "admin.employees": _view(untold=LIST),
    "admin.employee": _view(untold=LIST),
    "admin.new_employee": _change(untold=FORM),
    "admin.add_employee": _change("employee.enrol"),
    "admin.edit_employee": _change("employee.edit", "employee.rename"),
    "admin.set_employee_active": _change("employee.activate", "employee.deactivate"),
    "admin.enrol": _change("employee.enrol", max_bytes=PICTURES_BYTES),
    "admin.photo": _change("biometric.read"),
    "admin.remove_photo": _change("employee.remove_photo"),
    "admin.pair_phone": _change("phone.invite"),
    "admin.show_pairing": _change(untold="the invitation has its entry"),
    "admin.phones_part": _view(untold=POLL),
    "admin.revoke_phone": _change("phone.revoke"),
    "admin.set_pin": _change("pin.set"),
    "admin.remove_pin": _change("pin.remove"),
    "admin.days": _view("attendance.read"),
    "admin.month": _view("attendance.read"),
    "admin.late": _view("attendance.read"),
    "admin.export": _view("attendance.export"),
    "admin.day": _view("attendance.read"),
    "admin.correct": _change("punch.correction"),
    "admin.void": _change("punch.void"),
    "admin.add_punch": _change("punch.correction"),
    "admin.leave": _view(untold=LIST),
    "admin.enter_leave": _change("leave.enter"),
    "admin.take_back_leave": _change("leave.take_back"),
    "admin.audit": _change(untold="what users did, for administrators alone"),
    "admin.refusals": _change(untold="people who were not recognised have no names"),
    "admin.users": _change(untold=LIST),
    "admin.add_user": _change("user.add"),
    "admin.user_password": _change("user.passwd"),
    "admin.user_active": _change("user.enable", "user.disable"),
    "admin.user_role": _change("user.role"),
    "admin.end_user_sessions": _change("user.sessions_end"),
    "admin.reset_totp": _change("user.totp_off"),
    "admin.system": _view(untold=NOBODY),
    "admin.training_part": _view(untold=POLL),
    "admin.train": _change("model.train_start"),
    "admin.check": _change(untold="it looks at the machine and changes nothing"),
    "admin.mark_different": _change("employee.different"),
}
"""Endpoint to who may call it, and what of it is in the audit trail."""
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

"""Who may call which page of the administrators, and who is logged in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from flask import g
from werkzeug.wrappers import Response

from ...attendance.leave.letters import MOST_BYTES
from ...gallery.enrolments import MAX_PICTURE_BYTES, MAX_PICTURES
from ...kernel.domain import User
from ...org.access import Action, Scope, scope_of
from ...people.model import PeopleOf
from ..library import library
from ..roles import FORM, LIST, NOBODY, OWN, POLL, Route, Who
from ..security import rate_limit
from ..sessions import browser_session

P = ParamSpec("P")
T = TypeVar("T")

PICTURES_BYTES: Final = MAX_PICTURES * MAX_PICTURE_BYTES + 100_000
"""Of a form with as many pictures as are taken at once, each as large as it may be."""
LETTER_BYTES: Final = MOST_BYTES + 100_000
"""Of a request for leave with a letter as large as it may be."""


def _route(needed: Action, *audit: str, untold: str = "", of_all: bool = False, max_bytes: int | None = None) -> Route:
    return Route(needed, audit=audit, untold=untold, of_all=of_all, max_bytes=max_bytes)


ROUTES: Final[dict[str, Route]] = {
    "admin.login": Route(Who.ANYONE, untold=FORM),
    "admin.log_in": Route(Who.ANYONE, audit=("user.login",)),
    "admin.setup": Route(Who.ANYONE, untold=FORM),
    "admin.set_up": Route(Who.ANYONE, audit=("user.setup",)),
    "admin.ask_code": Route(Who.ANYONE, untold=FORM),
    "admin.check_code": Route(Who.ANYONE, audit=("user.login",)),
    "admin.first_password": _route(Action.OWN_ACCOUNT, untold=FORM),
    "admin.set_first_password": _route(Action.OWN_ACCOUNT, "user.passwd"),
    "admin.lead_to_totp": _route(Action.OWN_ACCOUNT, untold=FORM),
    "admin.logout": _route(Action.OWN_ACCOUNT, "user.logout"),
    "admin.account": _route(Action.OWN_ACCOUNT, untold=OWN),
    "admin.change_password": _route(Action.OWN_ACCOUNT, "user.passwd"),
    "admin.end_session": _route(Action.OWN_ACCOUNT, "user.session_end"),
    "admin.end_other_sessions": _route(Action.OWN_ACCOUNT, "user.sessions_end"),
    "admin.begin_totp": _route(Action.OWN_ACCOUNT, untold="nothing counts before a code was typed"),
    "admin.show_totp": _route(Action.OWN_ACCOUNT, untold=OWN),
    "admin.turn_totp_on": _route(Action.OWN_ACCOUNT, "user.totp_on"),
    "admin.turn_totp_off": _route(Action.OWN_ACCOUNT, "user.totp_off"),
    "admin.renew_recovery_codes": _route(Action.OWN_ACCOUNT, "user.recovery_codes"),
    "admin.today": _route(Action.SEE_ATTENDANCE, "attendance.read"),
    "admin.today_part": _route(Action.SEE_ATTENDANCE, untold=POLL),
    "admin.employees": _route(Action.SEE_PEOPLE, untold=LIST),
    "admin.employee": _route(Action.SEE_PEOPLE, untold=LIST),
    "admin.new_employee": _route(Action.CHANGE_PEOPLE, untold=FORM),
    "admin.add_employee": _route(Action.CHANGE_PEOPLE, "employee.enrol"),
    "admin.edit_employee": _route(Action.CHANGE_PEOPLE, "employee.edit", "employee.rename"),
    "admin.set_employee_active": _route(Action.CHANGE_PEOPLE, "employee.activate", "employee.deactivate"),
    "admin.enrol": _route(Action.CHANGE_PEOPLE, "employee.enrol", max_bytes=PICTURES_BYTES),
    "admin.photo": _route(Action.CHANGE_PEOPLE, "biometric.read"),
    "admin.remove_photo": _route(Action.CHANGE_PEOPLE, "employee.remove_photo"),
    "admin.pair_phone": _route(Action.CHANGE_PEOPLE, "phone.invite"),
    "admin.show_pairing": _route(Action.CHANGE_PEOPLE, untold="the invitation has its entry"),
    "admin.phones_part": _route(Action.SEE_PEOPLE, untold=POLL),
    "admin.revoke_phone": _route(Action.CHANGE_PEOPLE, "phone.revoke"),
    "admin.set_pin": _route(Action.CHANGE_PEOPLE, "pin.set"),
    "admin.remove_pin": _route(Action.CHANGE_PEOPLE, "pin.remove"),
    "admin.days": _route(Action.SEE_ATTENDANCE, "attendance.read"),
    "admin.month": _route(Action.SEE_ATTENDANCE, "attendance.read"),
    "admin.late": _route(Action.SEE_ATTENDANCE, "attendance.read"),
    "admin.export": _route(Action.SEE_ATTENDANCE, "attendance.export"),
    "admin.day": _route(Action.SEE_ATTENDANCE, "attendance.read"),
    "admin.correct": _route(Action.CHANGE_ATTENDANCE, "punch.correction"),
    "admin.void": _route(Action.CHANGE_ATTENDANCE, "punch.void"),
    "admin.add_punch": _route(Action.CHANGE_ATTENDANCE, "punch.correction"),
    "admin.leave": _route(Action.SEE_ATTENDANCE, untold=LIST, of_all=True),
    "admin.enter_leave": _route(Action.CHANGE_ATTENDANCE, "leave.enter"),
    "admin.take_back_leave": _route(Action.CHANGE_ATTENDANCE, "leave.take_back"),
    # Working time: who, when, leave, overtime, policies.
    "admin.sites": _route(Action.SEE_ORGANISATION, untold=NOBODY),
    "admin.add_site": _route(Action.CHANGE_ORGANISATION, "site.add"),
    "admin.confirm_site": _route(Action.CHANGE_ORGANISATION, "site.confirm"),
    "admin.assign_kiosk": _route(Action.CHANGE_ORGANISATION, "kiosk.assign"),
    "admin.departments": _route(Action.SEE_ORGANISATION, untold=LIST),
    "admin.add_department": _route(Action.CHANGE_ORGANISATION, "department.add"),
    "admin.change_department": _route(Action.CHANGE_ORGANISATION, "department.change"),
    "admin.terms": _route(Action.SEE_PEOPLE, untold=LIST),
    "admin.change_terms": _route(Action.CHANGE_PEOPLE, "employment.change"),
    "admin.change_employment_dates": _route(Action.CHANGE_PEOPLE, "employment.change"),
    "admin.recode_employee": _route(Action.CHANGE_PEOPLE, "employee.recode"),
    "admin.shifts": _route(Action.SEE_ORGANISATION, untold=NOBODY),
    "admin.add_shift": _route(Action.PLAN, "shift.add"),
    "admin.shift": _route(Action.SEE_ORGANISATION, untold=NOBODY),
    "admin.change_shift": _route(Action.PLAN, "shift.change"),
    "admin.remove_shift": _route(Action.PLAN, "shift.remove"),
    "admin.patterns": _route(Action.SEE_ORGANISATION, untold=NOBODY),
    "admin.add_pattern": _route(Action.PLAN, "pattern.add"),
    "admin.remove_pattern": _route(Action.PLAN, "pattern.remove"),
    "admin.presets": _route(Action.SEE_ORGANISATION, untold=NOBODY),
    "admin.add_preset": _route(Action.PLAN, "preset.add"),
    "admin.move_preset": _route(Action.PLAN, "preset.move"),
    "admin.remove_preset": _route(Action.PLAN, "preset.remove"),
    "admin.assignments": _route(Action.SEE_ORGANISATION, untold=LIST),
    "admin.assign_pattern": _route(Action.PLAN, "roster.assign"),
    "admin.end_assignment": _route(Action.PLAN, "roster.end"),
    "admin.roster": _route(Action.SEE_PEOPLE, untold=LIST),
    "admin.set_roster_day": _route(Action.PLAN, "roster.set", "roster.clear"),
    "admin.export_roster": _route(Action.PLAN, "roster.export"),
    "admin.check_roster_sheet": _route(Action.PLAN, untold="it shows what a sheet would change, and changes nothing"),
    "admin.import_roster_sheet": _route(Action.PLAN, "roster.import"),
    "admin.calendar": _route(Action.SEE_ORGANISATION, untold=NOBODY),
    "admin.add_calendar_day": _route(Action.PLAN, "calendar.add"),
    "admin.remove_calendar_day": _route(Action.PLAN, "calendar.remove"),
    "admin.take_joint_leave": _route(Action.PLAN, "calendar.joint", "calendar.opt_out"),
    "admin.show_calendar_sync": _route(Action.PLAN, untold=NOBODY),
    "admin.sync_calendar": _route(Action.PLAN, "calendar.sync"),
    "admin.leave_requests": _route(Action.SEE_ATTENDANCE, untold=LIST),
    "admin.leave_request": _route(Action.SEE_ATTENDANCE, untold=LIST),
    "admin.ask_for_leave": _route(Action.REQUEST, "leave.request", "leave.add", max_bytes=LETTER_BYTES),
    "admin.approve_leave": _route(Action.APPROVE, "leave.approve"),
    "admin.reject_leave": _route(Action.APPROVE, "leave.reject"),
    "admin.withdraw_leave": _route(Action.APPROVE, "leave.withdraw"),
    "admin.leave_letter": _route(Action.APPROVE, "leave.read_letter"),
    "admin.leave_balances": _route(Action.SEE_ATTENDANCE, untold=LIST),
    "admin.grant_leave": _route(Action.CHANGE_ATTENDANCE, "leave.ledger"),
    "admin.adjust_leave": _route(Action.CHANGE_ATTENDANCE, "leave.ledger"),
    "admin.leave_kinds": _route(Action.SEE_ORGANISATION, untold=NOBODY),
    "admin.put_leave_kind": _route(Action.PLAN, "leave.kind"),
    "admin.overtime": _route(Action.SEE_ATTENDANCE, untold=LIST),
    "admin.order_overtime": _route(Action.APPROVE, "overtime.order"),
    "admin.consent_to_overtime": _route(Action.APPROVE, "overtime.consent"),
    "admin.approve_overtime": _route(Action.APPROVE, "overtime.approve"),
    "admin.cancel_overtime": _route(Action.APPROVE, "overtime.cancel"),
    "admin.policies": _route(Action.SEE_ORGANISATION, untold=LIST),
    "admin.set_policy": _route(Action.PLAN, "policy.set"),
    "admin.audit": _route(Action.SEE_RECORD, untold="what users did, for administrators alone"),
    "admin.refusals": _route(Action.SEE_RECORD, untold="people who were not recognised have no names"),
    "admin.users": _route(Action.CHANGE_USERS, untold=LIST),
    "admin.add_user": _route(Action.CHANGE_USERS, "user.add"),
    "admin.user_password": _route(Action.CHANGE_USERS, "user.passwd"),
    "admin.user_active": _route(Action.CHANGE_USERS, "user.enable", "user.disable"),
    "admin.user_role": _route(Action.CHANGE_USERS, "user.role"),
    "admin.end_user_sessions": _route(Action.CHANGE_USERS, "user.sessions_end"),
    "admin.reset_totp": _route(Action.CHANGE_USERS, "user.totp_off"),
    "admin.system": _route(Action.SEE_SYSTEM, untold=NOBODY),
    "admin.training_part": _route(Action.SEE_SYSTEM, untold=POLL),
    "admin.train": _route(Action.CHANGE_PEOPLE, "model.train_start"),
    "admin.check": _route(Action.CHANGE_SYSTEM, untold="it looks at the machine and changes nothing"),
    "admin.mark_different": _route(Action.CHANGE_PEOPLE, "employee.different"),
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
            refusal = rate_limit(f"account:{user.id}", limit=limit, per_s=per_s)
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

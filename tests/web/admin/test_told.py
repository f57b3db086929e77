"""What a call of a route leaves in the audit trail is what the access table says."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen import SmartAbsen, Status
from smartabsen.attendance.leave.model import LeaveAsk
from smartabsen.attendance.rules.model import Shift, Span
from smartabsen.attendance.schedule.model import CalendarKind, Replacement, ScopeKind
from smartabsen.web.access import ROUTES

from ..pages import csrf_of
from .conftest import NEEDS_MORE, PASSWORD, Login
from .test_roles import CASES, NEW, Case, call

TUESDAY = date(2026, 11, 3)


@dataclass(frozen=True)
class Told:
    """A call that succeeds.

    Attributes:
        case: How it is called.
        before: What is there before.
    """

    case: Case
    before: Callable[[SmartAbsen], object] = field(default=lambda _: None)


def usual(endpoint: str, **form: str) -> Case:
    """Return the call of the table of roles, with further fields."""
    case = CASES[endpoint]
    # What is not there in the table of roles is there here.
    admin = 302 if case.admin in (404, 422) else case.admin
    return replace(case, admin=admin, form={**case.form, **form})


TIMES = {"start-1": "07:30", "end-1": "16:30"}
SHEET = base64.b64encode(b"code,name,2026-11-13\nE001,Ani Contoh,OFF\n").decode()


def _site(app: SmartAbsen) -> None:
    app.sites.add("MKS", name="Cabang", zone="Asia/Makassar")


def _pattern(app: SmartAbsen) -> None:
    app.shifts.add_shift(Shift("PAGI", "", (Span(480, 1020),)))
    app.shifts.add_shift(Shift("SORE", "", (Span(840, 1320),)))
    app.shifts.add_pattern("KANTOR", "PAGI:5,OFF:2")


def _preset(app: SmartAbsen) -> None:
    _pattern(app)
    app.shifts.add_preset("PUASA", date(2026, 2, 1), date(2026, 2, 27), [Replacement("PAGI", "SORE")])


def _assignment(app: SmartAbsen) -> None:
    _pattern(app)
    app.roster.assign(ScopeKind.EMPLOYEE, "E001", "KANTOR", date(2026, 11, 2))


def _request(app: SmartAbsen) -> None:
    app.leave_book.request("E001", LeaveAsk("sakit", TUESDAY, TUESDAY))


def _order(app: SmartAbsen) -> None:
    app.overtime.order("E001", TUESDAY, 120)


TOLD = {
    **{name: Told(case) for name, case in CASES.items() if case.admin == 200 and ROUTES[name].audit},
    "admin.log_in": Told(usual("admin.log_in", name="budi", password=PASSWORD)),
    "admin.logout": Told(usual("admin.logout")),
    "admin.change_password": Told(usual("admin.change_password", current=PASSWORD, **NEW)),
    "admin.add_employee": Told(usual("admin.add_employee")),
    "admin.edit_employee": Told(usual("admin.edit_employee")),
    "admin.set_employee_active": Told(usual("admin.set_employee_active")),
    "admin.pair_phone": Told(usual("admin.pair_phone")),
    "admin.set_pin": Told(usual("admin.set_pin")),
    "admin.remove_pin": Told(usual("admin.remove_pin"), lambda app: app.phones.set_pin("E001", "284617")),
    "admin.correct": Told(usual("admin.correct")),
    "admin.void": Told(usual("admin.void")),
    "admin.add_punch": Told(usual("admin.add_punch")),
    "admin.enter_leave": Told(usual("admin.enter_leave")),
    "admin.take_back_leave": Told(
        usual("admin.take_back_leave"), lambda app: app.leave.enter("E001", TUESDAY, TUESDAY, Status.EXCUSED)
    ),
    "admin.add_user": Told(usual("admin.add_user")),
    "admin.user_password": Told(usual("admin.user_password")),
    "admin.user_active": Told(usual("admin.user_active", active="0")),
    "admin.user_role": Told(usual("admin.user_role", role="admin")),
    "admin.end_user_sessions": Told(usual("admin.end_user_sessions")),
    "admin.train": Told(usual("admin.train")),
    "admin.mark_different": Told(usual("admin.mark_different", code="E001", other="E002", reason="twins")),
    "admin.add_site": Told(usual("admin.add_site")),
    "admin.confirm_site": Told(usual("admin.confirm_site", code="MKS", name="Makassar"), _site),
    "admin.assign_kiosk": Told(usual("admin.assign_kiosk", site="MKS"), _site),
    "admin.add_department": Told(usual("admin.add_department")),
    "admin.change_department": Told(
        usual("admin.change_department", code="GUDANG"), lambda app: app.departments.add("GUDANG", name="Gudang")
    ),
    "admin.change_terms": Told(usual("admin.change_terms")),
    "admin.change_employment_dates": Told(usual("admin.change_employment_dates")),
    "admin.recode_employee": Told(usual("admin.recode_employee")),
    "admin.add_shift": Told(usual("admin.add_shift")),
    "admin.change_shift": Told(usual("admin.change_shift", code="PAGI", **TIMES), _pattern),
    "admin.remove_shift": Told(usual("admin.remove_shift", code="SORE"), _pattern),
    "admin.add_pattern": Told(usual("admin.add_pattern", code="LAIN"), _pattern),
    "admin.remove_pattern": Told(usual("admin.remove_pattern", code="KANTOR"), _pattern),
    "admin.add_preset": Told(usual("admin.add_preset", **{"shift-1": "PAGI", "instead-1": "SORE"}), _pattern),
    "admin.move_preset": Told(usual("admin.move_preset", code="PUASA"), _preset),
    "admin.remove_preset": Told(usual("admin.remove_preset", code="PUASA"), _preset),
    "admin.assign_pattern": Told(usual("admin.assign_pattern", pattern="KANTOR"), _pattern),
    "admin.end_assignment": Told(usual("admin.end_assignment"), _assignment),
    "admin.set_roster_day": Told(usual("admin.set_roster_day")),
    "admin.import_roster_sheet": Told(replace(usual("admin.import_roster_sheet", content=SHEET), admin=200)),
    "admin.add_calendar_day": Told(usual("admin.add_calendar_day")),
    "admin.remove_calendar_day": Told(
        usual("admin.remove_calendar_day"),
        lambda app: app.calendar.add(date(2026, 11, 13), "Ulang tahun", CalendarKind.COMPANY),
    ),
    "admin.take_joint_leave": Told(
        usual("admin.take_joint_leave"),
        lambda app: app.calendar.add(date(2026, 11, 13), "Cuti bersama", CalendarKind.JOINT),
    ),
    "admin.sync_calendar": Told(usual("admin.sync_calendar")),
    "admin.ask_for_leave": Told(usual("admin.ask_for_leave")),
    "admin.approve_leave": Told(usual("admin.approve_leave"), _request),
    "admin.reject_leave": Told(usual("admin.reject_leave"), _request),
    "admin.withdraw_leave": Told(usual("admin.withdraw_leave"), _request),
    "admin.grant_leave": Told(usual("admin.grant_leave")),
    "admin.adjust_leave": Told(usual("admin.adjust_leave")),
    "admin.put_leave_kind": Told(usual("admin.put_leave_kind")),
    "admin.order_overtime": Told(usual("admin.order_overtime")),
    "admin.consent_to_overtime": Told(usual("admin.consent_to_overtime"), _order),
    "admin.approve_overtime": Told(usual("admin.approve_overtime"), _order),
    "admin.cancel_overtime": Told(usual("admin.cancel_overtime"), _order),
    "admin.set_policy": Told(usual("admin.set_policy")),
}
ELSEWHERE = NEEDS_MORE | {
    "admin.leave_letter",
    "admin.set_up",
    "admin.check_code",
    "admin.set_first_password",
    "admin.photo",
}
"""Routes that need more than one call to succeed: the tests of their subjects call them, watched by the fixture."""


def test_every_route_tells_or_says_why_not(web: Flask) -> None:
    """Whatever is registered: pages, parts, files. What changes something tells, unless a phone or a face does."""
    assert {rule.endpoint for rule in web.url_map.iter_rules()} == set(ROUTES)
    assert all(bool(route.audit) != bool(route.untold) for route in ROUTES.values())
    assert {name for name, route in ROUTES.items() if name.startswith("admin.") and route.audit} == {*TOLD, *ELSEWHERE}
    untold = {
        rule.endpoint
        for rule in web.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and ROUTES[rule.endpoint].untold
    }
    assert untold == {
        "auth.collect", "attendance.challenge", "attendance.look", "attendance.process", "admin.begin_totp",
        "admin.check", "admin.check_roster_sheet",
    }  # fmt: skip


@pytest.mark.parametrize("endpoint", TOLD)
def test_a_call_that_succeeds_leaves_its_entry(library: SmartAbsen, login: Login, endpoint: str) -> None:
    """One of the actions that the table names, in the name of who is logged in."""
    told, browser = TOLD[endpoint], login("siti")
    told.before(library)
    if endpoint == "admin.log_in":
        browser = browser.application.test_client()
        call_at_the_door(browser, told.case)
    else:
        library.audit._looks._looked.clear()
        first = library.audit.entries(limit=1)[0].number
        assert call(browser, told.case) == told.case.admin
        actions = {entry.action for entry in library.audit.entries(actor="siti") if entry.number > first}
        assert actions & set(ROUTES[endpoint].audit), actions
        assert library.trainings.wait(20)
        return
    assert library.audit.entries(limit=1)[0].action in ROUTES[endpoint].audit


def call_at_the_door(browser: FlaskClient, case: Case) -> None:
    """Log in."""
    page = browser.get(case.path).text
    assert browser.post(case.path, data={"csrf_token": csrf_of(page), **case.form}).status_code == 302

"""Who may do what: every route of the dashboard, for everybody."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen import SmartAbsen
from smartabsen.web.access import ROUTES

from ..pages import csrf_of
from .conftest import Login


@dataclass(frozen=True)
class Case:
    """A call of a route, and the status that nobody, a viewer and an administrator get."""

    method: str
    path: str
    nobody: int
    viewer: int
    admin: int
    form: dict[str, str] = field(default_factory=dict)


NEW = {"password": "long enough words", "repeated": "long enough words"}
DAYS = {"code": "E001", "from": "2026-11-03", "to": "2026-11-03"}
PUNCH = {"punch": "1", "clock": "08:00", "reason": "x"}
DAY = "/admin/attendance/2026-11-02/1"
CASES = {
    "admin.login": Case("GET", "/admin/login", 200, 302, 302),
    "admin.log_in": Case("POST", "/admin/login", 401, 401, 401, {"name": "x", "password": "y"}),
    "admin.setup": Case("GET", "/admin/setup", 302, 302, 302),
    "admin.set_up": Case("POST", "/admin/setup", 403, 403, 403, {"name": "x", **NEW}),
    "admin.ask_code": Case("GET", "/admin/login/code", 302, 302, 302),
    "admin.check_code": Case("POST", "/admin/login/code", 302, 302, 302, {"code": "000000"}),
    "admin.first_password": Case("GET", "/admin/login/password", 302, 302, 302),
    "admin.set_first_password": Case("POST", "/admin/login/password", 401, 302, 302, NEW),
    "admin.lead_to_totp": Case("GET", "/admin/login/second-factor", 302, 302, 302),
    "admin.logout": Case("POST", "/admin/logout", 401, 302, 302),
    "admin.account": Case("GET", "/admin/account", 302, 200, 200),
    "admin.change_password": Case("POST", "/admin/account", 401, 302, 302),
    "admin.end_session": Case("POST", "/admin/account/sessions/0123456789abcdef/end", 401, 302, 302),
    "admin.end_other_sessions": Case("POST", "/admin/account/sessions/end", 401, 302, 302),
    "admin.begin_totp": Case("POST", "/admin/account/totp", 401, 303, 303),
    "admin.show_totp": Case("GET", "/admin/account/totp", 302, 302, 302),
    "admin.turn_totp_on": Case("POST", "/admin/account/totp/on", 401, 302, 302, {"code": "000000"}),
    "admin.turn_totp_off": Case("POST", "/admin/account/totp/off", 401, 302, 302),
    "admin.renew_recovery_codes": Case("POST", "/admin/account/totp/codes", 401, 302, 302),
    "admin.today": Case("GET", "/admin/", 302, 200, 200),
    "admin.today_part": Case("GET", "/admin/today/part", 302, 200, 200),
    "admin.employees": Case("GET", "/admin/employees", 302, 200, 200),
    "admin.employee": Case("GET", "/admin/employees/1", 302, 200, 200),
    "admin.new_employee": Case("GET", "/admin/employees/new", 302, 403, 200),
    "admin.add_employee": Case("POST", "/admin/employees/new", 401, 403, 302, {"code": "E9", "name": "New"}),
    "admin.edit_employee": Case("POST", "/admin/employees/1", 401, 403, 302, {"name": "New"}),
    "admin.set_employee_active": Case("POST", "/admin/employees/1/active", 401, 403, 302, {"active": "0"}),
    "admin.enrol": Case("POST", "/admin/employees/1/pictures", 401, 403, 302),
    "admin.photo": Case("GET", "/admin/employees/1/photos/1", 302, 403, 404),
    "admin.remove_photo": Case("POST", "/admin/employees/1/photos/1/remove", 401, 403, 302),
    "admin.pair_phone": Case("POST", "/admin/employees/1/phones", 401, 403, 303),
    "admin.show_pairing": Case("GET", "/admin/employees/1/phones", 302, 403, 302),
    "admin.phones_part": Case("GET", "/admin/employees/1/phones/part", 302, 200, 200),
    "admin.revoke_phone": Case("POST", "/admin/employees/1/phones/1/revoke", 401, 403, 302),
    "admin.set_pin": Case("POST", "/admin/employees/1/pin", 401, 403, 302, {"pin": "284617"}),
    "admin.remove_pin": Case("POST", "/admin/employees/1/pin/remove", 401, 403, 302),
    "admin.days": Case("GET", "/admin/attendance", 302, 200, 200),
    "admin.month": Case("GET", "/admin/attendance/month", 302, 200, 200),
    "admin.late": Case("GET", "/admin/attendance/late", 302, 200, 200),
    "admin.export": Case("GET", "/admin/attendance/export.csv", 302, 200, 200),
    "admin.day": Case("GET", DAY, 302, 200, 200),
    "admin.correct": Case("POST", f"{DAY}/correct", 401, 403, 302, {**PUNCH, "key": "a" * 32}),
    "admin.void": Case("POST", f"{DAY}/void", 401, 403, 302, {**PUNCH, "key": "b" * 32}),
    "admin.add_punch": Case("POST", f"{DAY}/add", 401, 403, 302, {**PUNCH, "clock": "17:00", "key": "c" * 32}),
    "admin.leave": Case("GET", "/admin/leave", 302, 200, 200),
    "admin.enter_leave": Case("POST", "/admin/leave", 401, 403, 302, {**DAYS, "status": "Izin"}),
    "admin.take_back_leave": Case("POST", "/admin/leave/back", 401, 403, 302, DAYS),
    "admin.audit": Case("GET", "/admin/audit", 302, 403, 200),
    "admin.refusals": Case("GET", "/admin/refusals", 302, 403, 200),
    "admin.users": Case("GET", "/admin/users", 302, 403, 200),
    "admin.add_user": Case("POST", "/admin/users", 401, 403, 302, {"name": "new", "role": "viewer", **NEW}),
    "admin.user_password": Case("POST", "/admin/users/budi/password", 401, 403, 302, NEW),
    "admin.user_active": Case("POST", "/admin/users/budi/active", 401, 403, 302, {"active": "1"}),
    "admin.user_role": Case("POST", "/admin/users/budi/role", 401, 403, 302, {"role": "viewer"}),
    "admin.end_user_sessions": Case("POST", "/admin/users/budi/sessions/end", 401, 403, 302),
    "admin.reset_totp": Case("POST", "/admin/users/budi/totp/off", 401, 403, 302),
    "admin.system": Case("GET", "/admin/system", 302, 200, 200),
    "admin.training_part": Case("GET", "/admin/system/training", 302, 200, 200),
    "admin.train": Case("POST", "/admin/system/training", 401, 403, 302),
    "admin.check": Case("POST", "/admin/system/checks", 401, 403, 200),
    "admin.mark_different": Case("POST", "/admin/system/duplicates", 401, 403, 302, {"code": "E1", "other": "E2"}),
}  # fmt: skip
"""Endpoint to what becomes of a call."""


def call(browser: FlaskClient, case: Case) -> int:
    """Call a route as its page would: with the token of the browser's own session."""
    if case.method == "GET":
        return browser.get(case.path).status_code
    token = csrf_of(browser.get("/admin/account", follow_redirects=True).text)
    return browser.post(case.path, data={"csrf_token": token, **case.form}).status_code


def test_every_route_of_the_dashboard_has_an_entry(web: Flask) -> None:
    """A new route fails here until somebody says who may call it, in the program and in this table."""
    routes = {rule.endpoint for rule in web.url_map.iter_rules() if rule.endpoint.startswith("admin.")}
    assert routes == set(CASES)
    assert routes == {endpoint for endpoint in ROUTES if endpoint.startswith("admin.")}


@pytest.mark.parametrize("endpoint", CASES)
def test_who_may_call_it(web: Flask, library: SmartAbsen, login: Login, endpoint: str) -> None:
    """Nobody is sent to the door (or told so, where something would change), a viewer reads, an administrator may."""
    case = CASES[endpoint]
    adapter = web.url_map.bind("localhost")
    assert adapter.match(case.path, method=case.method)[0] == endpoint
    assert call(web.test_client(), case) == case.nobody
    assert call(login("budi"), case) == case.viewer
    assert call(login("siti"), case) == case.admin
    assert library.trainings.wait(20)


@pytest.mark.parametrize("endpoint", [name for name, case in CASES.items() if case.method == "POST"])
def test_nothing_changes_without_the_token_of_the_session(admin: FlaskClient, endpoint: str) -> None:
    """A form on another site is refused before anything of it is read, and nothing is in the audit trail."""
    case = CASES[endpoint]
    assert admin.post(case.path, data=case.form).status_code == 400
    assert admin.post(case.path, data={"csrf_token": "x", **case.form}).status_code == 400


@pytest.mark.parametrize("endpoint", [name for name, case in CASES.items() if case.method == "GET"])
def test_every_page_is_there_in_both_languages(admin: FlaskClient, endpoint: str) -> None:
    """Indonesian and English, as the address says."""
    case = CASES[endpoint]
    if case.admin != 200 or "part" in case.path or case.path.endswith((".csv", "training")):
        return
    separator = "&" if "?" in case.path else "?"
    for language in ("id", "en"):
        assert f'<html lang="{language}"' in admin.get(f"{case.path}{separator}language={language}").text

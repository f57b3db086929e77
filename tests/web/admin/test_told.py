"""What a call of a route leaves in the audit trail is what the access table says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen import SmartAbsen, Status
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
    return replace(case, form={**case.form, **form})


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
}
ELSEWHERE = NEEDS_MORE | {"admin.set_up", "admin.check_code", "admin.set_first_password", "admin.photo"}
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
        "admin.check",
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

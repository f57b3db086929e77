"""An installation with people, days and two users, and browsers that are logged in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient

from smartabsen import Role, SmartAbsen
from smartabsen.org import passwords
from smartabsen.store.database import Session
from smartabsen.trust import audit_rows
from smartabsen.web.access import ROUTES
from smartabsen.web.sessions import browser_session

from ..pages import post

PASSWORD = "empat kuda makan rumput"
MONDAY = date(2026, 11, 2)
Login = Callable[[str], FlaskClient]
NEEDS_MORE = frozenset(
    {
        "admin.end_session",
        "admin.end_other_sessions",
        "admin.turn_totp_on",
        "admin.turn_totp_off",
        "admin.renew_recovery_codes",
        "admin.reset_totp",
        "admin.enrol",
        "admin.remove_photo",
        "admin.revoke_phone",
    }
)
"""Routes whose call succeeds only where something was prepared: whichever test does so finds whether they tell."""


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let passwords be hashed quickly."""
    monkeypatch.setattr(passwords, "ROUNDS", 4)


@pytest.fixture
def web(web: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The web application; a call that says that it succeeded must leave the entry that the access table names."""
    told: list[str] = []
    real = audit_rows.append

    def append(session: Session, *, action: str, **facts: Any) -> None:
        told.append(action)
        real(session, action=action, **facts)

    def check(response: Response) -> Response:
        notes = browser_session()._notes.get("_flashes", ())
        if request.endpoint in NEEDS_MORE and any(kind == "success" for kind, _ in notes):
            assert set(told) & set(ROUTES[request.endpoint].audit), f"{request.endpoint} told {told}"
        told.clear()
        return response

    monkeypatch.setattr(audit_rows, "append", append)
    web.after_request(check)
    return web


@pytest.fixture
def people(library: SmartAbsen) -> None:
    """Two employees, one with a late Monday, and the users siti (admin) and budi (viewer)."""
    library.enrolments.add("E001", "Ani Contoh", position="Kasir")
    library.enrolments.add("E002", "Bayu <b>Contoh</b>")
    library.corrections.add("E001", MONDAY, time(8, 30), reason="camera broken")
    library.users.add("siti", PASSWORD, role=Role.ADMIN)
    library.users.add("budi", PASSWORD, role=Role.VIEWER)


@pytest.fixture
def login(web: Flask, people: None) -> Login:
    """Logs a user in, in a browser of their own."""

    def enter(name: str) -> FlaskClient:
        browser = web.test_client()
        answer = post(browser, "/admin/login", browser.get("/admin/login").text, name=name, password=PASSWORD)
        assert (answer.status_code, answer.location) == (302, "/admin/")
        return browser

    return enter


@pytest.fixture
def admin(login: Login) -> FlaskClient:
    """The browser of an administrator."""
    return login("siti")


@pytest.fixture
def viewer(login: Login) -> FlaskClient:
    """The browser of a viewer."""
    return login("budi")


def set_proved_at(browser: FlaskClient, at: datetime) -> None:
    """Let the last proof of who sits at a browser lie at an instant."""
    cookie = browser.get_cookie("smartabsen")
    assert cookie is not None
    sessions = browser.application.extensions["smartabsen"].web_sessions
    sessions.save(cookie.value, {**sessions.load(cookie.value).data, "proved_at": at.isoformat()})

"""An installation with people, days and two users, and browsers that are logged in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen import Role, SmartAbsen
from smartabsen.org import passwords

from ..pages import post

PASSWORD = "empat kuda makan rumput"
MONDAY = date(2026, 11, 2)
Login = Callable[[str], FlaskClient]


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let passwords be hashed quickly."""
    monkeypatch.setattr(passwords, "ROUNDS", 4)


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

"""What requests cost the database: on SQLite one writes at a time, so each transaction of a request is a queue."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from smartabsen import Role, SmartAbsen
from smartabsen.org import passwords

from ..transactions import Counting
from .pages import attempt, burst, post, sign_in

PASSWORD = "empat kuda makan rumput"
MONDAY = date(2026, 11, 2)


@pytest.fixture
def library(home: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> Iterator[SmartAbsen]:
    """An installation on each kind of database."""
    monkeypatch.setattr(passwords, "ROUNDS", 4)
    with SmartAbsen.open(flags=home) as opened:
        yield opened


@pytest.fixture
def admin(web: Flask, library: SmartAbsen) -> FlaskClient:
    """The browser of an administrator, who has looked at the dashboard before."""
    library.enrolments.add("E009", "Ani Contoh", position="Kasir")
    library.corrections.add("E009", MONDAY, time(8, 30), reason="camera broken")
    library.users.add("siti", PASSWORD, role=Role.ADMIN)
    browser = web.test_client()
    post(browser, "/admin/login", browser.get("/admin/login").text, name="siti", password=PASSWORD)
    browser.get("/admin/")
    return browser


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, page
    return found[1]


def leave_alone(library: SmartAbsen, minutes: int) -> None:
    """Let all sessions be as if they were last used some minutes ago."""
    now = library.now()
    values = {"seen": now - timedelta(minutes=minutes), "until": now + timedelta(minutes=30 - minutes)}
    with library.services.database.write() as session:
        session.execute(text("UPDATE web_sessions SET last_seen_at = :seen, idle_until = :until"), values)


def test_a_correction_writes_once_and_reads_twice(
    admin: FlaskClient, library: SmartAbsen, transactions: Counting
) -> None:
    """Who asks; the day as it is; the correction with its entry. What the next page tells lies in a cookie."""
    page = admin.get(f"/admin/attendance/{MONDAY}/1").text
    fields = {"punch": hidden(page, "punch"), "key": hidden(page, "key"), "clock": "07:55", "reason": "came by train"}
    with transactions() as counted:
        answer = post(admin, f"/admin/attendance/{MONDAY}/1/correct", page, **fields)
    assert answer.status_code == 302
    assert (counted.reads, counted.writes) == (2, 1), counted
    assert library.audit.entries(limit=1)[0].action == "punch.correction"
    assert "The time is corrected" in admin.get(answer.location).text
    assert "The time is corrected" not in admin.get(answer.location).text


def test_a_look_at_today_writes_once_at_most(admin: FlaskClient, library: SmartAbsen, transactions: Counting) -> None:
    """That the session was used is stored with the look, though both are due."""
    looks = len(library.audit.entries(action="attendance.read"))
    library.audit._looks._looked.clear()
    leave_alone(library, 10)
    with transactions() as counted:
        assert admin.get("/admin/").status_code == 200
    assert (counted.reads, counted.writes) == (2, 1), counted
    assert len(library.audit.entries(action="attendance.read")) == looks + 1
    with transactions() as counted:
        admin.get("/admin/")
    assert (counted.reads, counted.writes) == (2, 0), counted


def test_a_session_that_is_used_without_a_change_lives_on(
    admin: FlaskClient, library: SmartAbsen, transactions: Counting
) -> None:
    """Nothing else is written by that request, so it is at its end."""
    leave_alone(library, 25)
    with transactions() as counted:
        assert admin.get("/admin/").status_code == 200
    assert counted.writes == 1, counted
    leave_alone(library, 0)
    with transactions() as counted:
        admin.get("/admin/")
    assert counted.writes == 0, counted


def test_the_page_about_the_system_needs_three_transactions(
    admin: FlaskClient, people: SmartAbsen, transactions: Counting
) -> None:
    """Also where people are enrolled and a model is in force."""
    assert admin.get("/admin/system").status_code == 200
    with transactions() as counted:
        assert admin.get("/admin/system").status_code == 200
    assert (counted.reads + counted.writes <= 3, counted.writes) == (True, 0), counted


def test_the_sign_in_page_needs_three_transactions(client: FlaskClient, transactions: Counting) -> None:
    """A new browser: is there a place, its session, its request. Another time: its session, its request."""
    # The first request of a process looks at the schema and the site besides.
    assert client.get("/auth").status_code == 200
    for browser, most in ((client.application.test_client(), 3), (client, 2)):
        with transactions() as counted:
            assert browser.get("/auth").status_code == 200
        assert counted.reads + counted.writes <= most, counted


def test_a_burst_writes_twice(
    client: FlaskClient, phone: FlaskClient, people: SmartAbsen, token: Callable[[], str], transactions: Counting
) -> None:
    """The try with its frames; the punch with the answer that the session keeps of it."""
    page = sign_in(client, phone, token).text
    with transactions() as counted:
        answer = attempt(client, page, burst(1))
    assert answer.json is not None and answer.json["outcome"] == "recognized"
    assert counted.writes == 2, counted
    # Sent again, the answer comes from the session.
    with transactions() as counted:
        assert attempt(client, page, burst(1)).json == answer.json
    assert counted.writes == 0, counted


def test_a_burst_that_names_nobody_writes_twice(
    client: FlaskClient, phone: FlaskClient, people: SmartAbsen, token: Callable[[], str], transactions: Counting
) -> None:
    """The try with its frames; the refusal."""
    page = sign_in(client, phone, token).text
    with transactions() as counted:
        answer = attempt(client, page, burst(7))
    assert answer.json is not None and answer.json["outcome"] == "unknown"
    assert counted.writes == 2, counted

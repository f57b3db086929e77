"""Logging in and out: sessions on the server, their ends, and locked accounts."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from smartabsen import DatabaseAwayError, Role, SmartAbsen
from smartabsen.store.tables import WebSessionRow
from smartabsen.web import create_app
from smartabsen.web.admin.login import local_address

from ..pages import csrf_of, post
from .conftest import PASSWORD, Login


def session_cookie(browser: FlaskClient) -> str:
    cookie = browser.get_cookie("smartabsen")
    assert cookie is not None
    return cookie.value


def session_row(library: SmartAbsen) -> WebSessionRow:
    """The row of the one user's session."""
    with library.services.database.read() as session:
        return session.scalars(select(WebSessionRow).where(WebSessionRow.user_id.is_not(None))).one()


def end_sessions(library: SmartAbsen, **columns: datetime) -> None:
    """Let all sessions reach an end of theirs."""
    with library.services.database.write() as session:
        session.execute(update(WebSessionRow).values(**columns))


def test_logging_out_kills_the_session_on_the_server(web: Flask, admin: FlaskClient) -> None:
    """Whoever copied the cookie has nothing afterwards; the trail has both ends."""
    stolen = session_cookie(admin)
    page = admin.get("/admin/").text
    assert post(admin, "/admin/logout", page).status_code == 302

    thief = web.test_client()
    thief.set_cookie("smartabsen", stolen)
    assert thief.get("/admin/").status_code == 302
    assert admin.get("/admin/").status_code == 302


def test_logging_in_gives_a_new_session_id_and_a_new_token(web: Flask, people: None) -> None:
    """A session that somebody else planted before the login is worth nothing after it."""
    browser = web.test_client()
    page = browser.get("/admin/login").text
    before = csrf_of(page)
    post(browser, "/admin/login", page, name="siti", password=PASSWORD)
    after = csrf_of(browser.get("/admin/").text)
    assert before != after
    again = web.test_client()
    post(again, "/admin/login", again.get("/admin/login").text, name="siti", password=PASSWORD)
    assert session_cookie(again) != session_cookie(browser)


def test_a_session_has_the_ends_of_the_settings(library: SmartAbsen, admin: FlaskClient) -> None:
    """Half an hour without use, twelve hours in any case, unless the settings say otherwise."""
    row = session_row(library)
    assert row.idle_s == 30 * 60
    assert row.expires_at - row.created_at == timedelta(hours=12)
    assert row.idle_until - row.created_at == timedelta(minutes=30)


def test_a_session_ends_without_use(library: SmartAbsen, admin: FlaskClient) -> None:
    """The server forgets it; the page sends to the door."""
    end_sessions(library, idle_until=datetime.now(UTC) - timedelta(seconds=1))
    assert admin.get("/admin/").status_code == 302


def test_a_session_ends_in_any_case(library: SmartAbsen, admin: FlaskClient) -> None:
    """However busy somebody is: use does not put this end off."""
    end = datetime.now(UTC) + timedelta(seconds=1)
    end_sessions(library, expires_at=end, idle_until=end - timedelta(seconds=0.5))
    assert admin.get("/admin/").status_code == 200
    assert session_row(library).idle_until <= end
    time.sleep(1.1)
    assert admin.get("/admin/").status_code == 302


def test_polling_keeps_nobody_logged_in(library: SmartAbsen, admin: FlaskClient) -> None:
    """A page that asks by itself does not put the idle end off; opening a page does."""
    soon = datetime.now(UTC) + timedelta(minutes=1)
    end_sessions(library, idle_until=soon)
    for path in ("/admin/today/part", "/admin/system/training", "/admin/employees/1/phones/part"):
        assert admin.get(path).status_code == 200
    assert session_row(library).idle_until == soon
    admin.get("/admin/")
    assert session_row(library).idle_until > soon


def test_an_account_is_locked_whatever_the_headers_say(web: Flask, library: SmartAbsen, people: None) -> None:
    """Five wrong passwords from five addresses lock it; the page says nothing else than before."""
    answers = []
    for number in range(5):
        browser = web.test_client()
        page = browser.get("/admin/login").text
        answers.append(
            browser.post(
                "/admin/login",
                data={"csrf_token": csrf_of(page), "name": "siti", "password": f"wrong {number}"},
                headers={"X-Originating-IP": f"192.0.2.{number}"},
                environ_base={"REMOTE_ADDR": f"192.168.1.{number}"},
            )
        )
    browser = web.test_client()
    locked = post(browser, "/admin/login", browser.get("/admin/login").text, name="siti", password=PASSWORD)
    unknown = post(browser, "/admin/login", browser.get("/admin/login").text, name="nobody", password=PASSWORD)
    assert [answer.status_code for answer in (*answers, locked, unknown)] == [401] * 7
    assert "locked" in locked.text and "locked" in unknown.text
    assert library.users.get("siti").locked_until is not None


def test_an_address_that_tries_many_names_is_slowed_down(web: Flask, people: None) -> None:
    """Thirty tries in five minutes, then 429."""
    browser = web.test_client()
    page = browser.get("/admin/login").text
    statuses = [post(browser, "/admin/login", page, name=f"user{n}", password="x").status_code for n in range(31)]
    assert statuses == [401] * 30 + [429]


def test_who_knows_the_password_does_not_count(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """An office behind one address may log in as often as it likes."""
    counted: list[str] = []
    monkeypatch.setattr(
        type(login("siti").application.extensions["smartabsen"].limits), "give_back", lambda _, key: counted.append(key)
    )
    login("siti")
    assert counted == ["login:127.0.0.1"]


def test_who_used_up_the_tries_of_the_office_keeps_no_known_device_out(web: Flask, login: Login) -> None:
    """One computer behind the office's address tries every account, 31 times; everybody's own browser goes on."""
    browsers = {name: login(name) for name in ("siti", "budi")}
    for name, browser in browsers.items():
        assert post(browser, "/admin/logout", browser.get("/admin/").text).status_code == 302, name
    attacker = web.test_client()
    page = attacker.get("/admin/login").text
    statuses = [
        post(attacker, "/admin/login", page, name=["siti", "budi"][n % 2], password="x").status_code for n in range(31)
    ]
    assert statuses[-1] == 429
    for name, browser in browsers.items():
        answer = post(browser, "/admin/login", browser.get("/admin/login").text, name=name, password=PASSWORD)
        assert (answer.status_code, answer.location) == (302, "/admin/")


def test_the_device_is_known_by_a_cookie_that_scripts_cannot_read(web: Flask, people: None) -> None:
    """On https it is bound to the host; it says nothing of who signed in, and a wrong password gives none."""
    browser = web.test_client()
    wrong = post(browser, "/admin/login", browser.get("/admin/login").text, name="siti", password="wrong")
    assert "smartabsen_device" not in str(wrong.headers)
    headers = {"Referer": "https://localhost/admin/login"}
    page = browser.get("/admin/login", base_url="https://localhost").text
    data = {"csrf_token": csrf_of(page), "name": "siti", "password": PASSWORD}
    answer = browser.post("/admin/login", base_url="https://localhost", data=data, headers=headers)
    cookie = next(each for each in answer.headers.getlist("Set-Cookie") if "smartabsen_device" in each)
    assert cookie.startswith("__Host-smartabsen_device=") and "siti" not in cookie
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="))


def test_the_login_says_whom_to_ask(web: Flask, people: None, flags: dict[str, object]) -> None:
    """The person named in the settings, else another administrator; no command and no path."""
    page = web.test_client().get("/admin/login").text
    assert "Forgot your password? Ask another administrator" in page
    assert "smartabsen user" not in page
    with SmartAbsen.open(flags={**flags, "desk.contact": "Ibu Rina Contoh, ext. 12"}) as library:
        assert "Ask Ibu Rina Contoh, ext. 12." in create_app(library).test_client().get("/admin/login").text


def test_a_given_password_is_changed_before_anything_else(web: Flask, library: SmartAbsen, people: None) -> None:
    """Every page leads to that form, other requests are refused, and the one given is not taken again."""
    library.users.add("tini", PASSWORD, role=Role.ADMIN, temporary=True)
    browser = web.test_client()
    post(browser, "/admin/login", browser.get("/admin/login").text, name="tini", password=PASSWORD)
    for path in ("/admin/", "/admin/users", "/admin/account"):
        assert browser.get(path).location == "/admin/login/password"
    page = browser.get("/admin/login/password").text
    assert post(browser, "/admin/employees/new", page, code="E9", name="New").status_code == 403
    same = post(browser, "/admin/login/password", page, password=PASSWORD, repeated=PASSWORD)
    assert (same.status_code, "that you have now" in same.text) == (400, True)
    new = "lima kuda makan rumput"
    assert post(browser, "/admin/login/password", same.text, password=new, repeated=new).status_code == 302
    assert browser.get("/admin/users").status_code == 200
    assert browser.get("/admin/login/password").location == "/admin/"
    assert not library.users.get("tini").must_change_password


def test_an_administrator_gives_passwords_that_are_changed(admin: FlaskClient, library: SmartAbsen) -> None:
    """Those of others; one's own is one's own."""
    new = {"password": "lima kuda makan rumput", "repeated": "lima kuda makan rumput"}
    page = admin.get("/admin/users").text
    post(admin, "/admin/users", page, name="tini", role="viewer", **new)
    post(admin, "/admin/users/budi/password", page, **new)
    post(admin, "/admin/users/siti/password", page, **new)
    given = {user.name: user.must_change_password for user in library.users.list_users()}
    assert given == {"budi": True, "siti": False, "tini": True}


def test_a_disabled_user_and_another_role_count_at_once(library: SmartAbsen, login: Login) -> None:
    """The next request sees it, whatever the session says."""
    library.users.add("tini", PASSWORD, role=Role.ADMIN)
    browser = login("tini")
    assert browser.get("/admin/audit").status_code == 200
    library.users.set_role("tini", Role.VIEWER)
    assert browser.get("/admin/audit").status_code == 403
    library.users.disable("tini")
    assert browser.get("/admin/").status_code == 302


def test_changing_the_password_ends_all_other_sessions(login: Login) -> None:
    """The browser in which it was changed goes on."""
    here, there = login("siti"), login("siti")
    page = here.get("/admin/account").text
    fields = {"current": PASSWORD, "password": "lima kuda makan rumput", "repeated": "lima kuda makan rumput"}
    assert post(here, "/admin/account", page, **fields).status_code == 302
    assert "changed" in here.get("/admin/account").text
    assert there.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"current": "wrong", "password": "lima kuda makan rumput", "repeated": "lima kuda makan rumput"}, "is wrong"),
        ({"current": PASSWORD, "password": "lima kuda makan rumput", "repeated": "other"}, "differ"),
        ({"current": PASSWORD, "password": "short", "repeated": "short"}, "too short"),
    ],
)
def test_a_password_is_not_changed_by_a_mistake(login: Login, fields: dict[str, str], words: str) -> None:
    """The page says what is wrong; the old one stays."""
    browser = login("siti")
    post(browser, "/admin/account", browser.get("/admin/account").text, **fields)
    assert words in browser.get("/admin/account").text
    login("siti")


def test_the_first_administrator_is_made_in_the_browser_once(web: Flask, library: SmartAbsen) -> None:
    """With the secret that the server printed; afterwards the page leads to the door."""
    browser = web.test_client()
    assert "/admin/setup" in browser.get("/admin/login").text
    secret = library.users.issue_setup_secret()
    page = browser.get("/admin/setup").text
    fields = {"name": "siti", "password": PASSWORD, "repeated": PASSWORD}
    assert post(browser, "/admin/setup", page, secret="ABCD-ABCD", **fields).status_code == 403
    assert post(browser, "/admin/setup", page, secret=secret, **{**fields, "repeated": "x"}).status_code == 400
    assert post(browser, "/admin/setup", page, secret=secret, **fields).status_code == 302
    assert "siti" in browser.get("/admin/").text
    assert web.test_client().get("/admin/setup").location == "/admin/login"


def test_after_the_login_one_is_where_one_wanted_to_be(web: Flask, people: None) -> None:
    """The address asked for is kept, with its query."""
    browser = web.test_client()
    sent = browser.get("/admin/attendance?search=ani")
    assert sent.location == "/admin/login?next=/admin/attendance?search%3Dani"
    page = browser.get(sent.location).text
    action = page.partition('action="')[2].partition('"')[0]
    answer = post(browser, action, page, name="siti", password=PASSWORD)
    assert answer.location == "/admin/attendance?search=ani"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/admin/",
        "//evil.example/admin/",
        "/\\evil.example",
        "/admin/\\..",
        "javascript:1",
        "",
        "/auth",
        "/admin/\n",
    ],
)
def test_a_login_leads_nowhere_else(web: Flask, wanted: str) -> None:
    """An address that was slipped into the link is not followed."""
    with web.test_request_context():
        assert local_address(wanted) == "/admin/"


def test_a_refused_form_asks_for_no_session(login: Login, library: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
    """What keeps sessions may be away at that moment: the page of the refusal is there all the same."""
    browser = login("siti")

    def away(*_args: object, **_named: object) -> None:
        raise DatabaseAwayError("Redis does not answer.")

    monkeypatch.setattr(library.services.web_sessions, "load", away)
    refused = browser.post("/admin/login", data={"name": "siti", "password": PASSWORD})
    assert (refused.status_code, "Back to the page" in refused.text) == (400, True)
    assert browser.get("/admin/users").status_code == 503
    assert browser.get("/admin/no-such-page").status_code == 404

"""One's own account: the second factor from the QR to the login, and where one is logged in."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen import Role, SmartAbsen
from smartabsen.org import second_factor_rows
from smartabsen.org.second_factor_rows import code_at
from smartabsen.web import create_app

from ..pages import post, text_of
from .conftest import PASSWORD, Login, set_proved_at

SECRET = b"12345678901234567890"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def code(off: int = 0) -> str:
    return code_at(SECRET, int(time.time()) // 30 + off)


@pytest.fixture
def codes(admin: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Recovery codes of siti, who has set up a second factor in the browser as people do."""
    monkeypatch.setattr(second_factor_rows, "new_secret", lambda: SECRET)
    assert post(admin, "/admin/account/totp", admin.get("/admin/account").text).location == "/admin/account/totp"
    page = admin.get("/admin/account/totp").text
    assert text_of(page, "secret").replace(" ", "") == second_factor_rows.secret_text(SECRET)
    assert "<svg" in page
    wrong = post(admin, "/admin/account/totp/on", page, code="000000")
    assert wrong.location == "/admin/account/totp"
    assert "code is wrong" in admin.get("/admin/account/totp").text
    shown = post(admin, "/admin/account/totp/on", page, code=code(-1))
    return re.findall(r"<code>([A-Z2-9-]{19})</code>", shown.text)


def half_login(web: Flask) -> FlaskClient:
    """A browser in which the right password of siti was typed."""
    browser = web.test_client()
    asked = browser.get("/admin/employees?search=ani")
    page = browser.get(asked.location).text
    action = re.search(r'action="(/admin/login\?[^"]*)"', page)
    assert action is not None
    answer = post(browser, action[1], page, name="siti", password=PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/admin/login/code")
    return browser


def test_the_secret_is_never_shown_again(admin: FlaskClient, codes: list[str]) -> None:
    """Neither it nor the recovery codes; the page of the set-up leads back to the account."""
    assert len(codes) == 10
    assert admin.get("/admin/account/totp").location == "/admin/account"
    page = admin.get("/admin/account").text
    assert second_factor_rows.secret_text(SECRET) not in page and codes[0] not in page
    assert "Recovery codes left: 10." in page


def test_the_password_alone_opens_nothing(web: Flask, codes: list[str]) -> None:
    """Between password and code there is no page but that of the code."""
    browser = half_login(web)
    assert browser.get("/admin/").status_code == 302
    wrong = post(browser, "/admin/login/code", browser.get("/admin/login/code").text, code="000000")
    assert (wrong.status_code, "code is wrong" in wrong.text) == (401, True)
    assert browser.get("/admin/").status_code == 302


def test_password_and_code_lead_where_one_wanted_to_be(web: Flask, codes: list[str]) -> None:
    """With the code of the app; a used one does not work in another browser."""
    browser = half_login(web)
    present = code()
    answer = post(browser, "/admin/login/code", browser.get("/admin/login/code").text, code=present)
    assert (answer.status_code, answer.location) == (302, "/admin/employees?search=ani")
    assert browser.get("/admin/users").status_code == 200
    other = half_login(web)
    assert post(other, "/admin/login/code", other.get("/admin/login/code").text, code=present).status_code == 401


def test_a_recovery_code_lets_in_and_says_how_many_are_left(web: Flask, codes: list[str]) -> None:
    """Once."""
    browser = half_login(web)
    post(browser, "/admin/login/code", browser.get("/admin/login/code").text, code=codes[0].lower())
    assert "9 are left" in browser.get("/admin/").text
    other = half_login(web)
    assert post(other, "/admin/login/code", other.get("/admin/login/code").text, code=codes[0]).status_code == 401


def test_codes_are_not_guessed_without_end(web: Flask, codes: list[str]) -> None:
    """After five wrong ones the right one is refused as well, in any browser that is not known."""
    browser = half_login(web)
    page = browser.get("/admin/login/code").text
    statuses = [post(browser, "/admin/login/code", page, code="000000").status_code for _ in range(5)]
    locked = post(browser, "/admin/login/code", page, code=code())
    assert [*statuses, locked.status_code] == [401] * 5 + [429]
    assert "Too many wrong codes" in locked.text


def test_a_half_login_ends_with_the_password_and_with_the_account(
    web: Flask, library: SmartAbsen, codes: list[str]
) -> None:
    """A password that was changed meanwhile is not the one that was proved."""
    browser = half_login(web)
    page = browser.get("/admin/login/code").text
    library.users.set_password("siti", "lima kuda makan rumput")
    answer = post(browser, "/admin/login/code", page, code=code())
    assert (answer.status_code, answer.location) == (302, "/admin/login")
    assert browser.get("/admin/").status_code == 302


def test_the_code_belongs_to_every_proof(admin: FlaskClient, library: SmartAbsen, codes: list[str]) -> None:
    """Changing the password asks for it beside the password, and so does what changes users."""
    page = admin.get("/admin/account").text
    new = {"password": "lima kuda makan rumput", "repeated": "lima kuda makan rumput"}
    post(admin, "/admin/account", page, current=PASSWORD, **new)
    assert "password or the code is wrong" in admin.get("/admin/account").text
    set_proved_at(admin, datetime(2020, 1, 1, tzinfo=UTC))
    asked = post(admin, "/admin/users/budi/role", page, role="admin")
    assert 'name="confirm_code"' in asked.text
    without = post(admin, "/admin/users/budi/role", page, role="admin", confirm_password=PASSWORD)
    proof = {"confirm_password": PASSWORD, "confirm_code": code()}
    assert without.status_code == 403
    assert post(admin, "/admin/users/budi/role", page, role="admin", **proof).status_code == 302
    assert post(admin, "/admin/account", page, current=PASSWORD, code=codes[0], **new).status_code == 302
    assert library.users.check_password("siti", new["password"]).user is not None


def test_setting_it_up_ends_the_other_sessions(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is in elsewhere came without it; the browser in which it was done goes on."""
    monkeypatch.setattr(second_factor_rows, "new_secret", lambda: SECRET)
    here, there = login("siti"), login("siti")
    post(here, "/admin/account/totp", here.get("/admin/account").text)
    assert post(here, "/admin/account/totp/on", here.get("/admin/account/totp").text, code=code()).status_code == 200
    assert [browser.get("/admin/").status_code for browser in (here, there)] == [200, 302]


def test_another_administrator_removes_it(
    web: Flask, library: SmartAbsen, codes: list[str], admin: FlaskClient
) -> None:
    """Then the password is enough; the page of users says who has one."""
    page = admin.get("/admin/users").text
    assert "second factor" in page
    assert post(admin, "/admin/users/siti/totp/off", page).status_code == 302
    assert not library.users.get("siti").has_totp


def test_sessions_are_listed_with_where_and_ended_one_by_one(web: Flask, login: Login) -> None:
    """Browser, address, since when; the own one has no button."""
    here = login("siti")
    there = web.test_client()
    post_as = {"headers": {"User-Agent": FIREFOX}, "environ_base": {"REMOTE_ADDR": "192.168.1.7"}}
    page = there.get("/admin/login").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    data = {"csrf_token": token[1], "name": "siti", "password": PASSWORD}
    assert there.post("/admin/login", data=data, **post_as).status_code == 302

    listed = here.get("/admin/account").text
    assert "Firefox, Windows" in listed and "192.168.1.7" in listed and "this one" in listed
    ends = re.findall(r'action="(/admin/account/sessions/[0-9a-f]+/end)"', listed)
    assert len(ends) == 1
    assert post(here, ends[0], listed).status_code == 302
    assert there.get("/admin/").status_code == 302
    assert here.get("/admin/").status_code == 200


def test_all_other_sessions_are_ended_at_once(login: Login) -> None:
    """This one goes on."""
    here, there, elsewhere = login("siti"), login("siti"), login("siti")
    assert post(here, "/admin/account/sessions/end", here.get("/admin/account").text).status_code == 302
    assert [browser.get("/admin/").status_code for browser in (here, there, elsewhere)] == [200, 302, 302]


def test_nobody_ends_the_session_of_somebody_else(login: Login) -> None:
    """Whatever stands in the address."""
    siti, budi = login("siti"), login("budi")
    listed = library_session_id(siti)
    answer = post(budi, f"/admin/account/sessions/{listed}/end", budi.get("/admin/account").text)
    assert answer.status_code == 302
    assert siti.get("/admin/").status_code == 200


def test_an_administrator_ends_all_sessions_of_a_person(login: Login, admin: FlaskClient) -> None:
    """At once, and their browsers are strangers from then on."""
    browsers = [login("budi"), login("budi")]
    assert post(admin, "/admin/users/budi/sessions/end", admin.get("/admin/users").text).status_code == 302
    assert "Sessions ended: 2" in admin.get("/admin/users").text
    assert [browser.get("/admin/").status_code for browser in browsers] == [302, 302]


def library_session_id(browser: FlaskClient) -> str:
    cookie = browser.get_cookie("smartabsen")
    assert cookie is not None
    sessions: SmartAbsen = browser.application.extensions["smartabsen"]
    return sessions.web_sessions.find_listed_id(cookie.value)


# --- where a second factor is demanded -----------------------------------------------------------------------


@pytest.fixture
def demanding(people: None, flags: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The web application where administrators need a second factor."""
    monkeypatch.setattr(second_factor_rows, "new_secret", lambda: SECRET)
    with SmartAbsen.open(flags={**flags, "desk.second_factor": "admins"}) as library:
        yield create_app(library)


def logged_in(web: Flask, name: str) -> FlaskClient:
    browser = web.test_client()
    answer = post(browser, "/admin/login", browser.get("/admin/login").text, name=name, password=PASSWORD)
    assert (answer.status_code, answer.location) == (302, "/admin/")
    return browser


def test_who_has_none_is_led_to_set_it_up(demanding: Flask) -> None:
    """Nothing else opens before; afterwards everything does, and the next login asks for a code."""
    browser = logged_in(demanding, "siti")
    for path in ("/admin/", "/admin/users", "/admin/account", "/admin/attendance/export.csv"):
        assert browser.get(path).location == "/admin/login/second-factor"
    page = browser.get("/admin/login/second-factor").text
    refused = post(browser, "/admin/users/budi/role", page, role="admin")
    assert (refused.status_code, "A second factor is demanded" in refused.text) == (403, True)
    told = browser.get("/admin/", headers={"Accept": "application/json"})
    assert (told.status_code, told.json["error"]["code"]) == (403, "second_factor_needed")  # type: ignore[index]

    assert post(browser, "/admin/account/totp", page).location == "/admin/account/totp"
    page = browser.get("/admin/account/totp").text
    assert "desk-nav" not in page and 'href="/admin/login/second-factor"' in page
    assert len(re.findall("<li><code>", post(browser, "/admin/account/totp/on", page, code=code(-1)).text)) == 10
    assert browser.get("/admin/users").status_code == 200
    assert browser.get("/admin/login/second-factor").location == "/admin/"
    assert half_login(demanding).get("/admin/").location.startswith("/admin/login")


def test_it_is_not_taken_away_by_oneself(demanding: Flask) -> None:
    """Another app can be set up; an administrator helps after a lost phone, and the way begins anew."""
    browser = logged_in(demanding, "siti")
    post(browser, "/admin/account/totp", browser.get("/admin/login/second-factor").text)
    post(browser, "/admin/account/totp/on", browser.get("/admin/account/totp").text, code=code(-1))
    page = browser.get("/admin/account").text
    assert "/admin/account/totp/off" not in page
    assert post(browser, "/admin/account/totp/off", page).location == "/admin/account"
    assert "A second factor is demanded here." in browser.get("/admin/account").text
    library: SmartAbsen = demanding.extensions["smartabsen"]
    assert library.users.get("siti").has_totp
    library.users.turn_totp_off("siti")
    assert browser.get("/admin/").location == "/admin/login/second-factor"
    assert logged_in(demanding, "siti").get("/admin/").location == "/admin/login/second-factor"


def test_it_is_demanded_of_those_who_are_named(demanding: Flask, flags: dict[str, object]) -> None:
    """Of administrators, from the moment on in which somebody becomes one; or of everybody."""
    browser = logged_in(demanding, "budi")
    assert browser.get("/admin/account").status_code == 200
    demanding.extensions["smartabsen"].users.set_role("budi", Role.ADMIN)
    assert browser.get("/admin/account").location == "/admin/login/second-factor"
    demanding.extensions["smartabsen"].users.set_role("budi", Role.VIEWER)
    with SmartAbsen.open(flags={**flags, "desk.second_factor": "everybody"}) as library:
        viewer = logged_in(create_app(library), "budi")
        assert viewer.get("/admin/").location == "/admin/login/second-factor"


def test_a_given_password_comes_before_it(demanding: Flask) -> None:
    """One after the other, and neither way leads around the other."""
    demanding.extensions["smartabsen"].users.set_password("siti", PASSWORD, temporary=True)
    browser = logged_in(demanding, "siti")
    assert browser.get("/admin/login/second-factor").location == "/admin/login/password"
    page = browser.get("/admin/login/password").text
    assert post(browser, "/admin/account/totp", page).status_code == 403
    new = "lima kuda makan rumput"
    post(browser, "/admin/login/password", page, password=new, repeated=new)
    assert browser.get("/admin/").location == "/admin/login/second-factor"


# --- whose tries they are ------------------------------------------------------------------------------------


def test_codes_of_somebody_who_typed_no_password_use_up_nobodys_tries(web: Flask, codes: list[str]) -> None:
    """One computer behind the office's address keeps nobody from the second step of the login."""
    stranger = web.test_client()
    page = stranger.get("/admin/login").text
    assert {post(stranger, "/admin/login/code", page, code="1").status_code for _ in range(35)} == {302}
    browser = half_login(web)
    answer = post(browser, "/admin/login/code", browser.get("/admin/login/code").text, code=codes[0])
    assert (answer.status_code, answer.location) == (302, "/admin/employees?search=ani")


def test_one_user_uses_up_nobody_elses_changes_of_password(login: Login) -> None:
    """They are counted for each user, not for the address that the office shares."""
    budi, siti = login("budi"), login("siti")
    page, differ = budi.get("/admin/account").text, {"current": "x", "password": "a", "repeated": "b"}
    assert [post(budi, "/admin/account", page, **differ).status_code for _ in range(31)] == [302] * 30 + [429]
    new = {"current": PASSWORD, "password": "lima kuda makan rumput", "repeated": "lima kuda makan rumput"}
    assert post(siti, "/admin/account", siti.get("/admin/account").text, **new).status_code == 302
    assert "Your password is changed" in siti.get("/admin/account").text

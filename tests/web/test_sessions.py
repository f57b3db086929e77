"""Sessions: in the browser while they mean nothing, in the database as soon as they do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, flash, get_flashed_messages, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf

from smartabsen import SmartAbsen
from smartabsen.web.access import ROUTES
from smartabsen.web.roles import Route, Who
from smartabsen.web.sessions import browser_session

from .pages import rows

AddView = Callable[[str, Callable[[], str]], None]


@pytest.fixture
def view(web: Flask, monkeypatch: pytest.MonkeyPatch) -> AddView:
    """Add pages of our own."""

    def add(name: str, function: Callable[[], str]) -> None:
        monkeypatch.setitem(ROUTES, name, Route(Who.ANYONE))
        web.add_url_rule(f"/{name}", name, function)

    return add


def keep(name: str, value: object) -> Callable[[], str]:
    """A view that puts something into the session."""

    def view() -> str:
        session[name] = value
        return str(browser_session().sid)

    return view


def test_a_token_alone_lies_in_the_browser(library: SmartAbsen, client: FlaskClient, view: AddView) -> None:
    """A form that is merely looked at writes nothing; its token is good all the same."""
    view("form", lambda: generate_csrf())
    client.get("/form")
    assert rows(library, "web_sessions") == 0
    assert client.get_cookie("smartabsen_visit") is not None and client.get_cookie("smartabsen") is None


def test_anything_else_moves_it_into_the_database_with_its_token(
    library: SmartAbsen, client: FlaskClient, view: AddView
) -> None:
    """The form that was open before stays good."""
    view("form", lambda: (generate_csrf(), str(session["csrf_token"]))[1])
    view("keep", keep("name", "Siti"))
    view("show", lambda: f"{session['name']} {session['csrf_token']}")
    token = client.get("/form").text
    client.get("/keep")
    assert client.get("/show").text == f"Siti {token}"
    assert rows(library, "web_sessions") == 1
    assert client.get_cookie("smartabsen_visit") is None


def test_what_is_changed_in_place_is_stored(client: FlaskClient, view: AddView) -> None:
    """Messages for the next page are appended to a list that is there already."""
    view("first", lambda: flash("one") or "")
    view("second", lambda: flash("two") or "")
    view("show", lambda: " ".join(get_flashed_messages()))
    client.get("/first")
    client.get("/second")
    assert client.get("/show").text == "one two"


def test_an_unchanged_session_is_not_written(
    library: SmartAbsen, client: FlaskClient, view: AddView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Setting the same again costs nothing."""
    view("keep", keep("name", "Siti"))
    client.get("/keep")
    monkeypatch.setattr(library.web_sessions, "save", lambda *_: pytest.fail("it was written"))
    client.get("/keep")


def test_ending_a_session_kills_its_id_on_the_server(library: SmartAbsen, client: FlaskClient, view: AddView) -> None:
    """A copy of the cookie is worth nothing afterwards."""
    view("keep", keep("name", "Siti"))
    view("end", lambda: browser_session().end() or "")
    view("show", lambda: str(dict(session)))
    client.get("/keep")
    cookie = client.get_cookie("smartabsen")
    assert cookie is not None
    client.get("/end")
    assert client.get_cookie("smartabsen") is None and rows(library, "web_sessions") == 0
    client.set_cookie("smartabsen", cookie.value)
    assert client.get("/show").text == "{}"


def test_logging_in_gives_a_new_id_and_forgets_the_token(client: FlaskClient, view: AddView) -> None:
    """What somebody planted or learned before is worth nothing afterwards."""
    view("keep", keep("name", "Siti"))
    view("login", lambda: browser_session().log_in(7, idle_s=60, absolute_s=600) or "")
    view("show", lambda: f"{browser_session().user_id} {dict(session)}")
    client.get("/keep")
    before = client.get_cookie("smartabsen")
    client.get("/login")
    after = client.get_cookie("smartabsen")
    assert before is not None and after is not None and before.value != after.value
    assert client.get("/show").text == "7 {}"


def test_a_forged_visit_is_ignored(client: FlaskClient, view: AddView) -> None:
    """The cookie is signed."""
    view("show", lambda: str(dict(session)))
    client.set_cookie("smartabsen_visit", "eyJuYW1lIjoiYWRtaW4ifQ.forged")
    assert client.get("/show").text == "{}"

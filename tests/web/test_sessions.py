"""Sessions: in the browser while they mean nothing, in the database as soon as they do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, flash, get_flashed_messages, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from itsdangerous import TimestampSigner

from smartabsen import DatabaseError, SmartAbsen
from smartabsen.kernel.domain import SecurityKind
from smartabsen.web.access import ROUTES
from smartabsen.web.roles import Route, Who
from smartabsen.web.sessions import browser_session

from .pages import csrf_of, post, rows, text_of

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


@pytest.mark.parametrize("set_by_s", [-7200, -60, 7200, 400 * 86400])
def test_a_form_outlives_a_clock_that_is_set(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, set_by_s: int
) -> None:
    """Of this machine, or of another one that answers: how long a session lasts is told by the database's clock."""
    phone, screen = client, client.application.test_client()
    form, asked = phone.get("/verify_qr").text, screen.get("/auth").text
    now = TimestampSigner.get_timestamp
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda signer: now(signer) + set_by_s)
    code = text_of(asked, "access-code")
    assert post(phone, "/verify_qr", form, code=code, number=text_of(asked, "number")).status_code == 200
    assert post(screen, "/auth", asked).location == "/web_attendance"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_session_that_cannot_be_stored_is_no_bug(
    library: SmartAbsen, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    """As when Redis is full at the end of a request: 503 as for any other part of it, and cookies that count stay."""
    asked = client.get("/auth").text
    phone = client.application.test_client()
    code, number = text_of(asked, "access-code"), text_of(asked, "number")
    assert post(phone, "/verify_qr", phone.get("/verify_qr").text, code=code, number=number).status_code == 200
    full = DatabaseError("Redis at {address} is full: it takes no writes.", address="redis://192.0.2.1")
    monkeypatch.setattr(library.web_sessions, "save", lambda *_: (_ for _ in ()).throw(full))
    accept = "application/json" if as_json else "text/html"
    answer = client.post("/auth", data={"csrf_token": csrf_of(asked)}, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Retry-After"], answer.location) == (503, "5", None)
    assert "192.0.2.1" not in answer.text and "Content-Security-Policy" in answer.headers
    assert (answer.json["error"]["code"] == "database") if as_json else "cannot do this right now" in answer.text
    assert not [event for event in library.security.events() if event.kind == SecurityKind.ERROR]


def test_a_forged_visit_is_ignored(client: FlaskClient, view: AddView) -> None:
    """The cookie is signed."""
    view("show", lambda: str(dict(session)))
    client.set_cookie("smartabsen_visit", "eyJuYW1lIjoiYWRtaW4ifQ.forged")
    assert client.get("/show").text == "{}"

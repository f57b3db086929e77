"""The application and what surrounds every page of it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from smartabsen import SmartAbsen
from smartabsen.kernel.errors import ConflictError, DatabaseAwayError, DatabaseError, StorageError
from smartabsen.web import create_app
from smartabsen.web.access import ROUTES, is_in_office
from smartabsen.web.roles import Route, Who


def test_making_the_application_opens_no_database_and_loads_no_model(library: SmartAbsen, web: Flask) -> None:
    """A server may fork after it."""
    assert not Path(library.settings.home / "smartabsen.db").exists()
    assert library.services.loaded_engine is None


def test_every_route_says_who_may_call_it(web: Flask) -> None:
    """A route without an entry is a route that nobody thought about, and an entry without a route is stale."""
    assert {rule.endpoint for rule in web.url_map.iter_rules()} == set(ROUTES)


def test_a_route_that_the_table_does_not_know_answers_nobody(web: Flask, client: FlaskClient) -> None:
    """Forgetting an entry closes a page instead of opening it."""
    web.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert client.get("/forgotten").status_code == 403


def test_every_unsafe_route_demands_a_token(web: Flask, client: FlaskClient) -> None:
    """A form of another site, which has no token, changes nothing."""
    unsafe = [
        (method, rule.rule)
        for rule in web.url_map.iter_rules()
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
    ]
    answers = {(method, path): client.open(path, method=method) for method, path in unsafe if "<" not in path}
    assert {
        route: answer.status_code for route, answer in answers.items() if answer.status_code not in (400, 401)
    } == {}


def test_the_policy_lets_in_nothing_from_elsewhere(client: FlaskClient) -> None:
    """Only this host, and scripts and styles of this very answer."""
    first, second = client.get("/healthz"), client.get("/healthz")
    policy = first.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "http" not in policy and "unsafe" not in policy
    assert policy != second.headers["Content-Security-Policy"], "a nonce is used once"
    assert first.headers["Permissions-Policy"].startswith("camera=()")
    assert first.headers["Referrer-Policy"] == "strict-origin"
    assert first.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("accept", "word"),
    [("id-ID,id;q=0.9,en;q=0.8", "halaman"), ("in", "halaman"), ("de", "no such page"), ("", "no such")],
)
def test_the_browser_says_which_language_is_read(client: FlaskClient, accept: str, word: str) -> None:
    """Who asks for none of ours gets the installation's."""
    page = client.get("/nowhere", headers={"Accept": "text/html", "Accept-Language": accept})
    assert page.status_code == 404
    assert word in page.text


def test_a_chosen_language_stays(client: FlaskClient) -> None:
    """The choice beats the browser, and is remembered."""
    client.get("/nowhere?language=id", headers={"Accept-Language": "en"})
    assert 'lang="id"' in client.get("/nowhere", headers={"Accept-Language": "en", "Accept": "text/html"}).text


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 418, 429, 500, 502, 503])
def test_every_error_is_a_page_or_one_shape_of_json(web: Flask, client: FlaskClient, status: int) -> None:
    """People read a sentence and what to do next; programs read code, message and hint."""
    ROUTES["broken"] = Route(Who.ANYONE)
    web.add_url_rule("/broken", "broken", lambda: abort(status))
    try:
        page = client.get("/broken", headers={"Accept": "text/html"})
        answer = client.get("/broken", headers={"Accept": "application/json"})
    finally:
        del ROUTES["broken"]
    assert (page.status_code, answer.status_code) == (status, status)
    assert "<h1" in page.text
    assert set(answer.json) == {"error"}
    assert set(answer.json["error"]) == {"code", "message", "hint"}


def test_an_error_of_the_library_keeps_its_words(web: Flask, client: FlaskClient) -> None:
    """The handlers are where it becomes text, with the status of its class."""

    def view() -> str:
        raise ConflictError("There is already {name}.", name="gate")

    ROUTES["busy"] = Route(Who.ANYONE)
    web.add_url_rule("/busy", "busy", view)
    try:
        answer = client.get("/busy", headers={"Accept": "application/json", "Accept-Language": "id"})
    finally:
        del ROUTES["busy"]
    assert answer.status_code == 409
    assert answer.json["error"]["code"] == "conflict"
    assert "gate" in answer.json["error"]["message"]


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_what_fails_behind_the_server_is_told_without_its_address(
    web: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture, accept: str
) -> None:
    """Neither a server's name nor its words nor a path: the visitor learns when to come back, the log the rest."""

    def view(number: int) -> str:
        raise (
            DatabaseAwayError("The database {address} does not answer.", hint="Look at {address}.", address="db.lan"),
            DatabaseError("Redis at {address} reports a problem: {problem}", address="db.lan", problem="db.lan full"),
            StorageError("{path} cannot be written.", path="/srv/db.lan"),
        )[number]

    web.add_url_rule("/away/<int:number>", "away", view)
    ROUTES["away"] = Route(Who.ANYONE)
    try:
        answers = [client.get(f"/away/{number}", headers={"Accept": accept}) for number in range(3)]
    finally:
        del ROUTES["away"]
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert all("db.lan" not in answer.text for answer in answers)
    assert caplog.text.count("db.lan") >= 3


def test_a_bug_is_told_without_what_it_was(web: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    """The visitor reads a sentence; the log has the traceback, and no query string."""
    ROUTES["bug"] = Route(Who.ANYONE)
    web.add_url_rule("/bug", "bug", lambda: 1 / 0)
    try:
        answer = client.get("/bug?token=verysecret", headers={"Accept": "application/json"})
    finally:
        del ROUTES["bug"]
    assert (answer.status_code, answer.json["error"]["code"]) == (500, "bug")
    assert "ZeroDivisionError" in caplog.text and "verysecret" not in caplog.text


@pytest.mark.parametrize(
    ("address", "inside"),
    [("192.168.1.7", True), ("::ffff:192.168.1.7", True), ("127.0.0.1", True), ("8.8.8.8", False), ("fd00::1", True),
     ("2606:4700::1111", False), (None, False), ("unix", False)],
)  # fmt: skip
def test_the_office_is_private_networks_unless_told_otherwise(
    library: SmartAbsen, address: str | None, inside: bool
) -> None:
    """The default lets in who is in the house."""
    assert is_in_office(address, library.settings.signin.networks) is inside


def test_health_is_answered_without_a_session_and_readiness_names_what_is_missing(client: FlaskClient) -> None:
    """A service manager learns what fails, and no address or path."""
    assert client.get("/healthz").json == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 503
    checks = {"database": "ok", "disk": "ok", "engine": "ok", "model": "fail"}
    assert ready.json == {"status": "not_ready", "checks": checks}
    assert "Set-Cookie" not in ready.headers


def test_a_redis_that_is_silent_is_told_with_when_to_ask_again(
    flags: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load balancer takes the server out, and a browser's program knows how long to wait."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with SmartAbsen.open(flags={**flags, "redis_url": url}) as library:
            web = create_app(library)
            web.add_url_rule("/counted", "counted", lambda: str(library.limits.hit("x", limit=1, per_s=60)))
            monkeypatch.setitem(ROUTES, "counted", Route(Who.ANYONE))
            browser = web.test_client()
            ready = browser.get("/readyz")
            assert (ready.status_code, ready.json["checks"]["redis"]) == (503, "fail")
            assert browser.get("/healthz").status_code == 200
            page = browser.get("/counted")
            assert (page.status_code, page.headers.get("Retry-After")) == (503, "5")


def test_bootstrap_comes_from_this_server(client: FlaskClient) -> None:
    """An office without internet sees the same dashboard."""
    page = client.get("/admin/login", headers={"Accept": "text/html"})
    (address,) = re.findall(r'href="(/static/[^"]*/bootstrap.min.css)"', page.text)
    assert "cdn" not in page.text
    assert client.get(address).status_code == 200


def test_importing_the_library_imports_no_web_server() -> None:
    """Flask is there for who serves."""
    code = "import sys, smartabsen.app.facade; print('flask' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

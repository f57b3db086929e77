"""How many sign-ins wait at one address, and who removes what has expired."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen import DatabaseAwayError, SmartAbsen
from smartabsen.core.tidying import Tidying
from smartabsen.web import create_app

from .pages import confirm, open_signin, post, rows

MOST = 3


@pytest.fixture
def flags(flags: dict[str, object]) -> dict[str, object]:
    """Few, so that a test need not ask often."""
    return flags | {"signin.waiting_per_address": MOST}


def ask(web: Flask, address: str = "192.168.1.7") -> int:
    """Open the sign-in page in a new browser."""
    return web.test_client().get("/auth", environ_base={"REMOTE_ADDR": address}).status_code


def test_one_address_keeps_few_sign_ins_alive(web: Flask, library: SmartAbsen) -> None:
    """The next one is told when to come back and leaves nothing; another address is not its neighbour."""
    assert [ask(web) for _ in range(MOST + 20)] == [200] * MOST + [429] * 20
    assert (rows(library, "qr_tokens"), rows(library, "web_sessions")) == (MOST, MOST)
    refused = web.test_client().get("/auth", environ_base={"REMOTE_ADDR": "192.168.1.7"})
    assert 0 < int(refused.headers["Retry-After"]) <= 600 and "Set-Cookie" not in refused.headers
    assert ask(web, "192.168.1.8") == 200


def test_a_screen_that_has_a_code_goes_on(web: Flask, client: FlaskClient) -> None:
    """However much is asked for at its address meanwhile."""
    open_signin(client)
    while ask(web, "127.0.0.1") == 200:
        pass
    for _ in range(2 * MOST):
        open_signin(client)


def test_a_sign_in_that_was_used_waits_no_more(
    web: Flask, phone: FlaskClient, token: Callable[[], str], library: SmartAbsen
) -> None:
    """Many people at one address, one after the other."""
    for _ in range(3 * MOST):
        browser = web.test_client()
        shown = open_signin(browser)
        assert confirm(phone, token(), shown.number).status_code == 200
        assert post(browser, "/auth", shown.text).location == "/web_attendance"
    assert [ask(web, "127.0.0.1") for _ in range(MOST + 1)] == [200] * MOST + [429]


def test_behind_a_trusted_proxy_the_visitor_s_own_address_counts(flags: dict[str, object]) -> None:
    """A tunnel is one address, and everybody comes through it."""
    with SmartAbsen.open(flags=flags | {"server.proxies": 1}) as opened:
        web = create_app(opened)
        statuses = [
            web.test_client().get("/auth", headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code
            for number in range(3 * MOST)
        ]
    assert set(statuses) == {200}


def test_what_has_expired_is_removed_beside_the_requests(
    web: Flask, library: SmartAbsen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody who opens a page waits for it."""
    removed_by: list[str] = []
    table = library.services.sign_ins
    sweep = table.sweep

    def keep(*, now: datetime) -> int:
        removed_by.append(threading.current_thread().name)
        return sweep(now=now + timedelta(hours=1))

    assert ask(web) == 200
    library.services.tidying.close()
    monkeypatch.setattr(table, "sweep", keep)
    library.services.tidying._done_at.clear()
    assert ask(web, "192.168.1.9") == 200
    library.services.tidying.close()
    assert removed_by == ["tidying"]


def test_tidying_is_done_once_in_a_while_and_survives_a_database_that_is_away() -> None:
    """Without a server it is done at once, as a command ends before anything beside it would."""
    done: list[float] = []

    def work() -> None:
        done.append(datetime.now(UTC).timestamp())
        raise DatabaseAwayError("Away.")

    tidying = Tidying()
    with pytest.raises(DatabaseAwayError):
        tidying.do(work)
    tidying.expect_many()
    for _ in range(5):
        tidying.do(work)
    tidying.close()
    assert len(done) == 2

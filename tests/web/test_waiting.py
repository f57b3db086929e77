"""How many sign-ins wait at one address, and who removes what has expired."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from smartabsen import DatabaseAwayError, SmartAbsen
from smartabsen.upkeep.tidying import Tidying
from smartabsen.web import create_app

from .pages import confirm, open_signin, post, rows, text_of

MOST = 3


@pytest.fixture
def flags(flags: dict[str, object]) -> dict[str, object]:
    """Few, so that a test need not ask often."""
    return flags | {"signin.waiting_per_address": MOST}


ADDRESS = {"REMOTE_ADDR": "192.168.1.7"}


class Browser:
    """A browser at one address that shows the sign-in page."""

    def __init__(self, web: Flask) -> None:
        self.client = web.test_client()
        self.answer = self.client.get("/auth", environ_base=ADDRESS)

    def poll(self) -> str:
        """Ask as the page does how its request stands."""
        path = unescape(re.search(r'data-status="([^"]+)"', self.answer.text)[1])  # type: ignore[index]
        return str(self.client.get(path, environ_base=ADDRESS).json["state"])

    def number(self) -> str:
        return text_of(self.answer.text, "number")


def ask(web: Flask, address: str = "192.168.1.7") -> int:
    """Open the sign-in page in a new browser, which never asks how its request stands."""
    return web.test_client().get("/auth", environ_base={"REMOTE_ADDR": address}).status_code


def test_one_address_keeps_few_sign_ins_alive(web: Flask, library: SmartAbsen) -> None:
    """Whoever asks for more writes nothing; another address is not its neighbour."""
    assert {ask(web) for _ in range(MOST + 20)} == {200}
    assert (rows(library, "qr_tokens"), rows(library, "web_sessions")) == (MOST, MOST)
    assert ask(web, "192.168.1.8") == 200
    assert rows(library, "qr_tokens") == MOST + 1


def test_an_honest_visitor_gets_in_beside_one_who_asks_without_end(
    web: Flask, phone: FlaskClient, token: Callable[[], str], library: SmartAbsen
) -> None:
    """The code of a browser that asks how it stands is kept, and stays until it is confirmed and collected."""
    for _ in range(2 * MOST):
        ask(web)
    visitor = Browser(web)
    carried = token()
    assert visitor.poll() == "pending"
    for _ in range(3 * MOST):
        ask(web)
        assert visitor.poll() == "pending"
    assert rows(library, "qr_tokens") == MOST
    assert confirm(phone, carried, visitor.number()).status_code == 200
    assert visitor.poll() == "verified"
    assert post(visitor.client, "/auth", visitor.answer.text).location == "/web_attendance"


def test_a_displaced_browser_learns_it_and_gets_another_code(web: Flask) -> None:
    """Its page renews itself; who has a session waits for no poll."""
    abandoned = [Browser(web) for _ in range(MOST)]
    visitor = Browser(web)
    assert visitor.poll() == "pending"
    assert abandoned[0].poll() == "dead"
    abandoned[0].answer = abandoned[0].client.get("/auth", environ_base=ADDRESS)
    assert abandoned[0].poll() == "pending"
    assert [visitor.poll(), abandoned[1].poll()] == ["pending", "dead"]


def test_a_code_that_no_browser_asked_for_yet_opens_nothing(
    web: Flask, phone: FlaskClient, token: Callable[[], str]
) -> None:
    """At a full address; and the draft of one window is not that of the next."""
    for _ in range(MOST):
        ask(web)
    visitor = Browser(web)
    assert phone.get(f"/verify_qr?token={token()}").status_code == 410
    older = visitor.answer
    visitor.answer = visitor.client.get("/auth", environ_base=ADDRESS)
    newer = visitor.answer
    visitor.answer = older
    assert visitor.poll() == "replaced"
    visitor.answer = newer
    assert visitor.poll() == "pending"
    assert phone.get(f"/verify_qr?token={token()}").status_code == 200


def test_a_browser_whose_session_has_ended_can_have_its_draft_kept(web: Flask) -> None:
    """It still sends the old cookie."""
    for _ in range(MOST):
        ask(web)
    visitor = Browser(web)
    visitor.client.set_cookie("smartabsen", "ended-long-ago")
    assert visitor.poll() == "pending"
    assert visitor.poll() == "pending"


def test_where_everybody_waits_the_next_one_is_told_when_to_come_back(web: Flask, library: SmartAbsen) -> None:
    """Within a minute, and the page comes back by itself; nothing is left of it."""
    waiting = [Browser(web) for _ in range(MOST)]
    assert [each.poll() for each in waiting] == ["pending"] * MOST
    refused = Browser(web).answer
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Refresh"] == refused.headers["Retry-After"]
    assert (rows(library, "qr_tokens"), rows(library, "web_sessions")) == (MOST, MOST)


def test_a_screen_that_has_a_code_goes_on(web: Flask, client: FlaskClient) -> None:
    """However much is asked for at its address meanwhile."""
    open_signin(client)
    for _ in range(2 * MOST):
        ask(web, "127.0.0.1")
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
    for _ in range(MOST):
        open_signin(web.test_client())
    with library.services.database.read() as session:
        waiting = session.scalar(text("SELECT COUNT(*) FROM qr_tokens WHERE state = 'pending'"))
    assert waiting == MOST


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

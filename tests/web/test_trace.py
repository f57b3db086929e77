"""Attacks leave a trace: each refusal is in the security log with its address, and none with a secret."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen import Role, SmartAbsen
from smartabsen.kernel.domain import SecurityEvent, SecurityKind
from smartabsen.org import passwords
from smartabsen.web import create_app

from .pages import csrf_of, open_signin, post

PASSWORD = "empat kuda makan rumput"
Events = Callable[..., list[tuple[str, str, str, str]]]


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let passwords be hashed quickly."""
    monkeypatch.setattr(passwords, "ROUNDS", 4)


@pytest.fixture
def users(library: SmartAbsen) -> None:
    """An administrator and a viewer."""
    library.users.add("siti", PASSWORD, role=Role.ADMIN)
    library.users.add("budi", PASSWORD, role=Role.VIEWER)


@pytest.fixture
def events(library: SmartAbsen) -> Events:
    """Kind, address, actor and reason of what was logged."""

    def found() -> list[tuple[str, str, str, str]]:
        library.security.close()
        return [(each.kind, each.address, each.actor, each.reason) for each in library.security.events()]

    return found


def log_in(client: FlaskClient, name: str, password: str = PASSWORD) -> int:
    return post(client, "/admin/login", client.get("/admin/login").text, name=name, password=password).status_code


def test_each_way_to_be_refused_at_the_login_is_logged(client: FlaskClient, users: None, events: Events) -> None:
    """Wrong, locked and unknown; what was typed as an unknown name may be a password and is not kept."""
    log_in(client, "siti", "wrong")
    for _ in range(5):
        log_in(client, "budi", "wrong")
    log_in(client, "rahasia-sekali", "wrong")
    assert log_in(client, "siti") == 302
    refused = events()
    assert ("login.refused", "127.0.0.1", "siti", "wrong") in refused
    assert ("login.refused", "127.0.0.1", "", "unknown") in refused
    assert ("login.ok", "127.0.0.1", "siti", "") in refused
    assert "rahasia" not in repr(refused)


def test_a_locked_account_is_logged_as_such(client: FlaskClient, users: None, events: Events) -> None:
    """The tries after the lock are not those that brought it."""
    for _ in range(7):
        log_in(client, "budi", "wrong")
    assert ("login.refused", "127.0.0.1", "budi", "locked") in events()


def test_a_form_without_its_token_is_logged(client: FlaskClient, events: Events) -> None:
    """As it comes from another site."""
    assert client.post("/verify_qr", data={"code": "x"}).status_code == 400
    assert ("csrf.refused", "127.0.0.1", "", "csrf") in events()


def test_a_viewer_who_asks_for_more_is_in_log_and_trail(
    client: FlaskClient, users: None, library: SmartAbsen, events: Events
) -> None:
    """With the name of the account and the address; once for the same page in the trail."""
    log_in(client, "budi")
    assert [client.get("/admin/audit").status_code for _ in range(2)] == [403, 403]
    assert ("access.denied", "127.0.0.1", "budi", "forbidden") in events()
    denied = library.audit.entries(action="user.denied")
    assert [(each.actor, each.address, each.details["place"]) for each in denied] == [
        ("budi", "127.0.0.1", "admin.audit")
    ]


def test_who_comes_from_another_network_is_logged_with_that_address(client: FlaskClient, events: Events) -> None:
    """The dashboard and the sign-in are for the office."""
    for path in ("/admin/", "/auth"):
        assert client.get(path, environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 403
    assert ("access.denied", "203.0.113.9", "", "network_not_allowed") in events()


def test_asking_too_often_is_logged(client: FlaskClient, users: None, events: Events) -> None:
    """As many logins of one address."""
    page = client.get("/admin/login").text
    answers = [post(client, "/admin/login", page, name=f"x{number}", password="y").status_code for number in range(31)]
    assert answers[-1] == 429
    assert ("rate.limited", "127.0.0.1", "", "too_many_requests") in events()


def test_used_and_invented_tokens_are_logged_and_not_kept(
    client: FlaskClient, phone: FlaskClient, library: SmartAbsen, token: Callable[[], str], events: Events
) -> None:
    """A sign-in that was confirmed, shown again; an invitation and a phone that nobody made."""
    number = open_signin(client).number
    page = phone.get(f"/verify_qr?token={token()}").text
    assert post(phone, "/verify_qr", page, token=token(), number=number, action="confirm").status_code == 200
    assert phone.get(f"/verify_qr?token={token()}").status_code == 410
    phone.get("/pair?token=" + "a" * 64)
    phone.set_cookie("smartabsen_phone", "b" * 64)
    phone.get("/pin")
    found = events()
    for reason in ("sign_in", "pairing", "phone"):
        assert ("token.refused", "127.0.0.1", "", reason) in found
    written = b"".join(library.security._files.lines())
    for secret in (token().encode(), b"a" * 64, b"b" * 64):
        assert secret not in written


def test_a_bug_is_logged_by_the_name_of_its_class(
    web: Flask, library: SmartAbsen, monkeypatch: pytest.MonkeyPatch, events: Events
) -> None:
    """Its text may hold anything, and stays in the server's own log."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of somebody's secret")

    monkeypatch.setattr(library.signin, "find_ask", fail)
    web.test_client().get("/verify_qr?token=" + "a" * 64)
    (event,) = [each for each in library.security.events() if each.kind == "error.unexpected"]
    assert (event.reason, event.more, event.place) == ("bug", {"error": "ZeroDivisionError"}, "verify.show")


def test_the_address_behind_a_trusted_proxy_is_the_visitors(flags: dict[str, object]) -> None:
    """In the log and in the audit trail; what is no address is left out."""
    with SmartAbsen.open(flags=flags | {"server.proxies": 1, "desk.allowed_networks": "203.0.113.0/24"}) as library:
        library.users.add("siti", PASSWORD, role=Role.ADMIN)
        browser = create_app(library).test_client()

        def enter(told: str) -> int:
            headers = {"X-Forwarded-For": told}
            page = browser.get("/admin/login", headers=headers)
            fields = {"csrf_token": csrf_of(page.text), "name": "siti", "password": PASSWORD}
            return browser.post("/admin/login", data=fields, headers=headers).status_code

        assert enter("198.51.100.1, 203.0.113.7") == 302
        assert browser.get("/admin/", headers={"X-Forwarded-For": "<b>\x7f"}).status_code == 403
        # That the account was made is the first event; it came from no request.
        seen: list[SecurityEvent] = [one for one in library.security.events() if one.kind != SecurityKind.ACCOUNT]
        assert [each.address for each in seen] == ["203.0.113.7", ""]
        (entry,) = library.audit.entries(action="user.login")
        assert entry.address == "203.0.113.7"
        assert not library.audit.verify().problems


def test_a_server_whose_log_cannot_be_written_answers_all_the_same(
    client: FlaskClient, library: SmartAbsen, users: None
) -> None:
    """A file stands where the directory should be."""
    logs = library.settings.home / "logs"
    shutil.rmtree(logs)
    logs.write_text("in the way")
    assert log_in(client, "siti", "wrong") == 401
    assert log_in(client, "siti") == 302


def test_entries_of_a_command_have_no_address(library: SmartAbsen) -> None:
    """Nothing is made up where there was no request."""
    library.users.add("siti", PASSWORD, role=Role.ADMIN)
    assert [each.address for each in library.audit.entries(action="user.add")] == [""]


def test_the_audit_page_shows_where_an_entry_came_from(client: FlaskClient, users: None) -> None:
    """In a column of its own."""
    log_in(client, "siti")
    page = client.get("/admin/audit").text
    assert '<td class="text-break">127.0.0.1</td>' in page

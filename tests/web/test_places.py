"""Links of a page to itself: what a visitor writes into the address or the Host stays where it is."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen.web import faults
from smartabsen.web.factory import MAX_BODY_BYTES

from .pages import csrf_of, post


@pytest.fixture
def flags(flags: dict[str, object]) -> dict[str, object]:
    """The Host of these tests is one that the server answers."""
    return flags | {"server.hosts": "evil.example"}


def links(page: str) -> list[str]:
    """Where the languages of a page lead."""
    return [found.replace("&amp;", "&") for found in re.findall(r'href="([^"]*)" lang="', page)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/auth?endpoint=x", 200),
        ("/admin/login?endpoint=1", 200),
        ("/static/xx?endpoint=1", 404),
        ("/verify_qr?_anchor=zz&_method=POST", 200),
        ("/auth?_external=1&_scheme=ftp", 200),
        ("/verify_qr?values=1&language=xx&self=2", 200),
        ("/nowhere?endpoint=1", 404),
        ("/%2F%2Fevil.example", 404),
        ("/static/%0d%0a?a=%ff", 404),
    ],
)
def test_no_query_breaks_a_page_and_no_host_reaches_a_link(client: FlaskClient, path: str, status: int) -> None:
    """Every link is a path of this server, whatever the visitor writes."""
    answer = client.get(path, headers={"Host": "evil.example", "Accept": "text/html"})
    assert answer.status_code == status
    assert len(links(answer.text)) == 2
    assert all(re.match(r"/(?!/)", link) for link in links(answer.text))
    assert "//evil.example" not in answer.text


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [("/admin", "/admin/"), ("/admin?a=1", "/admin/?a=1"), ("/x//evil.example", "/x/evil.example")],
)
def test_a_corrected_address_is_a_path(web: Flask, client: FlaskClient, path: str, leads_to: str) -> None:
    """A slash too few or too many leads to this server, not to what the Host header names."""
    web.add_url_rule("/x/evil.example", "static_x")
    answer = client.get(path, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.location) == (308, leads_to)


def test_a_link_keeps_the_query(client: FlaskClient) -> None:
    """The same page in another language is the same page."""
    page = client.get("/admin/login?next=/admin/audit%3Fa%3D1%26b&language=id").text
    assert links(page) == [f"/admin/login?next=%2Fadmin%2Faudit%3Fa%3D1%26b&language={code}" for code in ("id", "en")]


def test_a_page_that_answers_a_form_is_left_for_its_own_page(client: FlaskClient) -> None:
    """A phone that changes the language stays a phone, and an administrator stays in the dashboard."""
    answer = post(client, "/verify_qr", client.get("/verify_qr").text, code="BBBBBBBB", action="look")
    assert (answer.status_code, links(answer.text)[0]) == (410, "/verify_qr?language=id")
    page = client.post("/admin/employees/5/pictures", headers={"Accept": "text/html"})
    assert links(page.text)[0] == "/admin/employees/5?language=id"


def test_an_error_page_never_fails(
    web: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where its template breaks there is a plain page in both languages, and the log says why."""

    def broken(*_: object, **__: object) -> str:
        raise RuntimeError("broken template")

    monkeypatch.setattr(faults, "render_template", broken)
    answer = client.get("/nowhere", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert "kesalahan Anda" in answer.text and "not your fault" in answer.text
    assert "broken template" in caplog.text and "broken" not in answer.text


@pytest.mark.parametrize(("language", "words"), [("en", "5 MB are taken"), ("id", "5 MB sekaligus")])
def test_too_much_names_the_limit_and_leads_back(client: FlaskClient, language: str, words: str) -> None:
    """Whoever sent too much learns how much may be sent, and finds the form again."""
    csrf = csrf_of(client.get("/verify_qr").text)
    answer = client.post(
        "/verify_qr",
        data={"csrf_token": csrf, "code": "B" * (MAX_BODY_BYTES + 1)},
        headers={"Accept": "text/html", "Accept-Language": language},
    )
    assert (answer.status_code, words in answer.text) == (413, True)
    assert 'href="/verify_qr">' in answer.text

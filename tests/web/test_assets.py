"""Static files and what travels: few bytes for a phone on a slow line, and none of them twice."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient

from smartabsen import SmartAbsen
from smartabsen.web import assets, create_app

from .pages import open_signin

WEB = Path(assets.__file__).parent
MOST_BYTES = 60_000
LEAN_BYTES = 30_000
"""What the first pages need today, with room for a few sentences more."""
_LINKED = re.compile(r'<(?:link|script|img)\b[^>]*?\b(?:href|src)="([^"]+)"')
_IMPORTED = re.compile(r'\bfrom "(\./[^"]+)"')


def fetch(client: FlaskClient, path: str) -> tuple[int, str]:
    """Bytes that travel for an address, and the text that they unpack to."""
    answer = client.get(path, headers={"Accept-Encoding": "gzip, deflate", "Accept": "text/html,*/*"})
    assert answer.status_code == 200, path
    body = answer.data
    headers = sum(len(name) + len(value) + 4 for name, value in answer.headers)
    text = gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body
    return len(body) + headers, text.decode()


def cold_load(client: FlaskClient, path: str) -> dict[str, int]:
    """Bytes of a page and of everything that it and its modules load, by address."""
    size, page = fetch(client, path)
    loaded = {path: size}
    waiting = [address for address in _LINKED.findall(page) if not address.startswith("data:")]
    assert waiting
    while waiting:
        address = waiting.pop()
        if address not in loaded:
            loaded[address], text = fetch(client, address)
            waiting += [urljoin(address, name) for name in _IMPORTED.findall(text)]
    return loaded


@pytest.mark.parametrize("page", ["auth", "verify_qr", "ask"])
def test_the_first_page_is_small(client: FlaskClient, token: Callable[[], str], page: str) -> None:
    """Two seconds at 50 KB/s with a cold cache, headers included; no page for visitors loads Bootstrap."""
    open_signin(client)
    path = f"/verify_qr?token={token()}" if page == "ask" else f"/{page}"
    loaded = cold_load(client, path)
    assert not [address for address in loaded if "bootstrap" in address]
    assert sum(loaded.values()) < LEAN_BYTES < MOST_BYTES, loaded


def test_static_files_are_kept_for_ever_in_a_folder_of_their_contents(client: FlaskClient) -> None:
    """Every file of a page, and the modules that they import."""
    loaded = cold_load(client, "/auth")
    del loaded["/auth"]
    folders = {address.rpartition("/")[0] for address in loaded}
    assert len(folders) == 1 and re.fullmatch(r"/static/v-[0-9a-f]{16}", folders.pop())
    for address in loaded:
        answer = client.get(address)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        again = client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    assert "Set-Cookie" not in answer.headers


def test_the_folder_follows_the_contents(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that changed is another address."""
    before = assets.Assets().version
    assert assets.Assets().version == before
    for path in (WEB / "static").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(assets, "_OWN", tmp_path)
    assert assets.Assets().version == before
    (tmp_path / "app.css").write_text("/* another one */")
    assert assets.Assets().version != before


@pytest.mark.parametrize("folder", ["/static", "/static/v-0123456789abcdef"])
def test_an_address_without_the_folder_of_today_is_kept_for_minutes_only(client: FlaskClient, folder: str) -> None:
    """A page that was open during an upgrade still gets what it asks for, and nothing stale stays."""
    answer = client.get(f"{folder}/app.css")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=300")
    assert client.get(f"{folder}/../factory.py").status_code == 404
    assert client.get(f"{folder}/nothing.css").status_code == 404


def test_who_takes_no_gzip_gets_none(client: FlaskClient) -> None:
    """Caches between know that there are two kinds."""
    for path in ("/static/app.css", "/auth"):
        for accept, wanted in (("gzip", "gzip"), ("identity", None), ("gzip;q=0", None), ("", None)):
            answer = client.get(path, headers={"Accept-Encoding": accept})
            assert answer.headers.get("Content-Encoding") == wanted, (path, accept)
            assert "Accept-Encoding" in answer.headers["Vary"]


def test_scripts_have_their_type_whatever_the_system_says(client: FlaskClient) -> None:
    """With nosniff a module of another type is not run."""
    types = {name: client.get(f"/static/{name}").content_type for name in ("signin.js", "app.css", "icon.svg")}
    assert types["signin.js"].startswith("text/javascript")
    assert types["app.css"].startswith("text/css")
    assert types["icon.svg"].startswith("image/svg+xml")


def test_pages_of_the_dashboard_are_not_packed(client: FlaskClient) -> None:
    """They repeat what was searched for beside people's data; their length must tell nothing."""
    page = client.get("/admin/login", headers={"Accept-Encoding": "gzip", "Accept": "text/html"})
    assert page.status_code == 200 and "Content-Encoding" not in page.headers
    assert "bootstrap.min.css" in page.text


def test_the_length_of_a_packed_page_varies(client: FlaskClient) -> None:
    """The same page twice does not measure the same."""
    lengths = {len(client.get("/nowhere", headers={"Accept-Encoding": "gzip"}).data) for _ in range(40)}
    assert len(lengths) > 5


def test_every_class_of_the_pages_for_visitors_has_a_rule() -> None:
    """They have no Bootstrap: a class of it that nobody wrote would do nothing."""
    css = "".join((WEB / "static" / name).read_text(encoding="utf-8") for name in ("visitor.css", "app.css"))
    known = set(re.findall(r"\.([a-zA-Z][\w-]*)", css)) | {"active"}
    used: set[str] = set()
    for template in (WEB / "templates").glob("*.html"):
        text = re.sub(r"\{#.*?#\}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
        for value in re.findall(r'class="((?:[^"{]|\{\{.*?\}\}|\{%.*?%\})*)"', text):
            used |= set(re.findall(r"'([a-z][\w-]+)'", value))
            used |= set(re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", value).split())
    # Outcomes that are compared; and the head of the page, which the dashboard shares, needs this with Bootstrap.
    used -= {"declined", "confirmed", "navbar-expand"}
    assert used - known == set()


def test_an_application_of_ones_own_has_them_too(library: SmartAbsen) -> None:
    """``create_app`` is all that a WSGI server needs."""
    with create_app(library).test_request_context():
        from flask import url_for

        assert url_for("static", filename="app.css").startswith("/static/v-")

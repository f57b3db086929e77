"""By which names the server answers, what its answers say to browsers, and which changes other sites cannot ask for."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, run_wsgi_app

from smartabsen import ConfigError, SmartAbsen
from smartabsen.config import load_settings
from smartabsen.org.addresses import is_own_address, own_address
from smartabsen.web import create_app
from smartabsen.web.faults import BARE_HEADERS, bare_answer
from smartabsen.web.intake import CIPHERS

from .pages import csrf_of, open_signin
from .server_process import running_server


def status(client: FlaskClient, host: str, path: str = "/verify_qr") -> int:
    """What a page is answered under a name."""
    return client.get(path, headers={"Host": host, "Accept": "text/html"}).status_code


@pytest.mark.parametrize("path", ["/auth", "/verify_qr", "/admin/login", "/healthz", "/static/app.css", "/nowhere"])
def test_nobody_else_s_name_is_answered(client: FlaskClient, path: str, caplog: pytest.LogCaptureFixture) -> None:
    """A page of another name that was made to lead here (DNS rebinding) sees nothing of the office."""
    for host in (
        "evil.example",
        "localhost.evil.example",
        "evil.example:5001",
        "203.0.113.9",
        "0.0.0.0",
        "",
        "a b",
        "[::",
    ):
        answer = client.get(path, headers={"Host": host, "Accept": "text/html"})
        assert answer.status_code == 421, host
        assert "evil" not in answer.text and "Set-Cookie" not in answer.headers
    assert "/static/" not in answer.text, "nothing is fetched that would be refused as well"
    assert "server.hosts" in answer.text and "Content-Security-Policy" in answer.headers
    assert caplog.text.count("'evil.example'") == 1
    assert client.get("/auth/status", headers={"Host": "evil.example"}).json["error"]["code"] == "unknown_host"


def test_the_machine_s_own_names_and_addresses_are_answered(client: FlaskClient) -> None:
    """Also with a port, in capitals and with the dot at the end; a health check asks by address or names no host."""
    name = socket.gethostname().partition(".")[0]
    for host in ("localhost", "LOCALHOST:5001", "127.0.0.1:5001", "[::1]:5001", "localhost.", name, f"{name}.local"):
        assert status(client, host) == 200, host
    assert status(client, own_address(), "/healthz") == 200
    environ = EnvironBuilder("/healthz").get_environ()
    del environ["HTTP_HOST"]
    assert run_wsgi_app(client.application.wsgi_app, environ)[1].startswith("200")


def test_other_names_are_told_in_the_settings_the_public_address_and_the_certificate(
    flags: dict[str, object], tmp_path: Path
) -> None:
    """A name with a star means those below it, and not itself."""
    with SmartAbsen.open(flags=flags) as first:
        made = first.tls.init(("absen.kantor.lan",))
    named = {
        "server.hosts": "Absen.Lan, *.toko.example, 203.0.113.9",
        "server.public_url": "https://absen.example.com",
        "server.tls_cert": str(made.certificate),
        "server.tls_key": str(made.key),
    }
    with SmartAbsen.open(flags=flags | named) as opened:
        client = create_app(opened).test_client()
        for host in ("absen.lan", "pintu.toko.example", "203.0.113.9", "absen.example.com", "absen.kantor.lan:5001"):
            assert status(client, host) == 200, host
        for host in ("toko.example", "xtoko.example", "kantor.lan", "example.com"):
            assert status(client, host) == 421, host


@pytest.mark.parametrize("value", ["https://absen.lan", "absen.lan:5001", "a b", "*", "absen..lan", "a/b"])
def test_what_is_no_name_is_refused_when_it_is_set(value: str) -> None:
    """With an example of one."""
    with pytest.raises(ConfigError, match="is no name of a server"):
        load_settings(environ={"SMARTABSEN_SERVER_HOSTS": value})


def test_an_address_is_one_s_own_while_an_interface_has_it() -> None:
    """Nothing is sent to find out."""
    assert is_own_address("127.0.0.1") and is_own_address(own_address())
    assert not any(map(is_own_address, ("203.0.113.9", "0.0.0.0", "::", "224.0.0.1", "2001:db8::1", "fe80::1:2:3")))


@pytest.mark.parametrize(
    ("host", "scheme", "wanted"),
    [("localhost:5001", "http", True), ("127.0.0.1", "http", True), ("[::1]", "http", True),
     ("absen.lan", "http", False), ("absen.lan", "https", True)],
)  # fmt: skip
def test_the_header_for_windows_is_sent_where_browsers_take_it(
    flags: dict[str, object], host: str, scheme: str, wanted: bool
) -> None:
    """On plain http it would be an error in every visitor's console."""
    with SmartAbsen.open(flags=flags | {"server.hosts": "absen.lan"}) as opened:
        answer = create_app(opened).test_client().get("/verify_qr", base_url=f"{scheme}://{host}")
        assert answer.status_code == 200
        assert ("Cross-Origin-Opener-Policy" in answer.headers) is wanted


def test_https_is_remembered_with_a_certificate_of_one_s_own_too(flags: dict[str, object]) -> None:
    """Not for this machine's own name, under which other programs speak http; and never on http."""
    with SmartAbsen.open(flags=flags | {"server.hosts": "absen.lan"}) as opened:
        client = create_app(opened).test_client()
        for address, wanted in (("https://absen.lan", True), ("https://localhost", False), ("http://absen.lan", False)):
            headers = client.get("/verify_qr", base_url=address).headers
            assert ("Strict-Transport-Security" in headers) is wanted, address


def test_the_language_is_kept_in_a_cookie_of_this_host_alone(flags: dict[str, object]) -> None:
    """On https; one without the prefix, which any host below the domain could set, is not read there."""
    with SmartAbsen.open(flags=flags | {"server.hosts": "absen.lan"}) as opened:
        client = create_app(opened).test_client()
        page = client.get("/verify_qr?language=id", base_url="https://absen.lan")
        (cookie,) = [one for one in page.headers.getlist("Set-Cookie") if "language" in one]
        assert cookie.startswith("__Host-smartabsen_language=id;") and "; Secure" in cookie and "Path=/" in cookie
        asks = {"Accept-Language": "en"}
        again = client.get("/verify_qr", base_url="https://absen.lan", headers=asks)
        assert 'lang="id"' in again.text
        other = create_app(opened).test_client()
        planted = other.get(
            "/verify_qr", base_url="https://absen.lan", headers=asks | {"Cookie": "smartabsen_language=id"}
        )
        assert '<html lang="en"' in planted.text


@pytest.mark.parametrize(("site", "wanted"), [("cross-site", 403), ("same-site", 403), ("x", 403), ("same-origin", 303),
                                              ("none", 303), (None, 303)])  # fmt: skip
def test_another_site_changes_nothing(client: FlaskClient, site: str | None, wanted: int) -> None:
    """Even with the right token; browsers that do not say it are held by the token."""
    shown = open_signin(client)
    headers = {} if site is None else {"Sec-Fetch-Site": site}
    answer = client.post("/auth", data={"csrf_token": csrf_of(shown.text)}, headers=headers)
    assert answer.status_code == wanted


def test_every_changing_route_refuses_another_site(client: FlaskClient, token: Callable[[], str]) -> None:
    """Also those that anybody may call; to look is allowed, as a link from another site leads here."""
    web = client.application
    headers = {"Sec-Fetch-Site": "cross-site"}
    for rule in web.url_map.iter_rules():
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            if "<" not in rule.rule:
                assert client.open(rule.rule, method=method, headers=headers).status_code in (401, 403), rule
    assert client.get("/auth", headers=headers).status_code == 200


@pytest.mark.parametrize("number", [400, 408, 413, 414, 431, 500, 501, 505, 599, 499])
def test_what_the_server_answers_by_itself_carries_the_headers(number: int) -> None:
    """Before there is a request: one short line, nothing of what was sent, and no cache keeps it."""
    head, _, body = bare_answer(number, secure=True).partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert first.startswith("HTTP/1.1 4" if number < 500 else "HTTP/1.1 5")
    assert headers["Content-Length"] == str(len(body)) and headers["Connection"] == "close"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
    assert headers["Permissions-Policy"].startswith("camera=(), microphone=()")
    assert "Strict-Transport-Security" in headers
    assert b"Strict-Transport-Security" not in bare_answer(number)


def test_the_server_s_own_answers_carry_what_every_page_does(client: FlaskClient) -> None:
    """One list for both; only the policy of scripts and forms is a page's own."""
    page = client.get("/nowhere").headers
    own = {"Content-Security-Policy"}
    for name, value in BARE_HEADERS:
        assert name in own or page[name] == value


def test_https_uses_no_cbc_suites() -> None:
    """Whichever server answers: both take connections in alike."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(CIPHERS)
    names = [suite["name"] for suite in context.get_ciphers()]
    assert names and all("GCM" in name or "CHACHA20" in name for name in names)


def test_a_request_that_cannot_be_read_is_answered_with_the_headers(tmp_path: Path) -> None:
    """And nothing of it comes back."""
    with running_server(tmp_path, settings={"SMARTABSEN_ENGINE": "fake"}) as server:
        port = int(server.address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
            raw.sendall(b"GET /secret-word HTTP/nonsense\r\n\r\n")
            answer = b"".join(iter(lambda: raw.recv(4096), b"")).decode()
    assert answer.startswith("HTTP/1.1 400 ") and "secret-word" not in answer
    assert "X-Content-Type-Options: nosniff" in answer and "Content-Security-Policy: default-src 'none'" in answer

"""Behind a proxy or a tunnel: whose address counts, what is https, and the example files of ``deploy/``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from smartabsen import SmartAbsen
from smartabsen.config import load_settings
from smartabsen.kernel.domain import CheckLevel
from smartabsen.upkeep.serving import check_server
from smartabsen.web import create_app

DEPLOY = Path(__file__).parents[2] / "deploy"
OFFICE = "203.0.113.7"


def env_file() -> dict[str, str]:
    """The variables of the example."""
    lines = (DEPLOY / "smartabsen.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.fixture
def flags(flags: dict[str, object]) -> dict[str, object]:
    """The settings of the guide, without production."""
    return flags | {
        "server.public_url": "https://absen.example.com",
        "server.proxies": 1,
        "signin.phone": "paired",
        "signin.allowed_networks": f"127.0.0.0/8,{OFFICE}/32",
    }


def through_tunnel(client: FlaskClient, path: str, visitor: str, forged: str = "") -> TestResponse:
    """Ask as cloudflared does: from this machine, the visitor's address behind what the visitor wrote."""
    headers = {
        "Host": "absen.example.com",
        "X-Forwarded-For": f"{forged},{visitor}" if forged else visitor,
        "X-Forwarded-Proto": "https",
        "Cf-Connecting-Ip": visitor,
    }
    return client.get(path, headers=headers, environ_base={"REMOTE_ADDR": "127.0.0.1"})


def test_the_visitor_and_not_the_tunnel_decides(client: FlaskClient) -> None:
    """The office's own address may show the sign-in, others may not, whatever they claim to be."""
    assert through_tunnel(client, "/auth", OFFICE).status_code == 200
    assert through_tunnel(client, "/auth", "198.51.100.9").status_code == 403
    assert through_tunnel(client, "/auth", "198.51.100.9", forged=f"127.0.0.1,{OFFICE}").status_code == 403
    assert through_tunnel(client, "/verify_qr", "198.51.100.9").status_code == 200


def test_cookies_are_bound_to_https_and_the_host(client: FlaskClient) -> None:
    """The tunnel speaks https, although the server behind it does not."""
    answer = through_tunnel(client, "/auth", OFFICE)
    cookies = answer.headers.getlist("Set-Cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("__Host-smartabsen="))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(session.split("; "))
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_the_qr_carries_the_public_address(library: SmartAbsen, client: FlaskClient) -> None:
    """And not what the request says."""
    headers = {"Host": "127.0.0.1:5001", "X-Forwarded-Host": "evil.example", "X-Forwarded-For": OFFICE}
    page = client.get("/auth", headers=headers)
    assert "https://absen.example.com/verify_qr" in page.text and "evil" not in page.text
    assert client.get("/", headers=headers).location == "/auth"
    assert client.get("/auth", headers=headers | {"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("proxies", [0])
def test_without_a_trusted_proxy_its_headers_are_air(flags: dict[str, object], proxies: int) -> None:
    """The default: nobody's word is taken for where they come from or whether it is https."""
    with SmartAbsen.open(flags=flags | {"server.proxies": proxies}) as opened:
        client = create_app(opened).test_client()
        answer = client.get(
            "/auth",
            headers={"X-Forwarded-For": OFFICE, "X-Forwarded-Proto": "https"},
            environ_base={"REMOTE_ADDR": "198.51.100.9"},
        )
        assert answer.status_code == 403
        plain = client.get("/auth", headers={"X-Forwarded-Proto": "https"})
        assert "Strict-Transport-Security" not in plain.headers


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-For",
        "X-Real-IP",
        "CF-Connecting-IP",
        "Forwarded",
        "True-Client-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
        "Fastly-Client-IP",
        "Fly-Client-IP",
        "X-Envoy-External-Address",
        "X-Azure-ClientIP",
        "X-Original-Forwarded-For",
        "X-ProxyUser-Ip",
    ],
)
def test_behind_a_proxy_that_was_forgotten_nobody_is_in_the_office(
    flags: dict[str, object], header: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It stands on this machine, so that everybody would: they are told what IT staff have to set, the log once."""
    with SmartAbsen.open(flags=flags | {"server.proxies": 0}) as opened:
        client = create_app(opened).test_client()
        answers = [client.get("/auth", headers={header: "198.51.100.9", "Accept": "text/html"}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [403, 403]
        assert "server.proxies" in answers[0].text
        assert caplog.text.count("server.proxies") == 1
        assert client.get("/auth").status_code == 200
        assert client.get("/verify_qr", headers={header: "198.51.100.9"}).status_code == 200


@pytest.mark.parametrize("header", ["X-Real-IP", "X-Forwarded-Proto"])
def test_a_trusted_proxy_that_does_not_say_where_a_visitor_is_brings_nobody_into_the_office(
    client: FlaskClient, header: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Only X-Forwarded-For is believed; without it everybody would be where the proxy is."""
    answers = [client.get("/auth", headers={header: "https", "Accept": "text/html"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert "X-Forwarded-For" in answers[0].text
    assert caplog.text.count("X-Forwarded-For") == 1
    assert client.get("/auth", headers={header: "https", "X-Forwarded-For": OFFICE}).status_code == 200


def test_cookies_follow_the_public_address(flags: dict[str, object]) -> None:
    """A proxy that does not say it was https makes no cookie that http could carry."""
    with SmartAbsen.open(flags=flags) as opened:
        client = create_app(opened).test_client()
        answer = client.get("/auth?language=id", headers={"X-Forwarded-For": OFFICE})
        cookies = answer.headers.getlist("Set-Cookie")
        assert any(cookie.startswith("__Host-smartabsen=") for cookie in cookies)
        assert any(cookie.startswith("__Host-smartabsen_language=id") for cookie in cookies)
        assert all("; Secure" in cookie for cookie in cookies)
        again = client.get("/auth/status", headers={"X-Forwarded-For": OFFICE})
        assert again.json["state"] == "pending"


def test_doctor_has_nothing_to_say_about_the_settings_of_the_guide(library: SmartAbsen) -> None:
    """As the guide promises."""
    assert [row.name for row in check_server(library.services) if row.level is not CheckLevel.OK] == []


def test_the_example_settings_are_settings() -> None:
    """Each variable exists, and its value is taken."""
    settings = load_settings(environ=env_file()).settings
    assert settings.server.public_url == "https://absen.example.com"
    assert (settings.server.proxies, settings.signin.phone, settings.server.secret_key) == (1, "paired", "")


def test_the_tunnel_leads_to_the_default_port_and_ends_with_a_catch_all() -> None:
    """``cloudflared`` demands the last rule."""
    text = (DEPLOY / "cloudflared.yml").read_text(encoding="utf-8")
    services = re.findall(r"service: (\S+)", text)
    assert services == [f"http://127.0.0.1:{load_settings(environ={}).settings.server.port}", "http_status:404"]
    assert "hostname: absen.example.com" in text

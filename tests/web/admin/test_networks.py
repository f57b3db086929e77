"""From where the dashboard may be opened."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen import SmartAbsen
from smartabsen.web import create_app

OUTSIDE = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.mark.parametrize("path", ["/admin/", "/admin/login", "/admin/setup", "/admin/today/part"])
def test_the_dashboard_is_closed_to_other_networks(client: FlaskClient, path: str) -> None:
    """With a sentence, the login page included; a forged header changes nothing."""
    answer = client.get(path, environ_base=OUTSIDE, headers={"X-Forwarded-For": "10.0.0.1"})
    assert answer.status_code == 403
    assert "only shown in the networks of the office" in answer.text and "desk.allowed_networks" in answer.text
    assert client.get(path, environ_base={"REMOTE_ADDR": "192.168.1.20"}).status_code != 403


def test_a_session_from_within_is_worth_nothing_outside(admin: FlaskClient) -> None:
    """A cookie that was carried away opens nothing."""
    assert admin.get("/admin/", environ_base=OUTSIDE).status_code == 403


def test_the_setting_opens_it(flags: dict[str, object]) -> None:
    """To the networks that are named."""
    with SmartAbsen.open(flags=flags | {"desk.allowed_networks": "203.0.113.0/24"}) as opened:
        web: Flask = create_app(opened)
        assert web.test_client().get("/admin/login", environ_base=OUTSIDE).status_code == 200
        assert web.test_client().get("/admin/login").status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "CF-Connecting-IP"])
def test_behind_a_proxy_that_it_was_not_told_of_the_dashboard_is_closed(client: FlaskClient, header: str) -> None:
    """Everybody would seem to sit at this machine; the sentence names the setting that is missing."""
    answer = client.get("/admin/login", environ_base={"REMOTE_ADDR": "127.0.0.1"}, headers={header: "203.0.113.9"})
    assert answer.status_code == 403 and "server.proxies" in answer.text

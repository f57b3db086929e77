"""Whoever reads the database or Redis finds no secret that still opens something."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

from flask.testing import FlaskClient
from redis import Redis

from smartabsen import Role, SmartAbsen
from smartabsen.web import create_app

from ..pages import open_signin, post
from .conftest import PASSWORD

TOKEN = re.compile(r"/pair\?token=([\w-]{64})")
PIN = "402917"


def in_sqlite(home: Path) -> str:
    """Everything in the tables, and every file of the home but the server's own secrets."""
    with sqlite3.connect(home / "smartabsen.db") as connection:
        rows = "\n".join(connection.iterdump())
    files = [path for path in home.rglob("*") if path.is_file() and "secrets" not in path.parts]
    return rows + "".join(path.read_bytes().decode("latin-1") for path in files)


def in_redis(url: str) -> str:
    """Every key and value, of whatever type."""
    with Redis.from_url(url, decode_responses=True) as redis:
        readers: dict[object, Callable[[str], object]] = {
            "string": redis.get,
            "hash": redis.hgetall,
            "set": redis.smembers,
            "zset": lambda key: redis.zrange(key, 0, -1),
            "list": lambda key: redis.lrange(key, 0, -1),
        }
        return "\n".join(f"{key} {readers[redis.type(key)](key)}" for key in redis.scan_iter("*"))


def secrets_shown(browser: FlaskClient, visitor: FlaskClient) -> dict[str, str]:
    """Do what makes secrets, and return them as people saw them."""
    page = browser.get("/admin/employees/1").text
    answer = post(browser, "/admin/employees/1/phones", page)
    assert answer.status_code == 303
    invitation = TOKEN.search(browser.get("/admin/employees/1/phones").text)
    assert invitation is not None
    post(browser, "/admin/employees/1/pin", page, pin=PIN)
    shown = open_signin(visitor)
    code = re.search(r"[B-Z]{4}-[B-Z]{4}", visitor.get("/auth").text)
    cookies = {
        f"cookie {number}": value.value
        for number, each in enumerate((browser, visitor))
        if (value := each.get_cookie("smartabsen")) is not None
    }
    assert code is not None and len(cookies) == 2 and shown
    return {
        "invitation": invitation[1],
        "pin": PIN,
        "access code": code[0],
        "bare access code": code[0].replace("-", ""),
        "password": PASSWORD,
        **cookies,
    }


def found_in(secrets: dict[str, str], stored: str) -> list[str]:
    return [name for name, secret in secrets.items() if secret in stored]


def test_no_secret_lies_in_the_database_or_the_home(
    library: SmartAbsen, admin: FlaskClient, client: FlaskClient, token: Callable[[], str]
) -> None:
    """Invitations, access codes, PINs, passwords, session ids and the tokens of sign-ins."""
    secrets = secrets_shown(admin, client) | {"sign-in": token()}
    assert found_in(secrets, in_sqlite(library.settings.home)) == []


def test_no_secret_lies_in_redis(flags: dict[str, object], redis_url: str, few_rounds: None) -> None:
    """Sessions lie there where it is set."""
    with SmartAbsen.open(flags=flags | {"redis_url": redis_url}) as library:
        library.enrolments.add("E001", "Ani Contoh")
        library.users.add("siti", PASSWORD, role=Role.ADMIN)
        web = create_app(library)
        browser = web.test_client()
        post(browser, "/admin/login", browser.get("/admin/login").text, name="siti", password=PASSWORD)
        secrets = secrets_shown(browser, web.test_client())
        stored = in_redis(redis_url)
        assert "invitation" in stored
        assert found_in(secrets, stored) == []


def test_an_invitation_that_another_session_made_is_not_shown(
    admin: FlaskClient, login: Callable[[str], FlaskClient]
) -> None:
    """It is made again from what only the one browser holds."""
    post(admin, "/admin/employees/1/phones", admin.get("/admin/employees/1").text)
    assert TOKEN.search(admin.get("/admin/employees/1/phones").text)
    assert login("siti").get("/admin/employees/1/phones").status_code == 302

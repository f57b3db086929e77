"""Readiness says no where reads pass and nobody can sign in: it writes, and leaves nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from smartabsen import Check, CheckLevel, DatabaseAwayError, DatabaseError, SmartAbsen, StorageError
from smartabsen.store.redis_store import RedisLink
from smartabsen.upkeep import readiness
from smartabsen.upkeep.readiness import KEEP_FAILURE_S, KEEP_S, RememberedReadiness
from smartabsen.web import create_app
from tests.web.server_process import running_server

from .redis_server import PrivateRedis


def levels(app: SmartAbsen) -> dict[str, str]:
    """Row to level."""
    return {row.name: row.level.value for row in app.check_readiness()}


@pytest.fixture
def on_redis(flags: dict[str, object], private_redis: PrivateRedis) -> Iterator[SmartAbsen]:
    """An installation whose sessions lie in a Redis of its own."""
    with SmartAbsen.open(flags={**flags, "redis_url": private_redis.url}) as opened:
        yield opened


def test_a_full_redis_is_not_ready(on_redis: SmartAbsen, private_redis: PrivateRedis) -> None:
    """It answers every question and takes no session; the page says so without naming it, doctor names it."""
    assert levels(on_redis)["redis"] == "ok"
    with private_redis.client() as client:
        assert client.keys("*") == [], "the trial leaves nothing"
    private_redis.fill()
    browser = create_app(on_redis).test_client()
    ready = browser.get("/readyz")
    assert (ready.status_code, ready.json["checks"]["redis"]) == (503, "fail")
    refused = browser.get("/auth", headers={"Accept": "text/html"})
    assert refused.status_code == 503
    assert all(word not in refused.text for word in ("edis", "maxmemory", str(private_redis.url)))
    (row,) = [one for one in on_redis.check_health() if one.name == "redis"]
    assert row.level is CheckLevel.FAIL and "is full" in row.detail and "maxmemory" in row.fix


def test_a_redis_that_has_room_for_one_more_write_is_not_ready(
    on_redis: SmartAbsen, private_redis: PrivateRedis
) -> None:
    """That is how a full one looks most of the time; the next write of the same sign-in was refused."""
    with private_redis.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 128 * 1024)
        (row,) = [row for row in on_redis.check_readiness() if row.name == "redis"]
        assert row.level is CheckLevel.FAIL and "is full" in row.detail
        client.config_set("maxmemory", 0)
        assert client.keys("*") == [], "the trial leaves nothing"
    assert levels(on_redis)["redis"] == "ok"


def test_a_redis_that_only_takes_reads_is_not_ready(on_redis: SmartAbsen, private_redis: PrivateRedis) -> None:
    """As the copy of another one, after a failover."""
    with private_redis.client() as client:
        client.replicaof("127.0.0.1", "1")
    (row,) = [row for row in on_redis.check_readiness() if row.name == "redis"]
    assert row.level is CheckLevel.FAIL and "only be read" in row.detail


def test_a_redis_whose_rights_do_not_suffice_is_not_ready(on_redis: SmartAbsen, private_redis: PrivateRedis) -> None:
    """A user that may read and not write."""
    with private_redis.client() as client:
        client.acl_setuser("default", enabled=True, nopass=True, keys=["*"], categories=["+@all", "-@scripting"])
    (row,) = [row for row in on_redis.check_readiness() if row.name == "redis"]
    assert row.level is CheckLevel.FAIL and "rights do not suffice" in row.detail


def test_a_redis_that_refuses_the_password_keeps_a_server_from_starting(
    flags: dict[str, object], redis_directory: Path
) -> None:
    """In one line with what to check, as a database does; no part of a password in it."""
    strict = PrivateRedis(redis_directory, "--requirepass", "rahasia-benar")
    try:
        app = SmartAbsen.open(flags={**flags, "redis_url": f"{strict.url}&password=rahasia-salah"})
        with app, pytest.raises(DatabaseError, match="refuses the user name or password") as caught:
            app.serving.prepare()
        environment = {
            **os.environ,
            "SMARTABSEN_HOME": str(flags["home"]),
            "SMARTABSEN_ENGINE": "fake",
            "SMARTABSEN_LANGUAGE": "en",
            "SMARTABSEN_REDIS_URL": f"{strict.url}&password=rahasia-salah",
        }
        command = [sys.executable, "-m", "smartabsen", "serve", "--port", "5998"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    finally:
        strict.stop()
    assert not isinstance(caught.value, DatabaseAwayError)
    assert done.returncode == 5
    assert done.stderr.splitlines()[0].startswith("Error: Redis at unix://")
    assert len(done.stderr.splitlines()) == 2 and "rahasia" not in done.stderr


def test_a_redis_that_is_away_is_waited_for(flags: dict[str, object], redis_directory: Path) -> None:
    """As a database that is away: the server starts, and says it."""
    url = f"unix://{redis_directory / 'nobody'}?db=0"
    with running_server(Path(str(flags["home"])), settings={"SMARTABSEN_REDIS_URL": url}) as server:
        assert server.get("/healthz")[0] == 200
        said = server.stop()
    assert "does not answer" in said
    with pytest.raises(DatabaseAwayError):
        RedisLink(url).ping()


def test_a_disk_of_the_home_that_is_full_is_not_ready(app: SmartAbsen) -> None:
    """The file that is tried is larger than what is left; nothing of it stays."""
    assert levels(app)["disk"] == "ok"
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, hard))
    try:
        found = levels(app)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert found["disk"] == "fail"
    assert list(app.settings.home.glob(".write-test*")) == []
    assert levels(app)["disk"] == "ok"


def test_a_disk_beside_the_database_counts_as_well(
    flags: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of the database may lie elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    asked: list[Path] = []

    def refuse(directory: Path, *, size_bytes: int = 0) -> None:
        asked.append(directory)
        if directory == elsewhere:
            raise StorageError("The disk is full: {path} cannot be written.", path=directory)

    with SmartAbsen.open(flags={**flags, "database_url": f"sqlite:///{elsewhere / 'a.db'}"}) as app:
        app.employees()
        monkeypatch.setattr(readiness, "check_writable", refuse)
        assert levels(app)["disk"] == "fail"
        assert [row.level for row in app.check_health() if row.name == "database"] == [CheckLevel.FAIL]
    assert elsewhere in asked


@pytest.mark.mariadb
def test_a_server_that_refuses_writes_is_not_ready(flags: dict[str, object], mariadb_url: str) -> None:
    """By the rights of its user, as with a server that was made read-only."""
    url = make_url(mariadb_url)
    with SmartAbsen.open(flags={**flags, "database_url": mariadb_url}) as owner:
        owner.employees()
        assert levels(owner)["database"] == "ok"
        with owner.services.database.write() as session:
            for statement in (
                "CREATE OR REPLACE USER 'sa_reader'@'127.0.0.1' IDENTIFIED BY 'x'",
                f"GRANT SELECT ON {url.database}.* TO 'sa_reader'@'127.0.0.1'",
            ):
                session.execute(text(statement))
        reader = url.set(host="127.0.0.1", username="sa_reader", password="x").render_as_string(hide_password=False)
        try:
            with SmartAbsen.open(flags={**flags, "database_url": reader}) as app:
                assert levels(app)["database"] == "fail"
                browser = create_app(app).test_client()
                assert browser.get("/readyz").status_code == 503
                refused = browser.get("/auth", headers={"Accept": "application/json"})
                assert refused.status_code == 503
                assert all(word not in refused.text for word in ("sa_reader", "127.0.0.1", "mysql", "database "))
        finally:
            with owner.services.database.write() as session:
                session.execute(text("DROP USER 'sa_reader'@'127.0.0.1'"))


def test_probes_without_end_cost_one_check_in_some_seconds() -> None:
    """Readiness is no way to load the server, and a bad answer is not kept as long as a good one."""
    now, made = [100.0], [0]
    level = [CheckLevel.OK]

    def check() -> tuple[Check, ...]:
        made[0] += 1
        return (Check("database", level[0], ""),)

    remembered = RememberedReadiness(check, clock=lambda: now[0])
    for _ in range(100):
        assert remembered.rows()[0].level is CheckLevel.OK
    assert made == [1]
    level[0] = CheckLevel.FAIL
    now[0] += KEEP_S
    assert remembered.rows()[0].level is CheckLevel.FAIL and made == [2]
    level[0] = CheckLevel.OK
    now[0] += KEEP_FAILURE_S
    assert remembered.rows()[0].level is CheckLevel.OK and made == [3]


def test_one_thread_checks_and_the_others_get_the_answer_before() -> None:
    """A check that hangs keeps no other probe waiting."""
    now, entered, leave = [0.0], threading.Event(), threading.Event()

    def check() -> tuple[Check, ...]:
        if now[0]:
            entered.set()
            assert leave.wait(30)
        return (Check("database", CheckLevel.OK, json.dumps(now[0])),)

    remembered = RememberedReadiness(check, clock=lambda: now[0])
    assert remembered.rows()[0].detail == "0.0"
    now[0] = 2 * KEEP_S
    slow = threading.Thread(target=remembered.rows)
    slow.start()
    assert entered.wait(30)
    assert remembered.rows()[0].detail == "0.0"
    leave.set()
    slow.join(30)
    assert remembered.rows()[0].detail == "10.0"

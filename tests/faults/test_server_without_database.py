"""A web server whose database is away when it starts, as after a power cut, and comes back."""

from __future__ import annotations

import concurrent.futures
import json
import os
import threading
import time
import urllib.error
from pathlib import Path

import pytest

from smartabsen import ConfigError, DatabaseAwayError, DatabaseError, SmartAbsen
from smartabsen.store.database import Database
from smartabsen.upkeep.serving import REST_S
from tests.web.server_process import STRONG_SECRET, ServerProcess, running_server

from .gate import Gate
from .server import PrivateServer
from .test_answer_in_time import LIMIT_S, get, put, within

PAGE = "/admin/login"
CLIENTS = 16


def ask(server: ServerProcess, path: str = PAGE) -> tuple[int, str, float]:
    """Status, Retry-After and seconds."""
    began = time.monotonic()
    try:
        status, _ = server.get(path, timeout_s=20)
        retry = ""
    except urllib.error.HTTPError as exc:
        status, retry = exc.code, exc.headers.get("Retry-After", "")
        exc.close()
    return status, retry, time.monotonic() - began


@pytest.mark.slow
@pytest.mark.mariadb
@pytest.mark.skipif(os.name != "posix", reason="Gunicorn and these signals are POSIX")
@pytest.mark.parametrize("state", ["silent", "closed"])
@pytest.mark.parametrize("arguments", [(), ("--production", "--workers", "2")], ids=["one process", "production"])
def test_a_server_starts_without_its_database_and_takes_it_up_when_it_is_there(
    state: str, arguments: tuple[str, ...], flags: dict[str, object], gated_url: str, gate: Gate
) -> None:
    """It says so, answers 503 in time and to all, and needs no restart; the log is made equal then."""
    home = Path(str(flags["home"]))
    with SmartAbsen.open(flags={**flags, "database_url": gated_url}) as app:
        app.enrol("Contoh", [], code="E1")
        app.punch("E1")
        (log,) = app.settings.csv_dir.glob("*.csv")
        written = log.read_bytes()
    log.unlink()
    gate.set(state)
    settings = {"SMARTABSEN_SECRET_KEY": STRONG_SECRET, "SMARTABSEN_DATABASE_URL": gated_url}
    with running_server(home, *arguments, settings=settings) as server:
        assert ask(server, "/healthz")[0] == 200
        before = gate.connections
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(lambda _: ask(server), range(4 * CLIENTS)))
        assert {(status, retry) for status, retry, _ in answers} == {(503, "5")}
        # Those who come first ask, all at once; after them one asks at a time. Docs/faults.md says how long it takes.
        # Who is refused at once may ask anew: that costs nothing, and the first one after it is back is answered.
        assert gate.connections - before <= CLIENTS + 8 or state == "closed"
        assert max(seconds for *_, seconds in answers) < 4 * LIMIT_S
        assert ask(server, "/readyz")[0] == 503
        gate.set("open")
        time.sleep(2 * REST_S)
        assert ask(server)[0] == 200
        assert ask(server, "/readyz")[0] in (200, 503)
        assert log.read_bytes() == written
        said = server.stop()
    assert server.process.returncode == 0
    assert "does not answer" in said and "goes on by itself" in said
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.mariadb
@pytest.mark.skipif(os.name != "posix", reason="Gunicorn and these signals are POSIX")
@pytest.mark.parametrize("arguments", [(), ("--production", "--workers", "2")], ids=["one process", "production"])
@pytest.mark.parametrize("asked", ["by nobody", "before", "all the time"])
def test_the_first_request_after_the_database_is_back_is_answered(
    arguments: tuple[str, ...], asked: str, flags: dict[str, object], server: PrivateServer
) -> None:
    """Whether somebody met it away or not; what a page writes is written."""
    settings = {
        "SMARTABSEN_SECRET_KEY": STRONG_SECRET,
        "SMARTABSEN_DATABASE_URL": server.url,
        "SMARTABSEN_ENGINE": "fake",
        "SMARTABSEN_SIGNIN_WAITING_PER_ADDRESS": "1000",
    }
    over = threading.Event()

    def keep_asking(web: ServerProcess) -> None:
        while not over.wait(0.05):
            ask(web)

    with running_server(Path(str(flags["home"])), *arguments, settings=settings) as web:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert {status for status, *_ in pool.map(lambda _: ask(web, "/auth"), range(16))} == {200}
        for _ in range(2):
            server.kill()
            over.clear()
            if asked == "before":
                assert ask(web, "/auth")[0] == 503
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                for _ in range(2 if asked == "all the time" else 0):
                    pool.submit(keep_asking, web)
                server.start()
                found = [ask(web, "/auth")[0] for _ in range(3)]
                over.set()
            assert found == [200, 200, 200]


@pytest.mark.mariadb
def test_a_connection_that_died_in_the_pool_is_replaced(server: PrivateServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it was found alive a moment before: nothing was done with it yet."""
    database = Database(server.url)
    put(database, "1")
    monkeypatch.setattr(database._engine.pool, "_pre_ping", False)
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND user = 'root'")
        for (number,) in cursor.fetchall():
            cursor.execute(f"KILL {int(number)}")
    assert get(database) == "1"
    put(database, "2")
    database.close()


def test_only_an_absence_is_waited_for(tmp_path: Path) -> None:
    """A wrong address is told at the start, before anybody wonders."""
    flags = {"home": str(tmp_path), "database_url": "postgresql://db/none"}
    with SmartAbsen.open(flags=flags) as app, pytest.raises(ConfigError, match="none that smartabsen can use"):
        app.serving.prepare()


@pytest.mark.mariadb
def test_who_may_not_use_the_database_is_told_at_the_start(tmp_path: Path, mariadb_url: str) -> None:
    """Waiting mends no wrong name."""
    flags = {"home": str(tmp_path), "database_url": f"{mariadb_url}_none"}
    with SmartAbsen.open(flags=flags) as app, pytest.raises(DatabaseError, match="no database of that name") as caught:
        app.serving.prepare()
    assert not isinstance(caught.value, DatabaseAwayError)


def test_readiness_of_a_silent_database(tmp_path: Path) -> None:
    """One row fails, the others that need it are not asked again."""
    with Gate(state="silent") as silent:
        url = f"mysql+pymysql://root@127.0.0.1:{silent.port}/none"
        with SmartAbsen.open(flags={"home": str(tmp_path), "database_url": url}) as app, within():
            rows = {row.name: row.level.value for row in app.check_readiness()}
    assert (rows["database"], rows["engine"]) == ("fail", "skip"), json.dumps(rows)

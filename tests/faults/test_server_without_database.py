"""A web server whose database is away when it starts, as after a power cut, and comes back."""

from __future__ import annotations

import concurrent.futures
import json
import os
import time
import urllib.error
from pathlib import Path

import pytest

from smartabsen import ConfigError, DatabaseAwayError, DatabaseError, SmartAbsen
from smartabsen.core.serving import REST_S
from tests.web.server_process import STRONG_SECRET, ServerProcess, running_server

from .gate import Gate
from .test_answer_in_time import LIMIT_S, within

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
        # Those who come first ask, all at once; everybody after them is told. Docs/faults.md says how long it takes.
        assert gate.connections - before <= CLIENTS + 2
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

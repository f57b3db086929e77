"""Whatever the database or the disk does: an answer within three seconds, and recovery without a restart."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smartabsen import DatabaseError, SmartAbsen
from smartabsen.store import meta
from smartabsen.store.database import Database

from .gate import Gate
from .server import PrivateServer

LIMIT_S = 3.0


@contextmanager
def within(seconds: float = LIMIT_S) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def put(database: Database, value: str) -> None:
    database.run_write(lambda session: meta.put(session, "a", value))


def get(database: Database) -> str | None:
    with database.read() as session:
        return meta.find(session, "a")


@pytest.mark.parametrize("use", [get, lambda database: put(database, "2")], ids=["read", "write"])
def test_a_server_that_accepts_and_never_answers(use: Callable[[Database], object]) -> None:
    """Its greeting is waited for no longer than for anything else."""
    with Gate(state="silent") as silent:
        database = Database(f"mysql+pymysql://root@127.0.0.1:{silent.port}/none")
        with within(), pytest.raises(DatabaseError, match="does not answer"):
            use(database)


@pytest.mark.mariadb
@pytest.mark.parametrize("state", ["silent", "closed"])
@pytest.mark.parametrize("use", [get, lambda database: put(database, "2")], ids=["read", "write"])
def test_a_server_that_goes_away_and_comes_back(
    state: str, use: Callable[[Database], object], gate: Gate, gated_url: str
) -> None:
    """Open connections are found dead in time, and the same object works again when the server is back."""
    database = Database(gated_url)
    put(database, "1")
    gate.set(state)
    for _ in range(2):
        with within(), pytest.raises(DatabaseError, match="does not answer"):
            use(database)
    gate.set("open")
    put(database, "3")
    assert get(database) == "3"
    database.close()


@pytest.mark.mariadb
def test_a_server_that_falls_silent_in_the_middle_of_a_unit(gate: Gate, gated_url: str) -> None:
    """The unit ends with an error, and is not half stored."""
    database = Database(gated_url)
    put(database, "1")
    with within(), pytest.raises(DatabaseError, match="does not answer"), database.write() as session:
        meta.put(session, "a", "2")
        gate.set("silent")
        meta.put(session, "b", "2")
    gate.set("open")
    assert get(database) == "1"
    database.close()


@pytest.mark.mariadb
def test_a_long_unit_may_take_its_time(mariadb_url: str) -> None:
    """Reports and exports are no person in front of a camera."""
    from sqlalchemy import text

    database = Database(mariadb_url)
    with database.read(long=True) as session:
        assert session.scalar(text("SELECT SLEEP(2.8)")) == 0
    with pytest.raises(DatabaseError), database.read() as session:
        session.scalar(text("SELECT SLEEP(2.8)"))
    database.close()


@pytest.mark.mariadb
@pytest.mark.slow
def test_a_server_that_is_killed_and_started_again(server: PrivateServer, capfd: pytest.CaptureFixture[str]) -> None:
    """What was committed is there, nothing needs a restart but the server, and no library prints a traceback."""
    database = Database(server.url)
    put(database, "1")
    server.kill()
    with within(), pytest.raises(DatabaseError, match="does not answer"):
        put(database, "2")
    server.start()
    assert get(database) == "1"
    put(database, "3")
    assert get(database) == "3"
    with pytest.raises(DatabaseError), database.write() as session:
        meta.put(session, "a", "4")
        server.kill()
        meta.put(session, "b", "4")
    database.close()
    assert capfd.readouterr().err == ""


def test_a_writer_that_never_ends(tmp_path: Path) -> None:
    """On SQLite another program's open transaction is waited for, but not for ever."""
    url = f"sqlite:///{tmp_path / 'smartabsen.db'}"
    database, other = Database(url), Database(url)
    put(database, "1")
    ready, end = threading.Event(), threading.Event()

    def hold() -> None:
        with other.write() as session:
            meta.put(session, "a", "2")
            ready.set()
            end.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    ready.wait(10)
    with within(), pytest.raises(DatabaseError, match="busy"):
        put(database, "3")
    end.set()
    holder.join()
    put(database, "3")
    assert get(database) == "3"


def test_the_command_line_says_it_in_one_line(tmp_path: Path) -> None:
    """With exit code 5, and what to do."""
    environment = {**os.environ, "SMARTABSEN_HOME": str(tmp_path), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-m", "smartabsen", "employee", "list"]
    began = time.monotonic()
    subprocess.run(command, env=environment, capture_output=True, check=True)
    startup_s = time.monotonic() - began
    with Gate(state="silent") as silent:
        environment["SMARTABSEN_DATABASE_URL"] = f"mysql+pymysql://root@127.0.0.1:{silent.port}/none"
        with within(LIMIT_S + startup_s):
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert done.stderr.splitlines()[0] == (
        f"Error: The database mysql+pymysql://root@127.0.0.1:{silent.port}/none does not answer."
    )
    assert len(done.stderr.splitlines()) == 2


FULL_DISK = """
import resource, sys
from smartabsen import SmartAbsen, SmartAbsenError

with SmartAbsen.open(flags={"home": sys.argv[1], "engine": "fake", "attendance.cooldown_s": 0}) as app:
    app.enrol("Contoh", [], code="E1")
    app.punch("E1")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), hard))
    try:
        app.punch("E1", key="again")
    except SmartAbsenError as exc:
        error = str(exc)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    print(error)
    print(app.punch("E1", key="again").outcome)
    print(app.services.reconcile_log().added)
(log,) = app.settings.csv_dir.glob("*.csv")
print(len(log.read_text().splitlines()) - 1)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of files are POSIX")
@pytest.mark.parametrize("limit", [0, 200, 8192])
def test_a_full_disk_is_said_and_recovered_from_without_a_restart(tmp_path: Path, limit: int) -> None:
    """The database, its journal or the log cannot grow; later the same attempt gives one row and one line."""
    command = [sys.executable, "-W", "error", "-c", FULL_DISK, str(tmp_path), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    error, outcome, added, lines = done.stdout.splitlines()
    assert "full" in error or "cannot be read or written" in error, error
    assert (outcome, added, lines) == ("recognized", "0", "2")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="users are POSIX")
@pytest.mark.parametrize(("what", "without", "again"), [("home", "0o500", "0o700"), ("path", "0o400", "0o600")])
def test_what_may_not_be_written_is_said(what: str, without: str, again: str) -> None:
    """Rights that somebody took away from the directory or the file; giving them back is enough."""
    script = (
        "import os, sys\n"
        "from smartabsen.store.database import Database\n"
        "from smartabsen.store import meta\n"
        "from smartabsen import SmartAbsenError\n"
        "home, path = sys.argv[1], sys.argv[1] + '/smartabsen.db'\n"
        "database = Database('sqlite:///' + path)\n"
        "put = lambda v: database.run_write(lambda session: meta.put(session, 'a', v))\n"
        "put('1')\n"
        "database.close()\n"
        "if os.geteuid() == 0:\n"
        "    for one in (home, path): os.chown(one, 65534, -1)\n"
        "    os.setuid(65534)\n"
        f"os.chmod({what}, {without})\n"
        "try: put('2')\n"
        "except SmartAbsenError as exc: print(exc)\n"
        f"os.chmod({what}, {again})\n"
        "put('3')\n"
        "print('stored')\n"
    )
    # Not below pytest's own directory, which other users may not enter.
    home = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        command = [sys.executable, "-c", script, str(home)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    finally:
        shutil.rmtree(home)
    error, stored = done.stdout.splitlines()
    assert "can only be read" in error or "cannot be opened" in error, error
    assert stored == "stored"


def test_a_kiosk_gallery_and_facade_share_the_limit(flags: dict[str, object]) -> None:
    """The first use of an installation is no exception."""
    with Gate(state="silent") as silent:
        flags["database_url"] = f"mysql+pymysql://root@127.0.0.1:{silent.port}/none"
        with SmartAbsen.open(flags=flags) as app, within(), pytest.raises(DatabaseError):
            app.punch("E1")

"""Short versions of the fault benchmarks: what they measure must stay at nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from bench import away, backups, contention, surroundings, worker_kills, write_kills

from tests.conftest import missing

from .server import INSTALLER, PROGRAM

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="kills and traces as on Linux")]


@pytest.fixture
def mariadbd() -> None:
    """Needs the programs of a server."""
    if not (PROGRAM and INSTALLER):
        missing("no mariadbd and mariadb-install-db")


def test_workers_that_are_killed_lose_and_double_nothing() -> None:
    """Eight clients, SQLite."""
    report = worker_kills.kill_workers(6)
    assert report.acknowledged > 0
    assert report.clean, report


@pytest.mark.mariadb
def test_a_server_that_is_killed_loses_and_doubles_nothing(mariadbd: None) -> None:
    """Eight writers, MariaDB."""
    report = worker_kills.kill_server(1)
    assert report.acknowledged > 0
    assert report.clean, report


@pytest.mark.parametrize("task", write_kills.TASKS)
def test_a_kill_at_a_write_leaves_the_old_or_the_new_state(task: str) -> None:
    """Some of the first writes of each task."""
    if not write_kills.can_trace():
        missing("strace is not here, or may not trace")
    report = write_kills.measure(task, range(1, 16, 5))
    assert report.killed > 0
    assert (report.broken, report.old + report.new) == (0, 3), report


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def test_writers_at_once_see_no_lock_error(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Four processes, half of their punches for one person."""
    url = "sqlite" if kind == "sqlite" else request.getfixturevalue("mariadb_url")
    report = contention.measure(url, tmp_path, processes=4, each=15)
    assert report.clean, report


@pytest.mark.mariadb
def test_a_database_that_is_away_loses_nothing(mariadbd: None) -> None:
    """A kiosk takes punches meanwhile, and is killed twice."""
    report = away.measure(15, 10)
    assert report.kills == 2
    assert report.clean and report.rows >= report.told >= 10, report


def test_backups_under_load_have_what_was_acknowledged() -> None:
    """Each is restored elsewhere."""
    report = backups.measure(2)
    assert report.before_last > 0
    assert report.clean, report


@pytest.mark.parametrize("fault", surroundings.FAULTS)
def test_commands_fail_in_words_leave_nothing_and_work_again(fault: str, tmp_path: Path) -> None:
    """Two of them on a disk that is full or can only be read, and with a database or a Redis that is away."""
    if fault in surroundings.ON_DISK and not surroundings.can_mount():
        # Only root may, which no continuous integration is: RLIMIT_FSIZE in test_disk.py is always there.
        pytest.skip("a disk in memory cannot be mounted here")
    runs = {run.name: run for run in surroundings.measure(fault, tmp_path, ("punch", "serve"))}
    serve, punch = runs["serve"], runs["punch"]
    if fault in surroundings.ON_DISK:
        assert (serve.code, serve.then) == (200, 200) or (serve.code, serve.then) == (503, 200), serve
    else:
        assert serve.code == 503, serve
    if fault.startswith("redis"):
        assert punch.code == 0, punch
    else:
        assert (punch.code, punch.left, punch.then) == (5, (), 0) and len(punch.said) == 2, punch

"""Writers of one SQLite file take turns, first come, first served."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from smartabsen.store import meta
from smartabsen.store.database import Database
from smartabsen.store.turns import turn

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the order of waiting is Linux's")


def test_who_came_first_is_served_first(tmp_path: Path) -> None:
    """However many wait."""
    path = tmp_path / "turn"
    order: list[int] = []

    def work(number: int) -> None:
        with turn(path, patience_s=20):
            order.append(number)

    threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
    with turn(path, patience_s=20):
        for thread in threads:
            thread.start()
            time.sleep(0.1)
        assert order == []
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4, 5]


def test_a_wait_ends_in_time_and_leaves_the_turn_to_the_next(tmp_path: Path) -> None:
    """Who gave up does not hold the others up when its turn comes."""
    path = tmp_path / "turn"
    release = threading.Event()
    held = threading.Event()

    def hold() -> None:
        with turn(path, patience_s=5):
            held.set()
            release.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    began = time.monotonic()
    with turn(path, patience_s=0.2) as left_s:
        assert left_s == 0.0
    assert 0.2 <= time.monotonic() - began < 2
    release.set()
    holder.join()
    with turn(path, patience_s=5) as left_s:
        assert left_s > 3


def test_the_turn_of_a_killed_process_passes_on(tmp_path: Path) -> None:
    """The system frees it."""
    path = tmp_path / "turn"
    script = (
        "import sys, time; from pathlib import Path; from smartabsen.store.turns import turn\n"
        "with turn(Path(sys.argv[1]), patience_s=5): print('mine', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    with turn(path, patience_s=5) as left_s:
        assert left_s > 3


def test_a_queue_that_cannot_be_made_keeps_nobody_from_writing(tmp_path: Path) -> None:
    """SQLite's own lock keeps the file whole."""
    with turn(tmp_path / "missing" / "turn", patience_s=5) as left_s:
        assert left_s > 3


def test_an_upgrade_keeps_its_whole_patience_after_writers_waited(sqlite: Database) -> None:
    """What was left of one unit's patience is not that of the next."""
    with sqlite.write() as session:
        meta.put(session, "a", "1")
    assert not hasattr(sqlite._patience, "left_s")

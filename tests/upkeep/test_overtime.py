"""A server that was told to end and does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from smartabsen.upkeep.overtime import Overtime

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
STUBBORN = """
import signal, subprocess, sys, time
from smartabsen.upkeep.overtime import Overtime

program = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(3600)"
worker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
worker.stdout.readline()
with Overtime(kill_s=0.1, exit_s=0.3) as overtime:
    overtime.workers = {worker.pid: "a worker"}
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # As where other code takes the signals over, and then does not look at them.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    print(worker.pid, flush=True)
    while True:
        time.sleep(3600)
"""


@POSIX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_what_does_not_end_by_itself_is_ended_with_its_workers(number: signal.Signals, code: int) -> None:
    """Neither of them looks at the signal."""
    command = [sys.executable, "-c", STUBBORN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert said == "the end took more than 0.3 s; what was left is cut off\n"
    try:
        # A process that was killed and that nobody asked about is still listed until its new parent did.
        state = Path(f"/proc/{worker}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        state = "gone"
    assert state in ("gone", "Z", "X")


@POSIX
def test_without_a_signal_nothing_is_left_of_the_watch() -> None:
    """Neither its descriptor nor its thread; other signals are none of its business."""
    before = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(before)
    old = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with Overtime(kill_s=0.0, exit_s=0.0):
            thread = next(one for one in threading.enumerate() if one.name == "overtime")
            os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, old)
    thread.join(60)
    assert not thread.is_alive()
    after = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(before)
    assert after == before


@POSIX
def test_a_program_that_ends_in_time_is_left_alone() -> None:
    """The watch ends with the block, also when a signal came."""
    old = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with Overtime(kill_s=3600.0, exit_s=7200.0):
            (thread,) = (one for one in threading.enumerate() if one.name == "overtime")
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, old)
    thread.join(60)
    assert not thread.is_alive()


def test_another_thread_than_the_main_one_watches_nothing() -> None:
    """Signals belong to the main thread."""
    seen: list[bool] = []

    def work() -> None:
        with Overtime():
            seen.append(any(one.name == "overtime" for one in threading.enumerate()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert seen == [False]

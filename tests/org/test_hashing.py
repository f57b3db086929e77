"""Passwords and PINs are hashed in turns: a few at once, over all processes of a server."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from multiprocessing.synchronize import Event

import pytest

from smartabsen.kernel.errors import BusyError
from smartabsen.org.hashing import HashingQueue

HANG_S = 30
POSIX = pytest.mark.skipif(os.name != "posix", reason="locks over processes are POSIX")


class Counter:
    """Work that notes how much of it runs at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = self.most = 0

    def __call__(self) -> int:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.02)
        with self._lock:
            self._now -= 1
        return 7


@pytest.mark.parametrize("shared", [False, pytest.param(True, marks=POSIX)])
@pytest.mark.parametrize("at_once", [1, 2])
def test_no_more_hash_at_once_than_may(at_once: int, shared: bool) -> None:
    """All of them are done, also where threads of one process share places with other processes."""
    queue, work = HashingQueue(at_once=at_once, inside=20, patience_s=HANG_S), Counter()
    if shared:
        queue.share()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: queue.run(work), range(20))) == [7] * 20
    assert work.most == at_once


def test_a_turn_within_a_turn_is_the_same() -> None:
    """Whoever has one hashes in it."""
    queue = HashingQueue(at_once=1, patience_s=0)
    with queue.turn(), queue.turn():
        assert queue.run(lambda: 7) == 7
    with queue.turn():
        pass


def test_who_waits_in_vain_is_told_when_to_come_back() -> None:
    """Those that are too many at once, and those that waited too long; a turn that was given back is free."""
    queue = HashingQueue(at_once=1, inside=1)
    patient = HashingQueue(at_once=1, patience_s=0.1)
    for each in (queue, patient):
        held, release = threading.Event(), threading.Event()

        def hold(each: HashingQueue = each, held: threading.Event = held, release: threading.Event = release) -> None:
            with each.turn():
                held.set()
                release.wait(HANG_S)

        thread = threading.Thread(target=hold)
        thread.start()
        assert held.wait(HANG_S)
        with pytest.raises(BusyError) as caught:
            each.run(lambda: 7)
        assert (caught.value.params["seconds"], caught.value.http_status) == (5, 503)
        release.set()
        thread.join(HANG_S)
        assert each.run(lambda: 7) == 7


@pytest.mark.parametrize("at_once", [1, 2, 8])
def test_those_who_hash_count_among_those_who_are_in(at_once: int) -> None:
    """Six threads of a server at most, whether they wait or work and however many processors there are."""
    queue, release = HashingQueue(at_once=at_once, inside=6, patience_s=HANG_S), threading.Event()

    def enter(_: int) -> str:
        try:
            with queue.turn():
                release.wait(HANG_S)
        except BusyError:
            return "busy"
        return "hashed"

    with ThreadPoolExecutor(16) as pool:
        tries = [pool.submit(enter, number) for number in range(16)]
        busy = list(itertools.islice(as_completed(tries, timeout=HANG_S), 10))
        assert {each.result() for each in busy} == {"busy"}
        release.set()
        assert sorted(each.result() for each in tries) == ["busy"] * 10 + ["hashed"] * 6
    assert queue.run(lambda: 7) == 7


def test_a_turn_ends_with_an_error() -> None:
    """The next one gets it."""
    queue = HashingQueue(at_once=1)
    with pytest.raises(ZeroDivisionError):
        queue.run(lambda: 1 // 0)
    assert queue.run(lambda: 7) == 7


def _hold(queue: HashingQueue, held: Event) -> None:
    with queue.turn():
        held.set()
        time.sleep(HANG_S)


@pytest.mark.slow
@POSIX
def test_processes_count_together_and_one_that_is_killed_gives_its_turn_back() -> None:
    """Whatever killed it."""
    queue = HashingQueue(at_once=1, patience_s=0.2)
    queue.share()
    fork = multiprocessing.get_context("fork")
    held = fork.Event()
    other = fork.Process(target=_hold, args=(queue, held), daemon=True)
    other.start()
    assert held.wait(HANG_S)
    with pytest.raises(BusyError):
        queue.run(lambda: 7)
    other.kill()
    other.join(HANG_S)
    assert queue.run(lambda: 7) == 7

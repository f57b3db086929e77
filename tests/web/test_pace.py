"""How fast a page may ask by itself."""

from __future__ import annotations

import multiprocessing
import os

import pytest

from smartabsen.web import pace


def test_an_asker_may_ask_once_in_a_while_and_a_refusal_does_not_count() -> None:
    """Whoever asks all the time still gets an answer every second."""
    now = [0.0]
    asking = pace.Pace(1.0, clock=lambda: now[0])
    answers = []
    for tenth in range(25):
        now[0] = tenth / 10
        answers.append(asking.is_too_fast("a"))
    assert [tenth for tenth, refused in enumerate(answers) if not refused] == [0, 10, 20]
    assert not asking.is_too_fast("b")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")
def test_processes_count_together() -> None:
    """A browser whose questions go to several workers may ask no more often than with one."""
    asking = pace.Pace(1000.0)
    asking.share()
    forks = multiprocessing.get_context("fork")
    started, answers = forks.Event(), forks.SimpleQueue()

    def work() -> None:
        started.wait(20)
        for number in range(50):
            answers.put((number, asking.is_too_fast(str(number))))

    workers = [forks.Process(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    started.set()
    told = [answers.get() for _ in range(200)]
    for worker in workers:
        worker.join(20)
    assert sorted(number for number, refused in told if not refused) == list(range(50))


def test_the_memory_is_bounded() -> None:
    """Many askers take no more of it than one."""
    asking = pace.Pace(1000.0)
    before = len(asking._table)
    refused = [asking.is_too_fast(str(number)) for number in range(2 * pace._PLACES)]
    assert not any(refused)
    assert len(asking._table) == before

"""Calls that may hang."""

from __future__ import annotations

import threading

import pytest

from smartabsen.kernel.deadline import Deadline


def test_an_answer_in_time_is_given_and_an_error_is_raised() -> None:
    """As if it had been called in place."""
    deadline = Deadline()
    assert deadline.call(lambda: 3, within_s=30.0) == 3
    with pytest.raises(ZeroDivisionError):
        deadline.call(lambda: 1 // 0, within_s=30.0)
    assert deadline.call(lambda: 4, within_s=30.0) == 4


def test_what_hangs_is_called_no_second_time_before_it_ends() -> None:
    """Its late answer is nobody's."""
    deadline, back, calls = Deadline(), threading.Event(), []

    def hang() -> str:
        calls.append("hang")
        back.wait()
        return "late"

    for _ in range(3):
        with pytest.raises(TimeoutError):
            deadline.call(hang, within_s=0.05)
    assert calls == ["hang"]
    back.set()
    assert deadline._thread is not None
    deadline._thread.join(30)
    assert deadline.call(lambda: "new", within_s=30.0) == "new"

"""Calls that may hang: they run in a thread of their own, and are not waited for longer than is said."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class Deadline:
    """Makes calls of one thing that may hang, one at a time. Used by one thread at a time."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def call(self, work: Callable[[], T], *, within_s: float) -> T:
        """Return what ``work`` returns, or raise what it raises.

        Raises:
            TimeoutError: It has taken longer; it goes on, and its answer is lost. Until it ends, every further call is
                refused at once with the same error.
        """
        if self._thread is not None and self._thread.is_alive():
            raise TimeoutError
        answer: Future[T] = Future()

        def run() -> None:
            try:
                answer.set_result(work())
            except BaseException as exc:  # noqa: BLE001 - it is raised where the answer is taken
                answer.set_exception(exc)

        # A daemon: what hangs must not keep the program from ending.
        self._thread = threading.Thread(target=run, name="deadline", daemon=True)
        self._thread.start()
        self._thread.join(within_s)
        if self._thread.is_alive():
            raise TimeoutError
        return answer.result()

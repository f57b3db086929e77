"""Removing what has expired: on the way of whoever adds something, or beside the requests of a server."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from ..kernel.errors import SmartAbsenError

EVERY_S: Final = 60.0
"""A server removes what has expired so often at most: nothing that has expired is ever used."""
_END_S: Final = 5.0
_log: Final = logging.getLogger(__name__)


class Tidying:
    """Does the work at once, until it is told that people wait: then in a thread of its own, and once in a while."""

    def __init__(self) -> None:
        self._beside = False
        self._done_at: dict[Callable[[], object], float] = {}
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def expect_many(self) -> None:
        """From now on keep no request waiting."""
        self._beside = True

    def do(self, work: Callable[[], object]) -> None:
        """Do the work, or see to it that it is done. In a thread of its own an error is left for the next time."""
        if not self._beside:
            work()
            return
        with self._lock:
            now = time.monotonic()
            if now - self._done_at.get(work, -EVERY_S) < EVERY_S:
                return
            self._done_at[work] = now
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            thread = threading.Thread(target=_try, args=(work,), name="tidying", daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Wait for what is being done, but not for long."""
        with self._lock:
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(_END_S)


def _try(work: Callable[[], object]) -> None:
    try:
        work()
    except SmartAbsenError as exc:
        _log.debug("nothing was removed: %s", exc)

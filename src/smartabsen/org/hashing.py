"""How many passwords and PINs are hashed at once: it is slow on purpose, and must not stop everything else.

Half of the processors hash, the others answer. The workers of one server count together, see
:meth:`HashingQueue.share`; elsewhere each process counts for itself. On Linux hashing gives way to all other work too.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from ..kernel.errors import BusyError
from ..kernel.i18n import N_

T = TypeVar("T")

_RETRY_S: Final = 5
_LOOK_S: Final = 0.06
_LOOK_AT_LEAST_S: Final = 0.002
"""Between two looks whether another process is done; who has waited for longer looks more often, and so comes first."""
_NICE: Final = 5


class HashingQueue:
    """Gives turns at hashing.

    Args:
        at_once: How many have theirs at the same instant.
        inside: How many of one process may have theirs or wait for it, together; None for any number.
        patience_s: For how long they wait.
    """

    def __init__(self, *, at_once: int, inside: int | None = None, patience_s: float = 60.0) -> None:
        self.at_once = at_once
        self._most_inside, self._patience_s = inside, patience_s
        self._inside = 0
        self._free = list(range(at_once))
        self._changed = threading.Condition()
        self._file: int | None = None
        self._mine = threading.local()
        self._thread: ThreadPoolExecutor | None = None

    def limit(self, *, inside: int, patience_s: float) -> None:
        """Let fewer in, and wait for less long: each of them, hashing or waiting, holds a thread of a server."""
        self._most_inside, self._patience_s = inside, patience_s

    def share(self) -> None:
        """Let this process and those that it forks from now on count together. POSIX only."""
        self._file, path = tempfile.mkstemp(prefix="smartabsen-")
        # It has no name from now on, and is gone with the last process that has it open.
        Path(path).unlink()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and keep it for a ``with`` block; one within another of the same thread takes none.

        Raises:
            BusyError: Too many wait, or it took too long.
        """
        if getattr(self._mine, "held", False):
            yield
            return
        place = self._wait(time.monotonic())
        self._mine.held = True
        try:
            yield
        finally:
            self._mine.held = False
            self._give_back(place)

    def run(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, in its turn, and with less right to the processor than other threads.

        Raises:
            BusyError: As for :meth:`turn`.
        """
        with self.turn():
            with self._changed:
                if self._thread is None:
                    # A thread of its own: nobody may raise a priority again that was lowered.
                    self._thread = ThreadPoolExecutor(self.at_once, "hashing", initializer=_give_way)
            return self._thread.submit(work).result()

    def _wait(self, began: float) -> int:
        with self._changed:
            if self._most_inside is not None and self._inside >= self._most_inside:
                raise _busy()
            self._inside += 1
            place = None
            try:
                if not self._changed.wait_for(lambda: bool(self._free), self._patience_s):
                    raise _busy()
                place = self._free.pop()
            finally:
                if place is None:
                    self._inside -= 1
        return self._wait_for_others(place, began)

    def _wait_for_others(self, place: int, began: float) -> int:
        """Hold one of the places that all processes share; return which one it is."""
        while self._file is not None and not self._lock(place):
            waited = time.monotonic() - began
            if waited > self._patience_s:
                self._give_back(place, locked=False)
                raise _busy()
            time.sleep(max(_LOOK_AT_LEAST_S, _LOOK_S / (1 + waited) ** 2))
            with self._changed:
                # Another process holds this one; perhaps not the next. Only those that no other thread of this process
                # has: a lock belongs to a process, and would seem to be free.
                self._free.append(place)
                place = self._free.pop(0)
        return place

    def _lock(self, place: int) -> bool:
        import fcntl

        assert self._file is not None
        with contextlib.suppress(BlockingIOError):
            # Gone with a process that dies while it holds it.
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            return True
        return False

    def _give_back(self, place: int, *, locked: bool = True) -> None:
        if locked and self._file is not None:
            import fcntl

            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)
        with self._changed:
            self._free.append(place)
            self._inside -= 1
            self._changed.notify()


def _busy() -> BusyError:
    return BusyError(
        N_("Too many people are signing in at this moment."),
        hint=N_("Try again in a few seconds."),
        seconds=_RETRY_S,
    )


def _give_way() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


HASHING: Final = HashingQueue(at_once=max(1, _processors() // 2))
"""Of this process."""

"""Writers of one SQLite file take turns, first come, first served.

SQLite's own lock is won by whoever asks at the right moment: on a busy machine, one of eight writers can be passed over
for seconds. Here they queue in the kernel instead: since Linux 5.0, a blocked ``flock`` waits behind those who blocked
before it. The lock decides about order alone; where it cannot be had, SQLite's own lock keeps the file whole.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ..kernel.locking import is_named, try_take
from .files import PRIVATE_FILE

_LOOK_AGAIN_S: Final = 0.01


@contextmanager
def turn(path: Path, *, patience_s: float) -> Iterator[float]:
    """Wait for one's turn for a ``with`` block, and give the seconds of patience that are left.

    Whoever waited in vain gets zero seconds and may try all the same.

    Args:
        path: The file of the queue, beside the database; it is made where it is missing.
    """
    deadline = time.monotonic() + patience_s
    descriptor = _queue(path, patience_s)
    try:
        yield max(0.0, deadline - time.monotonic())
    finally:
        if descriptor is not None:
            _leave(descriptor)


if sys.platform == "win32":

    def _queue(path: Path, patience_s: float) -> int | None:  # noqa: ARG001 - the signature of both systems
        return None

    def _leave(descriptor: int) -> None:
        os.close(descriptor)

else:
    import fcntl

    def _queue(path: Path, patience_s: float) -> int | None:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                descriptor = try_take(path, mode=PRIVATE_FILE)
                if descriptor is None:
                    descriptor = _wait(path, deadline - time.monotonic())
            except OSError:
                # A directory that cannot be written: SQLite will say so.
                return None
            if descriptor is not None or time.monotonic() >= deadline:
                return descriptor

    def _wait(path: Path, patience_s: float) -> int | None:
        """Wait in the queue of the file that is there now; None where that is not the one any more, or in vain."""
        try:
            waiting = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            # Its holder goes on with a file that somebody removed.
            time.sleep(_LOOK_AGAIN_S)
            return None
        if not _Waiter(waiting).wait(patience_s):
            return None
        if is_named(waiting, path):
            return waiting
        _leave(waiting)
        return None

    def _leave(descriptor: int) -> None:
        # Unlocked by name: closing alone would leave the lock with a child that was forked meanwhile.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)

    class _Waiter:
        """Blocks in a thread of its own, because a blocked ``flock`` knows no time limit.

        Of a waiter that gave up, the thread takes its turn when that comes, and passes it on at once.
        """

        def __init__(self, descriptor: int) -> None:
            self._descriptor = descriptor
            self._decided = threading.Lock()
            self._done = threading.Event()
            self._has_turn = self._gave_up = False
            threading.Thread(target=self._block, name="turn", daemon=True).start()

        def wait(self, patience_s: float) -> bool:
            self._done.wait(patience_s)
            with self._decided:
                self._gave_up = not self._has_turn
            return self._has_turn

        def _block(self) -> None:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            except OSError:
                self._done.set()
                return
            with self._decided:
                if self._gave_up:
                    _leave(self._descriptor)
                    return
                self._has_turn = True
            self._done.set()

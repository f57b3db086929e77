"""The end of a server that was told to end: nothing may put it off for longer than a service manager waits."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Collection
from contextlib import suppress
from typing import Final, Self

_EXIT_CODES: Final = {signal.SIGTERM: 0, signal.SIGINT: 130}
_log: Final = logging.getLogger(__name__)


class Overtime:
    """Ends this process, and first its workers, where a signal to end was not obeyed in time.

    A ``with`` block in the main thread begins and ends the watch, so it goes around all that has to end. It goes by the
    steady clock, and by the signal itself, whichever handler the signal has then and whatever the main thread does:
    Python tells it on a socket at once. In another thread than the main one it watches nothing.

    Args:
        kill_s: Seconds after the signal until workers are killed.
        exit_s: Seconds after the signal until the process ends.

    Attributes:
        workers: Process ids of the workers; whoever starts them keeps it up to date.
    """

    def __init__(self, *, kill_s: float = 5.5, exit_s: float = 7.5) -> None:
        self.workers: Collection[int] = ()
        self._kill_s, self._exit_s = kill_s, exit_s
        self._process = os.getpid()
        self._told: socket.socket | None = None
        self._before = -1
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        """Begin."""
        if threading.current_thread() is not threading.main_thread():
            return self
        self._told, hears = socket.socketpair()
        self._told.setblocking(False)
        self._before = signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(hears,), name="overtime", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the watch; a worker that comes by here has none."""
        if self._told is not None and os.getpid() == self._process:
            self._ended.set()
            signal.set_wakeup_fd(self._before)
            self._told.close()

    def _watch(self, hears: socket.socket) -> None:
        ends: list[int] = []
        with hears:
            while not ends:
                numbers = hears.recv(4096)
                if not numbers:
                    return
                ends = [number for number in numbers if number in _EXIT_CODES]
            # The socket stays open meanwhile: every further signal is told there, and nobody has to read it.
            if self._ended.wait(self._kill_s):
                return
            for worker in tuple(self.workers):
                with suppress(OSError):
                    os.kill(worker, getattr(signal, "SIGKILL", signal.SIGTERM))
            if self._ended.wait(max(0.0, self._exit_s - self._kill_s)):
                return
        _log.warning("the end took more than %g s; what was left is cut off", self._exit_s)
        os._exit(_EXIT_CODES[signal.Signals(ends[0])])

"""When a session ends: somebody stopped it, or its time is over."""

from __future__ import annotations

import threading
import time


class Ending(threading.Event):
    """An event that is set when ``stop`` is, or when the time is over.

    Args:
        stop: Set by others.
        max_seconds: From now on; None for no limit.
    """

    def __init__(self, stop: threading.Event, *, max_seconds: float | None) -> None:
        super().__init__()
        self._stop = stop
        self._deadline = None if max_seconds is None else time.monotonic() + max_seconds

    @property
    def time_is_over(self) -> bool:
        """Whether the time has passed, and nobody stopped the session."""
        return self._deadline is not None and time.monotonic() >= self._deadline and not self._stop.is_set()

    def is_set(self) -> bool:
        """Return whether the session should end."""
        return self._stop.is_set() or self.time_is_over

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the session should end, ``timeout`` seconds at most."""
        if self._deadline is not None:
            left = max(0.0, self._deadline - time.monotonic())
            timeout = left if timeout is None else min(timeout, left)
        self._stop.wait(timeout)
        return self.is_set()

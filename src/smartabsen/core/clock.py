"""The wall clock of a kiosk, and whether it can be right.

A small computer without a battery for its clock wakes up in the past, and goes on in it until the network sets it. A
punch keeps the time that the kiosk showed, with a mark that somebody should look at it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from ..errors import StorageError
from ..store.punch_queue import PunchQueue

KNOWN_TIME: Final = "known_time"
"""Name of the latest trusted time among the facts of the queue."""
WRITTEN: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right shows a time before this program was written."""
TOLERANCE: Final = timedelta(seconds=60)
"""Setting a clock by the network moves it back by seconds, not by minutes."""


class TrustedClock:
    """Tells the time, and whether it is to be trusted. Threads share one.

    Args:
        last_known: The latest time that was trusted, of earlier runs; None where there was none.
        read: The clock, aware.
    """

    def __init__(self, last_known: datetime | None = None, *, read: Callable[[], datetime] | None = None) -> None:
        self._read = read or (lambda: datetime.now(UTC))
        self._last_known = max(last_known or WRITTEN, WRITTEN)
        self._lock = threading.Lock()

    @property
    def last_known(self) -> datetime:
        """The latest time that was trusted."""
        return self._last_known

    def now(self) -> tuple[datetime, bool]:
        """Return the time in UTC, and False where the clock was set back or was never set."""
        at = self._read()
        with self._lock:
            trusted = at >= self._last_known - TOLERANCE
            if trusted:
                self._last_known = max(at, self._last_known)
        return at, trusted


def remembered_clock(waiting: PunchQueue) -> TrustedClock:
    """Return a clock that knows the latest trusted time of earlier runs."""
    try:
        at = datetime.fromisoformat(waiting.find_fact(KNOWN_TIME))
    except (ValueError, StorageError):
        return TrustedClock()
    return TrustedClock(at if at.tzinfo is not None else None)

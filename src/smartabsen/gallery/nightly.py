"""What a server does once a night by itself, whichever of its workers comes first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

from ..kernel.errors import SmartAbsenError

HOUR: Final = 2
"""The night's work begins at this hour of the site, or with the first look after it."""
FIRST_LOOK_S: Final = 300.0
"""So long after its start a server looks for the first time: people who wait for it come first."""
EVERY_S: Final = 600.0
_END_S: Final = 2.0
_log: Final = logging.getLogger(__name__)


def night_of(local: datetime) -> str:
    """Return the date of the night that has begun last, by the time of the site."""
    return f"{(local - timedelta(hours=HOUR)):%Y-%m-%d}"


class Nightly:
    """Runs while its ``with`` block does, in a thread of its own.

    Args:
        work: Does the work of a night, named by its date, unless another process has done so. It is asked again and
            again, and remembers itself.
        now: Returns the time of the site.
        first_look_s, every_s: When it is asked.
    """

    def __init__(
        self,
        work: Callable[[str], object],
        now: Callable[[], datetime],
        *,
        first_look_s: float = FIRST_LOOK_S,
        every_s: float = EVERY_S,
    ) -> None:
        self._work = work
        self._now = now
        self._waits_s = (first_look_s, every_s)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nightly", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        # A search that runs is not waited for: it ends with the program, and the next one goes on.
        self._thread.join(_END_S)

    def _run(self) -> None:
        first, every = self._waits_s
        wait_s = first
        while not self._stop.wait(wait_s):
            wait_s = every
            try:
                self._work(night_of(self._now()))
            except SmartAbsenError as exc:
                _log.warning("the work of the night was not done: %s", exc)

"""How fast a page may ask by itself. Kept in the memory of each worker: asking writes nothing anywhere."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

_KEPT: Final = 10_000


class Pace:
    """Lets each asker ask once in a while.

    Args:
        every_s: Seconds between two questions of one asker.
        clock: Seconds, monotonic.

    Attributes:
        every_s: The same; tests and benchmarks ask faster.
    """

    def __init__(self, every_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.every_s = every_s
        self._clock = clock
        self._asked_s: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def is_too_fast(self, asker: str) -> bool:
        """Note a question and tell whether it came too early; one that did does not count."""
        now = self._clock()
        with self._lock:
            if now - self._asked_s.get(asker, float("-inf")) < self.every_s:
                return True
            self._asked_s[asker] = now
            self._asked_s.move_to_end(asker)
            while len(self._asked_s) > _KEPT:
                self._asked_s.popitem(last=False)
        return False

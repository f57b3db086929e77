"""What a process knows of a server that is away: one asks it, all others are told at once.

Every question to a server that never answers takes the whole time allowed for it. Where several people wait in one
process, each would wait for the silence that those before them met, one after another; a browser would get its answer
late, however short the time for one question is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import DatabaseAwayError, DatabaseError


class Outage:
    """The last failure to reach a server, until somebody reaches it again. Threads share one.

    Args:
        rest_s: So long after a failure nobody asks again. Requests that queue behind those that met it would, each as
            long as the first ones.
    """

    def __init__(self, rest_s: float = 0.0) -> None:
        self._rest_s = rest_s
        self._failed_at = 0.0
        self._asks = threading.RLock()
        self.known: DatabaseAwayError | None = None
        """The failure; None while the server answers, as far as is known."""

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask the server in the ``with`` block, unless it is known to be away and somebody asks already or just did.

        Raises:
            DatabaseAwayError: That is so.
        """
        if self.known is None:
            yield
            return
        resting = time.monotonic() - self._failed_at < self._rest_s
        if resting or not self._asks.acquire(blocking=False):
            self.tell_unless(None)
            yield
            return
        try:
            yield
        finally:
            self._asks.release()

    def tell_unless(self, told: DatabaseAwayError | None) -> None:
        """Raise the failure that is known, unless it is ``told``: the one that the caller knew before it waited."""
        known = self.known
        if known is not None and known is not told:
            raise DatabaseAwayError(known.message_id, hint=known.hint_id, **known.params)

    def note(self, error: DatabaseError) -> None:
        """Take note of how a question ended; any answer, a refusal too, shows that the server is there."""
        self.known = error if isinstance(error, DatabaseAwayError) else None
        self._failed_at = time.monotonic()

    def end(self) -> None:
        """Take note that the server answers."""
        self.known = None

"""What a process knows of a server that is away: one asks it at a time, and the others wait for that a little.

Every question to a server that never answers takes the whole time allowed for it. Where several people wait in one
process, each would wait for the silence that those before them met, one after another; a browser would get its answer
late, however short the time for one question is. A server that refuses at once is another matter: asking it costs
nothing, so whoever comes first after it is back is answered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ..kernel.errors import DatabaseAwayError, DatabaseError

SLOW_S: Final = 0.2
"""A failure that took longer is a silence; a shorter one is a refusal."""
PATIENCE_S: Final = 0.1
"""Whoever finds another one asking waits so long for the turn, or for the server to be back."""
_LOOK_S: Final = 0.02


class Outage:
    """The last failure to reach a server, until somebody reaches it again. Threads share one.

    Args:
        rest_s: So long after a silence nobody asks again: whoever comes first waits for the end of the rest. Requests
            that queue behind those that met it would meet it as well, each as long as the first ones.
        patience_s: See :data:`PATIENCE_S`.
    """

    def __init__(self, rest_s: float = 0.0, *, patience_s: float = PATIENCE_S) -> None:
        self._rest_s = rest_s
        self._patience_s = patience_s
        self._rests_until = 0.0
        self._asks = threading.RLock()
        self.known: DatabaseAwayError | None = None
        """The failure; None while the server answers, as far as is known."""

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask the server in the ``with`` block; where it is known to be away, one thread at a time.

        Raises:
            DatabaseAwayError: It is, and another thread is still asking.
        """
        came_at = time.monotonic()
        if self.known is None or not self._take_turn():
            yield
            return
        try:
            if self.known is not None:
                # What was waited for the turn counts as rest: nobody waits for both.
                time.sleep(max(0.0, min(self._rests_until, came_at + self._rest_s) - time.monotonic()))
            yield
        finally:
            self._asks.release()

    def _take_turn(self) -> bool:
        """Return True with the turn, False where the server came back meanwhile."""
        ends_at = time.monotonic() + self._patience_s
        while not self._asks.acquire(timeout=_LOOK_S):
            if self.known is None:
                return False
            if time.monotonic() >= ends_at:
                self.tell_unless(None)
        return True

    def tell_unless(self, told: DatabaseAwayError | None) -> None:
        """Raise the failure that is known, unless it is ``told``: the one that the caller knew before it waited."""
        known = self.known
        if known is not None and known is not told:
            raise DatabaseAwayError(known.message_id, hint=known.hint_id, **known.params)

    def note(self, error: DatabaseError, *, took_s: float = 0.0) -> None:
        """Take note of how a question ended; any answer, a refusal too, shows that the server is there.

        Args:
            took_s: How long it took to fail.
        """
        self.known = error if isinstance(error, DatabaseAwayError) else None
        self._rests_until = time.monotonic() + self._rest_s if took_s >= SLOW_S else 0.0

    def end(self) -> None:
        """Take note that the server answers."""
        self.known = None

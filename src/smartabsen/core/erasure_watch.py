"""Watches the database for people who were erased on another machine, and takes them out of this home's model.

The programs of this home notice the changed model by themselves. The watch has a thread of its own: a database that
does not answer must not keep a camera waiting.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final, Self

from ..errors import SmartAbsenError
from ..store import erasure
from .bootstrap import Services
from .erase import apply_tombstones, forget_erased

POLL_S: Final = 2.0


class ErasureWatch:
    """Runs while its ``with`` block does.

    Args:
        services: The installation.
        poll_s: How often the database is asked.
    """

    def __init__(self, services: Services, *, poll_s: float = POLL_S) -> None:
        self._services = services
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="erasure watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        # A database that does not answer is not waited for: the thread ends with its answer, or with the program.
        self._thread.join(timeout=self._poll_s)

    def _run(self) -> None:
        seen: int | None = None
        while not self._stop.is_set():
            try:
                with self._services.database.read() as session:
                    last = erasure.last_tombstone(session)
                if seen is None:
                    # What a crash cut off, or an older database brought back.
                    apply_tombstones(self._services)
                if last != seen:
                    forget_erased(self._services)
                    seen = last
            except SmartAbsenError:
                # Tried again with the next round.
                pass
            self._stop.wait(self._poll_s)

"""Watches the generation of the gallery in the database, and makes this home follow it.

That is a newly trained model, people who were erased or may no longer punch, another engine, and a restored database.
The programs of this home notice the new cache by themselves. The watch has a thread of its own: a database that does
not answer must not keep a camera waiting.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from ..app.bootstrap import Services
from ..kernel.errors import SmartAbsenError
from ..privacy.erase import apply_tombstones
from ..store import meta
from .model_in_force import follow

POLL_S: Final = 1.0


class GalleryWatch:
    """Runs while its ``with`` block does, or from :meth:`start` to :meth:`close`.

    Args:
        services: The installation.
        poll_s: How often the database is asked.
    """

    def __init__(self, services: Services, *, poll_s: float = POLL_S) -> None:
        self._services = services
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gallery watch", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        # A database that does not answer is not waited for: the thread ends with its answer, or with the program.
        self._thread.join(timeout=2 * POLL_S)

    def _run(self) -> None:
        seen: tuple[str, str] | None = None
        while not self._stop.is_set():
            # What fails is tried again with the next round.
            with suppress(SmartAbsenError):
                seen = self._look(seen)
            self._stop.wait(self._poll_s)

    def _look(self, seen: tuple[str, str] | None) -> tuple[str, str]:
        with self._services.database.read() as session:
            found = meta.gallery_state(session), meta.generation(session)
        if found == seen:
            return found
        if seen is None or found[1] != seen[1]:
            # What a crash cut off, or an older database brought back.
            apply_tombstones(self._services)
        if seen is not None and found[1] != seen[1]:
            self._services.reconcile_log(thorough=True)
        self._services.erased_here.follow()
        follow(self._services)
        return found

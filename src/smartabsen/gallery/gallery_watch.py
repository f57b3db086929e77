"""Watches the database for what was changed on another machine, and makes this home's trained model follow.

That is a newly trained model, people who were erased or may no longer punch, and another engine. The programs of this
home notice the changed file by themselves. The watch has threads of its own: a database or a Redis that does not answer
must not keep a camera waiting.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final, Self

from ..app.bootstrap import Services
from ..kernel.errors import SmartAbsenError
from ..privacy import erasure_rows
from ..privacy.erase import apply_tombstones, forget_erased
from ..store import meta
from . import model_rows
from .model_in_force import follow

POLL_S: Final = 2.0


class GalleryWatch:
    """Runs while its ``with`` block does, or from :meth:`start` to :meth:`close`.

    Args:
        services: The installation.
        poll_s: How often the database is asked; a notice by Redis has it asked at once.
    """

    def __init__(self, services: Services, *, poll_s: float = POLL_S) -> None:
        self._services = services
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._look = threading.Event()
        self._threads = (
            threading.Thread(target=self._run, name="gallery watch", daemon=True),
            threading.Thread(target=self._listen, name="model notices", daemon=True),
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Begin to watch."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        self._look.set()
        for thread in self._threads:
            # A database that does not answer is not waited for: the thread ends with its answer, or with the program.
            thread.join(timeout=POLL_S)

    def _run(self) -> None:
        seen: tuple[object, ...] | None = None
        while not self._stop.is_set():
            self._look.clear()
            try:
                with self._services.database.read() as session:
                    found = (
                        erasure_rows.last_tombstone(session),
                        model_rows.find_version(session),
                        meta.find_active_model(session),
                        meta.generation(session),
                    )
                if seen is None or found[-1] != seen[-1]:
                    # What a crash cut off, or an older database brought back.
                    apply_tombstones(self._services)
                if seen is not None and found[-1] != seen[-1]:
                    self._services.reconcile_log(thorough=True)
                if found != seen:
                    self._services.erased_here.follow()
                    forget_erased(self._services)
                    follow(self._services)
                    seen = found
            except SmartAbsenError:
                # Tried again with the next round.
                pass
            self._look.wait(self._poll_s)

    def _listen(self) -> None:
        self._services.notices.listen(self._stop, self._look.set)

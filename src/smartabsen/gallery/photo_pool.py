"""Examining many photos on all cores: worker processes with one thread each, results in order.

Two one-thread workers examine more than twice as many photos as one engine with two threads. Workers are started
afresh (never forked), and do not import the script that uses the library.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from ..app.bootstrap import Services
from ..config import LoadedSettings
from ..kernel.errors import ModelError
from ..kernel.i18n import N_
from .photos import PhotoExam, examine_photo

MIN_PHOTOS_PER_WORKER: Final = 40
"""Fewer photos are done before a worker has started."""

AHEAD_PER_WORKER: Final = 4
"""Photos handed to each worker before their results are asked for: none waits, and Ctrl-C leaves little behind."""

PARENT_CHECK_S: Final = 1.0
"""How often a worker looks whether the program that started it is still there."""

_worker: list[Services] = []


class PhotoPool:
    """Examines photos for enrolment.

    Args:
        services: The installation; its engine is used here when one process does.
        photos: How many photos there will be.
        workers: Processes; None takes one for each core, as far as the photos keep them busy.
    """

    def __init__(self, services: Services, *, photos: int, workers: int | None) -> None:
        self._services = services
        most = available_cores() if workers is None else workers
        worth = photos // MIN_PHOTOS_PER_WORKER if workers is None else photos
        self.workers = max(1, min(most, worth))

    def examine(self, photos: Sequence[str]) -> Iterator[PhotoExam]:
        """Yield the exam of each photo, in the order given.

        Raises:
            ModelError: The workers died, as when memory runs out.
        """
        if self.workers == 1:
            for photo in photos:
                yield examine_photo(self._services.enrolment, photo)
            return
        start = partial(
            _start_worker, self._services.loaded.without_secrets(), self._services.engine.name, self._services.pack
        )
        with _executor(start, self.workers) as executor:
            from loky.process_executor import TerminatedWorkerError

            waiting: deque[Any] = deque()
            try:
                for photo in photos:
                    waiting.append(executor.submit(_examine, photo))
                    if len(waiting) > AHEAD_PER_WORKER * self.workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            except TerminatedWorkerError as exc:
                raise ModelError(
                    N_("A worker process died while it examined photos."),
                    hint=N_("Memory may have run out. Run the same command again with --workers 1: it goes on."),
                ) from exc


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _executor(start: Callable[[], None], workers: int) -> Iterator[Any]:
    from loky import ProcessPoolExecutor

    executor = ProcessPoolExecutor(max_workers=workers, initializer=start)
    try:
        yield executor
    finally:
        # Also on Ctrl-C: photos that nobody waits for any more must not keep the program.
        executor.shutdown(wait=True, kill_workers=True)


def _start_worker(loaded: LoadedSettings, engine: str, pack: str) -> None:
    # Ctrl-C and a service manager's SIGTERM reach all processes: the first one decides, and ends its workers.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    _worker[:] = [Services.for_worker(loaded, engine, pack)]


def _end_with_parent(parent: int) -> None:
    # A parent that is killed cannot end its workers; without this they would wait for photos for ever.
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_S)
    os._exit(1)


def _examine(photo: str) -> PhotoExam:
    return examine_photo(_worker[0].enrolment, photo)

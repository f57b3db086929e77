"""Whether a server can do its work, found out quickly: no model is loaded, and what is written leaves nothing.

Reads pass where nobody can sign in: a disk or a Redis that is full, a server that only takes reads, a file whose rights
were taken away. So each place is written to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from ..app.bootstrap import Services
from ..gallery import model_rows
from ..gallery.model_file import find_stamp
from ..kernel.domain import Check, CheckLevel
from ..kernel.errors import NotTrainedError, SmartAbsenError
from ..kernel.i18n import N_
from ..store import meta
from ..store.files import check_writable

KEEP_S: Final = 5.0
"""An answer is given again for so long: whoever asks without end costs nothing."""
KEEP_FAILURE_S: Final = 2.0
"""The same for one that says no: a server comes back soon."""
_TRIAL_BYTES: Final = 65_536
"""Room for a few sign-ins. The file is gone before a disk has taken it."""


class RememberedReadiness:
    """The last answer of a check, given to all threads while it is fresh; one of them makes it anew.

    Args:
        check: Makes it.
        clock: Seconds that only grow.
    """

    def __init__(self, check: Callable[[], tuple[Check, ...]], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._check = check
        self._clock = clock
        self._making = threading.Lock()
        self._rows: tuple[Check, ...] = ()
        self._until = 0.0

    def rows(self) -> tuple[Check, ...]:
        """Return the rows. While one thread makes them anew, the others get those before, if there are any."""
        if self._is_fresh():
            return self._rows
        if not self._making.acquire(blocking=not self._rows):
            return self._rows
        try:
            if not self._is_fresh():
                rows = self._check()
                failed = any(row.level is CheckLevel.FAIL for row in rows)
                self._rows, self._until = rows, self._clock() + (KEEP_FAILURE_S if failed else KEEP_S)
            return self._rows
        finally:
            self._making.release()

    def _is_fresh(self) -> bool:
        return bool(self._rows) and self._clock() < self._until


def check_readiness(services: Services) -> tuple[Check, ...]:
    """Check database, disk, engine, trained model, and Redis where it is set: one row each.

    A failed one says why, and what mends it. A database that is away is asked once: which engine is to be looked at
    stands in it.
    """
    rows: list[Check] = []
    for name, look in _CHECKS.items():
        if name == "redis" and not services.settings.redis_url:
            continue
        if name == "engine" and rows[0].level is CheckLevel.FAIL:
            rows.append(Check(name, CheckLevel.SKIP, N_("Not checked: it needs the database.")))
            continue
        try:
            look(services)
        except SmartAbsenError as exc:
            rows.append(Check(name, CheckLevel.FAIL, exc.message_id, exc.hint_id, exc.text_params))
        else:
            rows.append(Check(name, CheckLevel.OK, N_("ready")))
    return tuple(rows)


def check_home_disk(services: Services) -> None:
    """Write into the home. Raises StorageError: its disk is full, or must not be written."""
    services.make_home()
    check_writable(services.settings.home, size_bytes=_TRIAL_BYTES)


def check_database_disk(services: Services) -> None:
    """Write beside a database that is a file. Raises as :func:`check_home_disk`."""
    path = services.database.path
    if path is not None:
        check_writable(path.parent, size_bytes=_TRIAL_BYTES)


def _look_at_disks(services: Services) -> None:
    check_home_disk(services)
    check_database_disk(services)


def _look_at_database(services: Services) -> None:
    services.active_model()
    with services.database.write() as session:
        meta.check_writable(session)


def _look_at_engine(services: Services) -> None:
    obstacle = services.find_obstacle()
    if obstacle is not None:
        raise obstacle


def _look_at_model(services: Services) -> None:
    if find_stamp(services.settings.assets_dir) is not None:
        return
    with services.database.read() as session:
        # Trained on another machine: it is made here when it is first needed.
        trained = model_rows.find_version(session)
    if trained is None:
        raise NotTrainedError(N_("There is no trained model yet."), hint=N_("Enrol people, then: smartabsen train"))


def _look_at_redis(services: Services) -> None:
    if services.redis is not None:
        services.redis.check_writable()


_CHECKS: Final[dict[str, Callable[[Services], None]]] = {
    "database": _look_at_database,
    "disk": _look_at_disks,
    "engine": _look_at_engine,
    "model": _look_at_model,
    "redis": _look_at_redis,
}

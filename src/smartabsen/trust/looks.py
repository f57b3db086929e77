"""Looks of people at pages, for the audit trail: nothing is shown without its entry, and readers do not queue for it.

Whoever looks while another look is being written waits for that one alone: all that came meanwhile are written together
by one of them, in one transaction.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from ..kernel.actors import coming_from, current_actor, current_address
from .work import Units, Work

LOOKING_S: Final = 600.0
"""So long the same person looking at the same page is one look."""
What: TypeAlias = tuple[str, str, str, tuple[tuple[str, str], ...]]
"""Actor, action, subject, details."""


@dataclass(slots=True, eq=False)
class _Look:
    what: What
    address: str
    written: bool = False
    error: BaseException | None = None


@dataclass(slots=True)
class _Batch:
    waiting: list[_Look] = field(default_factory=list)
    writing: bool = False


class Looks:
    """Writes looks; threads share one.

    Args:
        units: Of the database.
        clock: Seconds that never run backwards.
    """

    def __init__(self, units: Units, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._units = units
        self._clock = clock
        self._changed = threading.Condition()
        self._batch = _Batch()
        self._looked: dict[What, float] = {}

    def note(self, action: str, subject: str, details: tuple[tuple[str, str], ...]) -> None:
        """Add an entry, unless the same person had the same look within :data:`LOOKING_S`; it is stored then.

        Raises:
            DatabaseError: It cannot be written.
        """
        what, now = (current_actor(), action, subject, details), self._clock()
        with self._changed:
            self._looked = {each: at for each, at in self._looked.items() if now - at < LOOKING_S}
            if what in self._looked:
                return
            look = _Look(what, current_address())
            self._batch.waiting.append(look)
            self._changed.wait_for(lambda: look.written or not self._batch.writing)
            if not look.written:
                self._batch.writing = True
                mine, self._batch.waiting = self._batch.waiting, []
        if not look.written:
            self._write(mine)
        if look.error is not None:
            raise look.error

    def _write(self, looks: list[_Look]) -> None:
        error: BaseException | None = None
        try:
            self._units.write(lambda work: _record(work, looks))
        except BaseException as exc:  # noqa: BLE001 - each of those who wait raises it
            error = exc
        with self._changed:
            self._batch.writing = False
            for look in looks:
                look.written, look.error = True, error
                if error is None:
                    self._looked[look.what] = self._clock()
            self._changed.notify_all()


def _record(work: Work, looks: list[_Look]) -> None:
    told: set[What] = set()
    for look in looks:
        if look.what in told:
            continue
        told.add(look.what)
        actor, action, subject, details = look.what
        with ExitStack() as stack:
            stack.enter_context(coming_from(look.address))
            work.record(action, actor=actor, subject=subject, details=dict(details))

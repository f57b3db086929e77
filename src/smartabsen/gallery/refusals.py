"""Why people were refused at kiosks and in browsers: written beside the work, read by administrators, kept for a while.

A refusal is a time, a place, a reason and the numbers it rests on. It names nobody: a stranger's nearest employee says
nothing about the stranger, and much that is wrong about the employee.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import KioskEvent, KioskEventKind, Measured, Outcome, Refusal
from ..kernel.errors import SmartAbsenError
from ..kernel.pages import PAGE, Page, clamp_page
from . import refusal_rows

_WAITING: Final = 200
"""Refusals that wait to be written; more are dropped: the kiosk comes first."""
COMPARED: Final = frozenset({Outcome.UNKNOWN, Outcome.OTHER_FACE, Outcome.AMBIGUOUS})
"""Refusals that rest on a comparison with people."""
_NO_REFUSALS: Final = frozenset({Outcome.RECOGNIZED, Outcome.ALREADY_RECORDED, Outcome.PENDING})


class RefusalLog:
    """Writes what a kiosk refuses, in a thread of its own. Use it in a ``with`` block.

    It never delays and never fails its kiosk: what the database does not take is dropped.

    Args:
        services: The installation.
        threshold, margin: What a recognition needs.
    """

    def __init__(self, services: Services, *, threshold: float, margin: float) -> None:
        self._services = services
        self._threshold, self._margin = threshold, margin
        self._waiting: queue.Queue[Refusal | None] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> RefusalLog:
        if self._services.settings.kiosk.refusals_days:
            self._thread = threading.Thread(target=self._write, name="refusals", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._thread is not None:
            with contextlib.suppress(queue.Full):
                self._waiting.put(None, timeout=1.0)
            self._thread.join(timeout=5.0)
            self._thread = None

    def take_limits(self, *, threshold: float, margin: float) -> None:
        """Go on with the limits of another engine."""
        self._threshold, self._margin = threshold, margin

    def note(self, event: KioskEvent) -> None:
        """Take a kiosk's event; only refusals are kept."""
        if self._thread is None or event.kind is not KioskEventKind.DECISION or event.outcome is None:
            return
        if event.outcome in _NO_REFUSALS:
            return
        refusal = make_refusal(
            event.at,
            self._services.kiosk_name,
            event.outcome,
            compared=None if event.similarity is None else Measured(event.similarity, self._threshold),
            lead=event.lead,
            margin=self._margin,
            measured=event.measured,
        )
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(refusal)

    def _write(self) -> None:
        self._forget()
        while (first := self._waiting.get()) is not None:
            batch, ends = [first], False
            with contextlib.suppress(queue.Empty):
                while not ends:
                    following = self._waiting.get_nowait()
                    ends = following is None
                    if following is not None:
                        batch.append(following)
            with contextlib.suppress(SmartAbsenError), self._services.database.write() as session:
                refusal_rows.add_many(session, batch)
            if ends:
                break
        self._forget()

    def _forget(self) -> None:
        with contextlib.suppress(SmartAbsenError), self._services.database.write() as session:
            refusal_rows.prune(session, before=_kept_since(self._services))


def make_refusal(
    at: datetime,
    kiosk: str,
    outcome: Outcome,
    *,
    compared: Measured | None,
    lead: float | None,
    margin: float,
    measured: Measured | None,
) -> Refusal:
    """Put together what is kept of a refusal.

    Args:
        compared: Cosine to the best person and the threshold; None where the face was not compared.
        lead, margin: Distance to the second-best person, and what it needed.
        measured: Another measure that decided.
    """
    decided = compared if outcome in COMPARED else measured
    value, limit = (None, 0.0) if decided is None else (decided.value, decided.limit)
    return Refusal(at, kiosk, outcome, value, limit, lead, margin)


def note_refusal(services: Services, refusal: Refusal) -> None:
    """Write one refusal, and forget old ones; nothing is kept where the settings say so.

    Raises:
        DatabaseError: The database does not answer.
    """
    if services.settings.kiosk.refusals_days:
        with services.database.write() as session:
            refusal_rows.add_many(session, [refusal])
            refusal_rows.prune(session, before=_kept_since(services))


class Refusals:
    """Reads refusals, for administrators.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def latest(self, limit: int = 20) -> tuple[Refusal, ...]:
        """Return the last refusals of all kiosks and browsers, the newest first."""
        with self._services.database.read() as session:
            return refusal_rows.latest(session, limit)

    def page(self, number: int) -> Page[Refusal]:
        """Return one page of all refusals that are kept, the newest first. A page beyond the last one is the last."""
        with self._services.database.read() as session:
            total = refusal_rows.count(session)
            number, pages = clamp_page(number, total)
            rows = refusal_rows.latest(session, PAGE, offset=(number - 1) * PAGE)
        return Page(rows, number, pages, total)

    def count(self) -> int:
        """Return how many refusals are kept."""
        with self._services.database.read() as session:
            return refusal_rows.count(session)


def _kept_since(services: Services) -> datetime:
    return services.instant() - timedelta(days=services.settings.kiosk.refusals_days)

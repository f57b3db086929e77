"""Stores the punches of a kiosk beside its frame loop: in the database, or, while that is away, in a durable queue.

Two threads. The first takes what the frame loop hands over, one after another: straight into the database while that
answers, else into the queue, so that nobody waits for a database that was found silent a moment ago. The second
delivers the queue in its order when the database is back, those of earlier sessions first. What became of each punch
is fetched by the frame loop, which never waits.
"""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from ..kernel.domain import Punch, PunchResult
from ..kernel.errors import ConflictError, DatabaseError, NotFoundError, SmartAbsenError, StorageError
from ..kernel.i18n import N_
from ..store.file_lock import file_lock
from ..store.trusted_clock import TrustedClock
from .punch_queue import PunchQueue, WaitingPunch

RETRY_S: Final = 1.0
"""Wait before the database is tried again; doubled after each failure up to LONGEST_RETRY_S."""
LONGEST_RETRY_S: Final = 5.0
CLOSE_S: Final = 4.0
"""The longest that the end of a session goes on delivering, or waits for a database that does not answer."""
DATABASE_ID: Final = "database_id"
GENERATION: Final = "generation"
RESTORED: Final = N_(
    "A backup was restored since this kiosk was last connected: punches of people who are not in it are kept aside."
)


@dataclass(frozen=True, slots=True)
class DatabaseIdentity:
    """Which database it is, and which of its states.

    Attributes:
        generation: Another one since an older state took its place.
        row_ids_are_certain: That has never happened: a row id was always the same person's.
    """

    database_id: str
    generation: str = ""
    row_ids_are_certain: bool = True


class PunchStore(Protocol):
    """What the writer needs of the store."""

    def record(self, attempt: Punch) -> PunchResult:
        """Store an attempt in the database. Raises DatabaseError, NotFoundError, ConflictError."""
        ...

    def follow(self, result: PunchResult) -> None:
        """Complete the log behind a stored punch; raises nothing."""
        ...

    def identity(self) -> DatabaseIdentity:
        """Return which database it is. Raises DatabaseError."""
        ...

    def ask_time(self) -> None:
        """Ask the database for its time where that is due. Raises DatabaseError."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a punch, or what goes wrong.

    Attributes:
        attempt: The punch as it was handed over; None for trouble that concerns none.
        track: As given to :meth:`PunchWriter.submit`; None for a punch of the queue.
        result: When it is in the database.
        pending: When it is in the queue; ``refused`` when the database will never take it.
        trouble: What people should know.
    """

    attempt: Punch | None = None
    track: int | None = None
    result: PunchResult | None = None
    pending: bool = False
    refused: bool = False
    trouble: SmartAbsenError | None = None


class PunchWriter:
    """Takes punches and never blocks. Make one, :meth:`close` it at the end.

    Args:
        store: Database and log.
        waiting: The durable queue.
        clock: What it knows is noted now and then.
    """

    def __init__(self, store: PunchStore, waiting: PunchQueue, clock: TrustedClock) -> None:
        self._store = store
        self._waiting = waiting
        self._clock = clock
        self._inbox: queue.SimpleQueue[tuple[Punch, int] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Written] = queue.SimpleQueue()
        self._held: list[tuple[Punch, int]] = []
        self._held_told = False
        self._turn = threading.Lock()
        # Set until the queue was found empty: earlier sessions' punches come first.
        self._away = True
        self._away_told = False
        self._end_at = float("inf")
        self.lost = 0
        """Once it is closed: punches that could be put nowhere."""
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._recorder = threading.Thread(target=self._record_all, name="punches", daemon=True)
        self._deliverer = threading.Thread(target=self._deliver_all, name="punches that wait", daemon=True)
        with suppress(StorageError):
            self._away = self._waiting.count() > 0
        self._wake.set()
        self._recorder.start()
        self._deliverer.start()

    def submit(self, attempt: Punch, *, track: int) -> None:
        """Hand a punch over. Returns at once."""
        self._inbox.put((attempt, track))

    def answers(self) -> list[Written]:
        """Return what became of punches since the last call, in order. Returns at once."""
        found = []
        while not self._answers.empty():
            found.append(self._answers.get())
        return found

    def close(self) -> int:
        """Bring everything that was handed over onto the disk, and end; return how many punches wait in the queue.

        Punches that could be put neither into the database nor into the queue are told as trouble.
        """
        self._inbox.put(None)
        self._recorder.join()
        self._end_at = time.monotonic() + CLOSE_S
        self._closing.set()
        self._wake.set()
        self._deliverer.join(CLOSE_S)
        self.lost = len(self._held)
        for attempt, track in self._held:
            lost = N_("A punch could not be stored before the session ended; nothing was announced for it.")
            self._answers.put(Written(attempt, track, trouble=StorageError(lost)))
        try:
            return self._waiting.count()
        except StorageError:
            return 0

    # --- the first thread -----------------------------------------------------------------------------------

    def _record_all(self) -> None:
        while True:
            try:
                item = self._inbox.get(timeout=RETRY_S if self._held else None)
            except queue.Empty:
                self._settle_held()
                continue
            if item is not None:
                self._held.append(item)
            self._settle_held()
            if item is None:
                return

    def _settle_held(self) -> None:
        while self._held and self._is_settled(*self._held[0]):
            self._held.pop(0)
            self._held_told = False

    def _is_settled(self, attempt: Punch, track: int) -> bool:
        if not self._away:
            try:
                result = self._store.record(attempt)
            except (NotFoundError, ConflictError):
                self._answers.put(Written(attempt, track, refused=True))
                return True
            except DatabaseError as exc:
                self._tell_away(exc)
            except Exception as exc:  # noqa: BLE001 - whatever it is, the punch goes into the queue and the thread lives on
                self._tell_away(_surprise(exc))
            else:
                self._answers.put(Written(attempt, track, result=result))
                self._store.follow(result)
                return True
        try:
            with self._turn:
                waits = self._waiting.add(attempt, database_id=self._waiting.find_fact(DATABASE_ID))
                self._away = True
        except StorageError as exc:
            # Neither database nor disk: the person is told nothing, and both are tried again.
            if not self._held_told:
                self._held_told = True
                self._answers.put(Written(attempt, track, trouble=exc))
            return False
        self._answers.put(Written(attempt, track, pending=waits, refused=not waits))
        self._wake.set()
        return True

    # --- the second thread ----------------------------------------------------------------------------------

    def _deliver_all(self) -> None:
        wait_s = RETRY_S
        while True:
            self._wake.wait(wait_s)
            self._wake.clear()
            wait_s = RETRY_S if self._deliver_now() else min(2.0 * wait_s, LONGEST_RETRY_S)
            # New punches must not make the tries at a silent database denser.
            if self._away:
                self._closing.wait(min(wait_s, RETRY_S))
            self._look_at_clock()
            if self._closing.is_set():
                return

    def _deliver_now(self) -> bool:
        """Deliver what waits, and return whether the database and the queue answered."""
        try:
            if self._away:
                self._deliver_queue()
        except DatabaseError as exc:
            self._tell_away(exc)
            return False
        except Exception as exc:  # noqa: BLE001 - a thread that ended would deliver nothing any more
            if not isinstance(exc, StorageError):
                self._tell_away(_surprise(exc))
            # A queue that cannot be used is told where a punch needs it; another kiosk may be delivering.
            return False
        return True

    def _deliver_queue(self) -> None:
        while time.monotonic() <= self._end_at:
            with self._turn:
                if not self._waiting.count():
                    self._away = self._away_told = False
                    return
            with file_lock(self._waiting.path.with_name(".deliver.lock"), timeout_s=RETRY_S):
                known = self._store.identity()
                if self._waiting.find_fact(GENERATION) not in ("", known.generation):
                    self._answers.put(Written(trouble=StorageError(RESTORED)))
                self._waiting.note_fact(DATABASE_ID, known.database_id)
                self._waiting.note_fact(GENERATION, known.generation)
                for one in self._waiting.oldest():
                    if time.monotonic() > self._end_at:
                        return
                    self._deliver(one, known)

    def _deliver(self, one: WaitingPunch, known: DatabaseIdentity) -> None:
        try:
            _check_origin(one, known)
            result = self._store.record(one.punch)
        except (NotFoundError, ConflictError) as exc:
            self._waiting.refuse(one.number, str(exc))
            self._answers.put(Written(one.punch, refused=True, trouble=exc))
            return
        self._waiting.remove(one.number)
        self._answers.put(Written(one.punch, result=result))
        self._store.follow(result)

    # --- both -----------------------------------------------------------------------------------------------

    def _look_at_clock(self) -> None:
        # Away, the database is asked by what delivers, and not more often than that.
        if not self._away:
            with suppress(DatabaseError):
                self._store.ask_time()
        self._clock.note()

    def _tell_away(self, error: SmartAbsenError) -> None:
        self._away = True
        if not self._away_told:
            self._away_told = True
            self._answers.put(Written(trouble=error))


def _check_origin(one: WaitingPunch, known: DatabaseIdentity) -> None:
    """Refuse a punch whose person this database may have another name for. Raises ConflictError."""
    if one.database_id not in ("", known.database_id):
        raise ConflictError(N_("A punch that waits was made for another database, and is kept aside."))
    if one.punch.person:
        return
    if not (one.database_id and known.row_ids_are_certain):
        raise ConflictError(
            N_("A punch that waits names its person by a number that may be another one's since a backup was restored.")
        )


def _surprise(exc: Exception) -> StorageError:
    return StorageError(N_("A punch could not be stored: {problem}"), problem=repr(exc))

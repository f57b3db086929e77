"""The clock that attendance is judged by: the time, and whether this machine's clock was right.

Where there is a database server, its clock is the one that counts, and a machine that differs by more than
``attendance.clock_tolerance_s`` is marked. Without one (SQLite, or a server that was not reached since the machine
started) a clock is doubted that shows a time before the latest one that was trusted: a small computer without a battery
for its clock wakes up in the past. Nor is a jump into the future believed, which would make every right time after it
look like the past: since a start of the machine its steady clock says how late it is, and over a new start a leap of
more than a month is doubted. A punch is kept in any case, with the mark that somebody should look at it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from ..kernel.domain import ClockReading, Punch
from ..kernel.errors import StorageError
from .clock import WRITTEN, BootTime, DatabaseClock, ServerTime

KNOWN_TIME: Final = "known_time"
"""Name of the latest trusted time among the facts of the queue."""
KNOWN_AT: Final = "known_time_at"
"""The reading of the steady clock that belongs to it."""
SERVER_TIME: Final = "server_time"
"""The database server's latest answer, with the reading of the steady clock that belongs to it."""
OFFSET: Final = "clock_offset_s"
"""Seconds that this machine's clock was ahead of the server's then."""
MARKED: Final = "marked_punch"
"""Key of the latest punch of this home that was marked."""
ACCEPTED: Final = "clock_accepted"
"""Changes whenever a person says that the clock is right."""
LEAP: Final = timedelta(days=31)
"""A machine that was switched off for longer is asked about: shorter are the holidays of most sites."""
NOTE_EVERY: Final = timedelta(seconds=60)


class ClockMemory(Protocol):
    """Keeps facts across the starts of a machine; the queue of punches does."""

    def find_fact(self, name: str) -> str: ...

    def note_facts(self, facts: Mapping[str, str]) -> None: ...


class TrustedClock:
    """Tells the time, and whether this machine's clock is to be trusted. Threads share one; nothing here waits.

    Args:
        clock: The time by the database.
        tolerance: By how much a right clock may differ.
        memory: What earlier runs came to know; None knows nothing and notes nothing.
        known: The latest time that was trusted, where the memory has none.
    """

    def __init__(
        self,
        clock: DatabaseClock | None = None,
        *,
        tolerance: timedelta = timedelta(seconds=60),
        memory: ClockMemory | None = None,
        known: datetime | None = None,
    ) -> None:
        self._clock = clock or DatabaseClock()
        self._tolerance = tolerance
        self._memory = memory
        self._lock = threading.Lock()
        self._accepted = ""
        self._last_known = max(known or WRITTEN, WRITTEN)
        self._known_at: BootTime | None = None
        self._noted_at: BootTime | None = None
        self._last_offset = timedelta(0)
        self._recall()

    @property
    def last_known(self) -> datetime:
        """The latest time that was trusted."""
        return self._last_known

    @property
    def tolerance(self) -> timedelta:
        """By how much a right clock may differ."""
        return self._tolerance

    @property
    def least(self) -> datetime:
        """What a right clock shows by now, or a later time: what was trusted last, and what has passed since then."""
        return self._least(self._clock.machine.steady())

    def now(self) -> ClockReading:
        """Return the time (UTC) and what is to be thought of it."""
        steady = self._clock.machine.steady()
        at, offset = self._clock.read()
        with self._lock:
            trusted = self._is_near(offset) if offset is not None else self._is_plausible(at, steady)
            if offset is not None or trusted:
                # A server's word also takes back a time that was trusted and lay in the future.
                self._last_known = at if offset is not None else max(at, self._last_known)
                self._known_at = steady
        return ClockReading(at, trusted, None if offset is None else _seconds(offset), str(steady))

    def settle(self, attempt: Punch) -> Punch:
        """Return an attempt that waited while nobody told the time, with the time that the server tells now.

        Only attempts of this start of the machine can be told: since then its steady clock has counted on.
        """
        taken_at, known = BootTime.parse(attempt.taken_at), self._clock.known
        if attempt.clock_offset_s is not None or taken_at is None or known is None:
            return attempt
        passed = known.read_at.since(taken_at)
        if passed is None:
            return attempt
        at = known.at - passed
        offset = attempt.at - at
        return replace(attempt, at=at, clock_trusted=self._is_near(offset), clock_offset_s=_seconds(offset))

    def follow(self) -> None:
        """Learn whether a person has said meanwhile, perhaps in another process, that the clock is right."""
        if self._memory is not None:
            with suppress(StorageError):
                if self._memory.find_fact(ACCEPTED) != self._accepted:
                    self._recall()

    def note(self) -> None:
        """Keep what is known, once a minute. A memory that cannot be written now is tried again later."""
        steady = self._clock.machine.steady()
        passed = None if self._noted_at is None else steady.since(self._noted_at)
        if self._memory is None or (passed is not None and passed < NOTE_EVERY):
            return
        self._noted_at = steady
        self.follow()
        facts: dict[str, str] = {}
        if self._known_at is not None:
            facts |= {KNOWN_TIME: self._last_known.isoformat(), KNOWN_AT: str(self._known_at)}
        known, (_, offset) = self._clock.known, self._clock.read()
        if known is not None and offset is not None:
            facts |= {
                SERVER_TIME: f"{known.at.isoformat()} {known.read_at}",
                OFFSET: f"{offset.total_seconds():.3f}",
            }
        with suppress(StorageError):
            self._memory.note_facts(facts)

    def note_marked(self, key: str) -> None:
        """Keep the key of a stored punch that is marked: another machine's marks may bear the same name of a kiosk."""
        if self._memory is not None:
            with suppress(StorageError):
                self._memory.note_facts({MARKED: key})

    def accept(self, mark: str) -> None:
        """Take this machine's clock as right from now on, whatever was trusted before.

        Args:
            mark: Another one each time; other processes follow when they see it.

        Raises:
            StorageError: It cannot be kept.
        """
        at, _ = self._clock.read()
        with self._lock:
            self._last_known, self._known_at = at, self._clock.machine.steady()
            self._last_offset = timedelta(0)
        if self._memory is not None:
            facts = {KNOWN_TIME: at.isoformat(), KNOWN_AT: str(self._known_at), OFFSET: "0", ACCEPTED: mark}
            self._memory.note_facts(facts)
        self._accepted = mark

    def _is_near(self, offset: timedelta) -> bool:
        return abs(offset) <= self._tolerance

    def _least(self, steady: BootTime) -> datetime:
        passed = None if self._known_at is None else steady.since(self._known_at)
        return self._last_known + (passed or timedelta(0))

    def _is_plausible(self, at: datetime, steady: BootTime) -> bool:
        passed = None if self._known_at is None else steady.since(self._known_at)
        least = self._least(steady)
        if passed is not None:
            most = least + self._tolerance
        elif self._known_at is not None:
            most = least + LEAP
        else:
            # Of this machine nothing is known: a database that was brought here may be old.
            most = at
        return least - self._tolerance <= at <= most and self._is_near(self._last_offset)

    def _recall(self) -> None:
        if self._memory is None:
            return
        try:
            self._accepted = self._memory.find_fact(ACCEPTED)
            known = _instant(self._memory.find_fact(KNOWN_TIME))
            if known is not None:
                self._known_at = BootTime.parse(self._memory.find_fact(KNOWN_AT)) or BootTime("", 0.0)
                self._last_known = max(known, self._evidence_beside(known, self._known_at))
            shown, _, read_at = self._memory.find_fact(SERVER_TIME).partition(" ")
            at, reading = _instant(shown), BootTime.parse(read_at)
            if at is not None and reading is not None:
                self._clock.resume(ServerTime(at, reading))
            self._last_offset = timedelta(seconds=float(self._memory.find_fact(OFFSET) or 0.0))
        except (ValueError, StorageError):
            return

    def _evidence_beside(self, known: datetime, known_at: BootTime) -> datetime:
        """Return what the database says beside the memory; it may have been written by a clock that was doubted."""
        # Once a person has spoken, or the steady clock counts on, what was written is no evidence any more.
        if self._accepted or self._clock.machine.steady().since(known_at) is not None:
            return WRITTEN
        return self._last_known if self._last_known <= known + LEAP else WRITTEN


def _seconds(offset: timedelta) -> float:
    # Never -0.0, which databases give back as 0.0: a signature covers it.
    return round(offset.total_seconds(), 3) + 0.0


def _instant(written: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None

"""What time it is: by the database server where there is one, else by this machine.

Machines differ. The server's clock is one query away, so it is asked at the first unit of work and once a minute; in
between, this machine's steady clock counts on from its answer. Setting the machine's clock therefore changes nothing
that this program writes, but it shows: as the offset between both.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

WRITTEN: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right shows a time before this program was written."""
ASK_EVERY_S: Final = 60.0
LONGEST_ANSWER_S: Final = 5.0
"""An answer that took longer says too little about the time."""
_SET: Final = timedelta(seconds=2)
"""A clock that moved by more against the steady one was set."""
_INFO: Final = "smartabsen_clock"


@dataclass(frozen=True, slots=True)
class BootTime:
    """A reading of the steady clock: seconds since the machine started.

    Attributes:
        boot: Which start of the machine; readings of two starts cannot be compared.
        seconds: Sleep included, setting the clock not.
    """

    boot: str
    seconds: float

    def since(self, earlier: BootTime) -> timedelta | None:
        """Return the time since an earlier reading, None where the machine was started anew in between."""
        return timedelta(seconds=self.seconds - earlier.seconds) if self.boot == earlier.boot else None

    def __str__(self) -> str:
        return f"{self.boot}@{self.seconds:.3f}"

    @classmethod
    def parse(cls, written: str) -> BootTime | None:
        """Read what ``str`` wrote; None for anything else."""
        boot, mark, seconds = written.partition("@")
        try:
            return cls(boot, float(seconds)) if boot and mark else None
        except ValueError:
            return None


class MachineClock:
    """The clocks of this machine.

    Args:
        wall: The clock that people see and set (UTC, aware).
        steady: Seconds that only grow, sleep included.
        boot: Names this start of the machine.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        steady: Callable[[], float] | None = None,
        boot: str | None = None,
    ) -> None:
        self.wall = wall
        self._steady = steady or _steady_s
        self._boot = _boot_name() if boot is None else boot

    def steady(self) -> BootTime:
        """Read the steady clock."""
        return BootTime(self._boot, self._steady())


@dataclass(frozen=True, slots=True)
class ServerTime:
    """What the server's clock showed at a reading of the steady one."""

    at: datetime
    read_at: BootTime


class DatabaseClock:
    """The time by the database. Threads share one; a forked child may go on with its parent's.

    Args:
        machine: The clocks of this machine.
    """

    def __init__(self, machine: MachineClock | None = None) -> None:
        self.machine = machine or MachineClock()
        self._lock = threading.Lock()
        self._known: ServerTime | None = None
        self._offset = timedelta(0)
        self._asked_at: BootTime | None = None

    @property
    def known(self) -> ServerTime | None:
        """The server's latest answer; None where no server has answered."""
        return self._known

    def read(self) -> tuple[datetime, timedelta | None]:
        """Return the time (UTC), and by how much this machine's clock is ahead of it; None where no server told."""
        wall, steady = self.machine.wall(), self.machine.steady()
        known = self._known
        passed = None if known is None else steady.since(known.read_at)
        if known is None or passed is None:
            return wall, None
        at = known.at + passed
        return at, wall - at

    def instant(self) -> datetime:
        """Return the time (UTC)."""
        return self.read()[0]

    @property
    def is_due(self) -> bool:
        """Whether the server is to be asked: the last time is a while ago, or this machine's clock was set."""
        steady, asked = self.machine.steady(), self._asked_at
        passed = None if asked is None else steady.since(asked)
        if passed is None or passed >= timedelta(seconds=ASK_EVERY_S):
            return True
        _, offset = self.read()
        return offset is not None and abs(offset - self._offset) > _SET and passed >= timedelta(seconds=1)

    def ask(self, session: Session) -> None:
        """Ask the server of a session for its time. Raises what the database raises."""
        before = self.machine.steady()
        shown = session.scalar(text("SELECT UTC_TIMESTAMP(6)"))
        self.take(shown.replace(tzinfo=UTC) if isinstance(shown, datetime) else None, asked_at=before)

    def take(self, shown: datetime | None, *, asked_at: BootTime) -> None:
        """Take over what the server's clock shows (UTC), asked at a reading of the steady clock."""
        now = self.machine.steady()
        took = now.since(asked_at) or timedelta(0)
        with self._lock:
            self._asked_at = now
            slow = took > timedelta(seconds=LONGEST_ANSWER_S) and self._known is not None
            if shown is None or slow or shown < WRITTEN:
                return
            self._known = ServerTime(shown + took / 2, now)
        self._offset = self.read()[1] or timedelta(0)

    def resume(self, known: ServerTime) -> None:
        """Go on from an answer that an earlier process got, where the machine has not been started anew since."""
        if self._known is None and self.machine.steady().since(known.read_at) is not None:
            self._known = known
            self._offset = self.read()[1] or timedelta(0)


def info_of(clock: DatabaseClock) -> dict[str, object]:
    """Return what a session carries so that :func:`moment` finds the clock of its database."""
    return {_INFO: clock}


def moment(session: Session) -> datetime:
    """Return the time by the clock of a session's database (UTC)."""
    clock = session.info.get(_INFO)
    return clock.instant() if isinstance(clock, DatabaseClock) else datetime.now(UTC)


def _steady_s() -> float:
    # CLOCK_BOOTTIME on Linux and CLOCK_MONOTONIC on macOS go on while the machine sleeps; time.monotonic does not.
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):
        if hasattr(time, name):
            return time.clock_gettime(getattr(time, name))
    return time.monotonic()


_PROCESS: Final = uuid.uuid4().hex


def _boot_name() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        # Other systems name no start: readings are then good within the process.
        return _PROCESS

"""The security log: who was let in, who was refused and why, from which address; no secrets, and nothing of a person
but the name of an account.

Noting an event never fails and hardly waits: a full disk costs lines, no answer. Events that are alike are counted:
of those within a minute the first is written at once, then one line for every ten times as many, and the rest when
the minute is over. Of what strangers can cause, each process writes so many different lines an hour; what comes on top
is counted without its address. So nobody fills the disk, and nobody soon pushes out what is in the log.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from ..kernel.actors import current_address
from ..kernel.dates import read_date
from ..kernel.domain import SecurityEvent, SecurityKind
from ..kernel.errors import InvalidInputError, SmartAbsenError
from ..kernel.i18n import N_
from .security_log_file import SecurityFiles

WINDOW_S: Final = 60.0
"""Events that are alike are counted together for so long."""
HOUR_S: Final = 3_600.0
PER_WINDOW: Final = 60
PER_HOUR: Final = 600
"""Different lines that strangers can cause in each process; about 4 MB a day."""
MANY: Final = "*"
"""The address of a line for events of many addresses."""
TEXT_LENGTH: Final = 200
_TRUSTED: Final = frozenset(
    {
        SecurityKind.LOGIN,
        SecurityKind.LOGOUT,
        SecurityKind.SERVER_STARTED,
        SecurityKind.SERVER_STOPPED,
        SecurityKind.SETTINGS_CHANGED,
        SecurityKind.ACCOUNT,
    }
)
"""What nobody causes without being let in: never counted away."""
_BEGINNING: Final = '{"at": "'
"""Of each line; inside of a text its quotes would be escaped."""
_POLL_S: Final = 0.5
_log: Final = logging.getLogger(__name__)
_journal: Final = logging.getLogger("smartabsen.security")

_AGO: Final = re.compile(r"(\d{1,6})\s*([smhd])")
_CLOCK: Final = re.compile(r"\s+(\d{1,2})[:.](\d{2})\Z")
_SINCE_HINT: Final = N_("Write 30m, 2h or 7d, a date as 30/11/2026, or 30/11/2026 08:00.")
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

_Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted; what is empty or None does not count.

    Attributes:
        kind: This word or those that begin with it and a dot: ``login`` finds ``login.refused``.
        address: Exactly this one.
        since: UTC.
    """

    kind: str = ""
    address: str = ""
    since: datetime | None = None

    def takes(self, event: SecurityEvent) -> bool:
        """Return whether an event is wanted."""
        return (
            (not self.kind or event.kind == self.kind or event.kind.startswith(f"{self.kind}."))
            and (not self.address or event.address == self.address)
            and (self.since is None or event.at >= self.since)
        )


@dataclass(slots=True)
class _Burst:
    """Events that are alike, and how many of them no line tells of yet."""

    event: SecurityEvent
    began_s: float
    seen: int = 1
    untold: int = 0
    last: datetime | None = None


class SecurityLog:
    """Writes and reads the security log of one home. Threads share it.

    Args:
        files: Where it lies.
        clock: Seconds, monotonic.

    Attributes:
        to_journal: Whether each line also goes to the server's own log, which a service manager keeps.
    """

    def __init__(self, files: SecurityFiles, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.to_journal = False
        self._files = files
        self._clock = clock
        self._lock = threading.Lock()
        self._bursts: dict[_Key, _Burst] = {}
        self._window_end = 0.0
        self._in_window = self._in_hour = 0
        self._hour_end = 0.0
        self._lost = 0

    def note(
        self,
        kind: SecurityKind,
        *,
        actor: str = "",
        reason: str = "",
        place: str = "",
        address: str | None = None,
        **more: str,
    ) -> None:
        """Write an event, unless it is only counted. Never raises.

        Args:
            actor: The account of the dashboard; only a name that is known: what strangers type may be a password in
                the wrong field. Employees are named nowhere: an erasure would have to reach them here.
            reason: Why, as a stable word of ours: ``locked``.
            place: The endpoint that was asked.
            address: Where the request came from; by default that of the request which is answered here.
            more: Further facts by name; no secrets, nothing of a person, nothing that a visitor wrote.
        """
        event = SecurityEvent(
            datetime.now(UTC),
            kind.value,
            current_address() if address is None else address,
            actor,
            reason,
            place,
            more=more,
        )
        with self._lock:
            self._end_windows()
            self._take(event)

    def tick(self) -> None:
        """Write what was counted in minutes that are over. Cheap; to be called now and then."""
        if self._bursts:
            with self._lock:
                self._end_windows()

    def close(self) -> None:
        """Write what was counted so far."""
        with self._lock:
            self._end_windows(all_of_them=True)

    @staticmethod
    def wanted(*, kind: str, address: str, since: str, zone: tzinfo, now: datetime) -> EventFilter:
        """Return which events somebody wants, as it was typed; see :func:`checked_kind` and :func:`read_since`.

        Raises:
            InvalidInputError: There is no such kind, or it is no time.
        """
        return EventFilter(checked_kind(kind), address.strip(), read_since(since, zone, now=now))

    def events(self, wanted: EventFilter = EventFilter()) -> Iterator[SecurityEvent]:
        """Yield events, the oldest first; what is no event is passed over.

        Raises:
            StorageError: A file cannot be read.
        """
        found = (read_event(line) for line in self._files.lines())
        return (event for event in found if event is not None and wanted.takes(event))

    def latest(self, wanted: EventFilter = EventFilter(), *, limit: int) -> tuple[SecurityEvent, ...]:
        """Return the last events, the oldest of them first. Raises StorageError."""
        return tuple(deque(self.events(wanted), maxlen=limit))

    def delete_before(self, instant: datetime, *, dry_run: bool) -> int:
        """Delete files whose last line is older than an instant (UTC); return how many. Raises StorageError."""
        return self._files.delete_before(instant, dry_run=dry_run)

    def follow(self, stop: threading.Event, wanted: EventFilter = EventFilter()) -> Iterator[SecurityEvent]:
        """Yield the events that come from now on, until ``stop`` is set."""
        place = self._files.end()
        while not stop.wait(_POLL_S):
            place, lines = self._files.read_from(place)
            found = (read_event(line) for line in lines)
            yield from (event for event in found if event is not None and wanted.takes(event))

    def _take(self, event: SecurityEvent) -> None:
        """Write or count an event."""
        if event.kind in _TRUSTED:
            self._write(event)
            return
        now = self._clock()
        key = _key(event)
        burst = self._bursts.get(key)
        if burst is None and self._is_spent(now):
            event = SecurityEvent(event.at, event.kind, MANY, "", event.reason, more={})
            key = _key(event)
            burst = self._bursts.get(key)
        if burst is None:
            self._bursts[key] = _Burst(event, now)
            if event.address != MANY:
                self._in_window += 1
                self._in_hour += 1
            self._write(event)
            return
        burst.seen += 1
        burst.untold += 1
        burst.last = event.at
        if burst.seen == 10 ** (len(str(burst.seen)) - 1):
            self._tell(burst)

    def _is_spent(self, now: float) -> bool:
        """Return whether strangers have caused as many different lines as they may."""
        if now >= self._window_end:
            self._window_end, self._in_window = now + WINDOW_S, 0
        if now >= self._hour_end:
            self._hour_end, self._in_hour = now + HOUR_S, 0
        return self._in_window >= PER_WINDOW or self._in_hour >= PER_HOUR

    def _end_windows(self, *, all_of_them: bool = False) -> None:
        now = self._clock()
        over = [key for key, each in self._bursts.items() if all_of_them or now - each.began_s >= WINDOW_S]
        for key in over:
            self._tell(self._bursts.pop(key))

    def _tell(self, burst: _Burst) -> None:
        """Write one line for the events that no line tells of yet."""
        if burst.untold:
            event, at = burst.event, burst.last or burst.event.at
            self._write(
                SecurityEvent(
                    at,
                    event.kind,
                    event.address,
                    event.actor,
                    event.reason,
                    event.place,
                    burst.untold,
                    event.more,
                )
            )
            burst.untold = 0

    def _write(self, event: SecurityEvent) -> None:
        line = write_event(event, lost=self._lost)
        try:
            self._files.append(line.encode() + b"\n")
        except (SmartAbsenError, OSError) as exc:
            # Who waits for an answer gets it.
            if not self._lost:
                _log.error("the security log cannot be written: %s", exc)
            self._lost += 1
        else:
            self._lost = 0
        if self.to_journal:
            _journal.warning("%s", line)


def checked_kind(text: str) -> str:
    """Return a kind, or the beginning of some, as somebody typed it. Raises InvalidInputError."""
    word = text.strip().lower()
    if word and not any(f"{kind.value}.".startswith(f"{word}.") for kind in SecurityKind):
        raise InvalidInputError(
            N_("There is no kind “{kind}” of security events."),
            hint=N_("Kinds: {kinds}"),
            kind=text,
            kinds=", ".join(SecurityKind),
        )
    return word


def read_since(text: str, zone: tzinfo, *, now: datetime) -> datetime | None:
    """Return the instant that somebody typed: ``30m``, ``2h``, ``7d`` ago, a date, or a date and time of the site.

    Raises:
        InvalidInputError: It is none of these.
    """
    text = text.strip()
    if not text:
        return None
    try:
        if ago := _AGO.fullmatch(text.lower()):
            return now - timedelta(seconds=int(ago[1]) * _UNITS_S[ago[2]])
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = _read_moment(text)
        return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)
    except InvalidInputError as exc:
        raise InvalidInputError(exc.message_id, hint=_SINCE_HINT, **exc.params) from exc
    except (ValueError, OverflowError) as exc:
        raise InvalidInputError(N_("“{text}” is no time."), hint=_SINCE_HINT, text=text) from exc


def _read_moment(text: str) -> datetime:
    """Return the day, with the clock behind it if there is one. Raises InvalidInputError, ValueError."""
    clock = _CLOCK.search(text)
    day = read_date(text[: clock.start()] if clock else text)
    hour, minute = (int(clock[1]), int(clock[2])) if clock else (0, 0)
    return datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - of the site, whose zone is not known here


def write_event(event: SecurityEvent, *, lost: int = 0) -> str:
    """Return an event as one line of ASCII: nothing in it can begin another line or move a cursor.

    Args:
        lost: Lines before it that could not be written.
    """
    facts: dict[str, object] = {"at": event.at.isoformat(timespec="milliseconds"), "kind": event.kind}
    texts = {"address": event.address, "actor": event.actor, "reason": event.reason, "place": event.place}
    facts |= {name: _shortened(text) for name, text in (texts | dict(event.more)).items() if text}
    facts["count"] = event.count
    if lost:
        facts["lost"] = str(lost)
    return json.dumps(facts, ensure_ascii=True).replace("\x7f", "\\u007f")


def read_event(line: bytes) -> SecurityEvent | None:
    """Return the event of a line, or None. A line that follows one of which only a part was written is found."""
    text = line.decode("ascii", errors="replace")
    try:
        facts: Any = json.loads(text[max(0, text.rfind(_BEGINNING)) :])
        at = datetime.fromisoformat(facts.pop("at")).astimezone(UTC)
        count = int(facts.pop("count", 1))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None
    known = {name: str(facts.pop(name, "")) for name in ("kind", "address", "actor", "reason", "place")}
    return SecurityEvent(at, **known, count=count, more=_texts(facts))


def _texts(facts: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in facts.items()}


def _shortened(text: str) -> str:
    return text if len(text) <= TEXT_LENGTH else f"{text[:TEXT_LENGTH]}…"


def _key(event: SecurityEvent) -> _Key:
    return event.kind, event.address, event.actor, event.reason, event.place, *sorted(event.more.items())

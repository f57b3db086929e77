"""The attendance log: ``Attendance/YYYY-MM-DD.csv``, one file for each work date, one line for each punch.

A line shows what the database knows of a punch and nothing that later punches could change:

========== ==================================================================================================
punch_id   Row id of the punch in the database; unique, and what a line is recognised by.
code, name The employee's, as they were when the line was written or last checked.
date       Work date: a departure at 02:00 belongs to the day before.
time       Local time at the site, whole seconds.
status     The day's status when the punch was stored: what the person was told (Hadir, Terlambat, Izin, Sakit).
method     How: face, manual, correction, void ...
kiosk      Where.
similarity Cosine of the decision, four digits; empty without a face.
note       Why, for manual punches and corrections; ``[clock?]`` where the kiosk's clock was not to be trusted.
supersedes The punch_id that a correction replaces or takes out, empty for others. The line of that punch stays.
utc        The instant, ISO 8601 with microseconds.
========== ==================================================================================================

The files are UTF-8 with a byte order mark, which Excel needs to show names right (Python: ``utf-8-sig``), separated by
commas, with a line feed at the end of each line and none inside. Cells that a spreadsheet would run get an apostrophe.

The database alone decides what is recorded. A file follows it: :meth:`CsvLog.append` adds the line of a punch that was
stored, and :meth:`CsvLog.check` writes a file anew that lacks lines or holds other ones. What a file held and the
database does not know is kept beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from ..kernel.reading import read_bytes
from ..kernel.texts import one_line, without_formula
from ..store.file_lock import file_lock
from ..store.files import PRIVATE_FILE, make_private_directory, storage_errors, write_atomically
from ..trust.forgotten import CLOCK_MARK, COLUMNS, NOBODY, Forgotten, cells_of, joined, without_erased
from .punch_rows import LoggedPunch as LoggedPunch

_HEADER: Final = "\ufeff".encode() + ",".join(COLUMNS).encode()
_BINARY: Final = getattr(os, "O_BINARY", 0)

Read = Callable[[], Sequence[LoggedPunch]]
"""Reads the punches of a date from the database. It is called under the log's lock: a line is only ever written after
its punch was stored, so what the database does not know did not come from here."""


@dataclass(frozen=True, slots=True)
class FileRepair:
    """What a check did to one file.

    Attributes:
        added: Lines that were missing.
        rewritten: Whether lines had to be changed or removed.
        kept_as: Where the old file lies, if it held something that the database does not know.
        state: Punches of the date, the last one's id, size and time of change of the file; empty without a file.
    """

    added: int
    rewritten: bool
    kept_as: Path | None
    state: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FileDifference:
    """How a file differs from the database.

    Attributes:
        missing: Lines that are not there, or not as they should be: those of erased people without the pseudonym, too.
        unknown: Lines that are torn, edited, doubled or made up.
    """

    work_date: date
    missing: int
    unknown: int

    @property
    def equal(self) -> bool:
        """Whether there is no difference."""
        return not (self.missing or self.unknown)

    @property
    def lags(self) -> bool:
        """Whether the file is only behind: what it holds is right, and the next reconciliation completes it.

        So it is on a machine whose people punched elsewhere, or that has not run since.
        """
        return not (self.equal or self.unknown)


class CsvLog:
    """The log in one directory.

    Args:
        directory: Made, private, when the first line is written.
        zone: IANA name of the site's time zone.
    """

    def __init__(self, directory: Path, *, zone: str) -> None:
        self.directory = directory
        self._zone = ZoneInfo(zone)

    def path(self, work_date: date) -> Path:
        """Return the file of a work date."""
        return self.directory / f"{work_date.isoformat()}.csv"

    def append(self, logged: LoggedPunch) -> bool:
        """Append the line of a stored punch, unless the file has it; return False for a file that has to be checked.

        That is one that ends within a line, of which a crash left the beginning: nothing is written to it. Lines are
        not synced to the disk one by one: the next start completes what a power cut takes.

        Raises:
            StorageError: The disk is full, permission is missing, or somebody else holds the file; a partly written
                line is taken back.
        """
        path = self.path(logged.punch.work_date)
        line = self._line(logged)
        with self.locked(), storage_errors(path):
            old = read_bytes(path) if path.exists() else b""
            if old and not old.endswith(b"\n"):
                return False
            if b"\n%b," % _punch_id(line) not in old:
                _append(path, line + b"\n" if old else _HEADER + b"\n" + line + b"\n")
        return True

    def check(self, work_date: date, read: Read, *, forget: Forgotten = NOBODY) -> FileRepair:
        """Make the file of a work date equal to the database; equal lines in another order stay as they are.

        What held more than an older code or name is kept as ``….csv.replaced-<UTC time>``, without people who were
        erased. A date without punches has no file.

        Args:
            forget: Somebody who was erased: lines of theirs that the database does not know go without a copy.

        Raises:
            StorageError: The file cannot be read or written.
        """
        path = self.path(work_date)
        with self.locked(), storage_errors(path):
            logged = read()
            found = self._look(path, logged, forget)
            kept_as = self._keep(path, found) if found.loses_facts else None
            if logged and (found.missing or found.unknown):
                write_atomically(path, _whole(found.wanted))
            elif not logged and found.lines:
                path.unlink()
            added = {_punch_id(line) for line in found.wanted[1:]} - {_punch_id(line) for line in found.lines}
            last_id = max((one.punch.id for one in logged), default=0)
            state = self.size_and_time(work_date)
        repaired = bool(found.unknown) or found.clean != found.lines
        return FileRepair(len(added), repaired, kept_as, (len(logged), last_id, *state) if state else ())

    def compare(self, work_date: date, read: Read, *, forget: Forgotten = NOBODY) -> FileDifference:
        """Compare the file of a work date with the database; nothing is changed. Arguments and errors as above."""
        path = self.path(work_date)
        with self.locked(), storage_errors(path):
            found = self._look(path, read(), forget)
        return FileDifference(work_date, found.missing, found.unknown)

    def dates(self) -> tuple[date, ...]:
        """Return the work dates that have a file, the oldest first."""
        found = []
        for path in self.directory.glob("????-??-??.csv"):
            with suppress(ValueError):
                found.append(date.fromisoformat(path.stem))
        return tuple(sorted(found))

    def size_and_time(self, work_date: date) -> tuple[int, int] | None:
        """Return size and time of change (ns) of a file, None where there is none."""
        try:
            status = self.path(work_date).stat()
        except FileNotFoundError:
            return None
        return status.st_size, status.st_mtime_ns

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep all other writers out of the directory within a ``with`` block. It cannot be nested."""
        with file_lock(self.directory / ".lock"):
            yield

    def _line(self, logged: LoggedPunch) -> bytes:
        punch = logged.punch
        local = punch.at.astimezone(self._zone)
        cells = (
            str(punch.id),
            _text(logged.code),
            _text(logged.name),
            punch.work_date.isoformat(),
            f"{local:%H:%M:%S}",
            punch.status.value if punch.status else "",
            punch.method.value,
            _text(punch.kiosk),
            "" if punch.similarity is None else f"{punch.similarity:.4f}",
            _text(punch.note if punch.clock_trusted else f"{punch.note} {CLOCK_MARK}".strip()),
            "" if punch.supersedes is None else str(punch.supersedes),
            f"{punch.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        )
        return joined(cells)

    def _look(self, path: Path, logged: Sequence[LoggedPunch], forget: Forgotten) -> _Found:
        old = read_bytes(path) if path.exists() else b""
        found = [part for part in old.split(b"\n") if part]
        lines = [self._line(one) for one in logged]
        erased = {_punch_id(line): line for one, line in zip(logged, lines, strict=True) if one.erased}
        clean = without_erased(found, erased=erased, known={_punch_id(line) for line in lines}, forget=forget)
        return _Found([_HEADER, *lines], found, clean, is_whole=old.endswith(b"\n"))

    def _keep(self, path: Path, found: _Found) -> Path:
        kept_as = path.with_name(f"{path.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
        write_atomically(kept_as, read_bytes(path) if found.clean == found.lines else _whole(found.clean))
        return kept_as


@dataclass(frozen=True, slots=True)
class _Found:
    """What a file should hold, what it holds, and the same without what names erased people."""

    wanted: list[bytes]
    lines: list[bytes]
    clean: list[bytes]
    is_whole: bool

    @property
    def missing(self) -> int:
        return len(set(self.wanted[1:]) - set(self.clean)) + len(set(self.lines) - set(self.clean))

    @property
    def unknown(self) -> int:
        clean = self.clean
        strange = len(set(clean) - set(self.wanted)) + len(clean) - len(set(clean))
        lost_its_end = not self.is_whole and bool(clean) and clean[-1] in self.wanted
        return strange + lost_its_end + (clean[:1] not in ([], [_HEADER]))

    @property
    def loses_facts(self) -> bool:
        wanted = set(self.wanted)
        strange = [line for line in self.clean if line not in wanted]
        if strange and not self.is_whole and any(line.startswith(strange[-1]) for line in self.wanted):
            # A torn line is the beginning of one that is written again.
            strange.pop()
        return bool(strange) and not {_facts(line) for line in strange} <= {_facts(line) for line in self.wanted}


def _append(path: Path, data: bytes) -> None:
    make_private_directory(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, PRIVATE_FILE)
    with os.fdopen(descriptor, "ab", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        try:
            while data:
                data = data[file.write(data) :]
        except OSError:
            file.truncate(size)
            raise


def _whole(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _text(text: str) -> str:
    return without_formula(one_line(text))


def _facts(line: bytes) -> tuple[str, ...]:
    """Return the cells of a line but code and name, which a rename changes."""
    cells = cells_of(line)
    return (cells[0], *cells[3:]) if len(cells) == len(COLUMNS) else (repr(line),)


def _punch_id(line: bytes) -> bytes:
    return line.partition(b",")[0]

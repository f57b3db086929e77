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

The database is the truth. A line is appended under a lock between processes, by one write, and synced before
:meth:`CsvLog.append` returns. What is lost or edited all the same, :meth:`CsvLog.check` puts right; what a file held
and the database does not know is kept beside it.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from ..kernel.reading import read_bytes
from ..kernel.texts import one_line, without_formula
from ..store.file_lock import file_lock
from ..store.files import PRIVATE_FILE, make_private_directory, storage_errors, sync_directory, write_atomically
from ..trust.forgotten import (
    CLOCK_MARK as CLOCK_MARK,
    COLUMNS as COLUMNS,
    NOBODY,
    Forgotten,
    cells_of,
    joined,
    without_erased,
)
from .punch_rows import LoggedPunch

_RENAMEABLE: Final = frozenset({"code", "name"})
_BOM: Final = "\ufeff".encode()
_HEADER: Final = _BOM + (",".join(COLUMNS) + "\n").encode()
_FILE_NAME: Final = re.compile(r"(\d{4}-\d{2}-\d{2})\.csv")
_WHOLE_LINE: Final = re.compile(rb"\d+,.*,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
"""What only a complete line looks like: its last cell is the instant, to the last letter."""
_BINARY: Final = getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class FileRepair:
    """What a check did to one file.

    Attributes:
        added: Lines that were missing.
        rewritten: Whether lines had to be changed or removed.
        kept_as: Where the old file lies, if it held something that the database does not know.
        state: Size and time of change of the file afterwards; None where there is no file.
    """

    added: int
    rewritten: bool
    kept_as: Path | None
    state: tuple[int, int] | None


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

    def append(self, logged: LoggedPunch, read: Callable[[], Sequence[LoggedPunch]] | None = None) -> bool:
        """Append the line of a punch, unless the file has it, and return whether it was appended.

        When it returns, the line is on the disk. A partly written line is taken back; a last line that only lost its
        line feed gets it.

        Args:
            read: Reads the punches of the date, as for :meth:`check`: a torn last line of another punch is then written
                anew at once, and not at the next check.

        Raises:
            StorageError: The disk is full, permission is missing, or the file is held by somebody else. The punch is in
                the database all the same; the next check adds its line.
        """
        path = self.path(logged.punch.work_date)
        with self.locked(), storage_errors(path):
            line = self._line(logged)
            if read is not None and _is_torn(path, line):
                return self._mend(path, read).added > 0
            return _append(path, [line])

    def check(
        self, work_date: date, read: Callable[[], Sequence[LoggedPunch]], *, forget: Forgotten = NOBODY
    ) -> FileRepair:
        """Make the file of a work date equal to the database.

        Missing lines are appended. A file with lines that were torn, edited, doubled or are unknown is written anew;
        when that loses more than an older code or name, the old file is kept as ``….csv.replaced-<UTC time>``. Of
        people who were erased it keeps what the database keeps of them.

        Args:
            read: Reads the punches of the date from the database. It is called under the log's lock: a line is only
                ever written after its punch was stored, so what ``read`` does not know did not come from here.
            forget: Somebody who was erased: lines of theirs that the database does not know go without a copy.

        Raises:
            StorageError: The file cannot be read or written.
        """
        path = self.path(work_date)
        with self.locked(), storage_errors(path):
            return self._mend(path, read, forget)

    def compare(
        self, work_date: date, read: Callable[[], Sequence[LoggedPunch]], *, forget: Forgotten = NOBODY
    ) -> FileDifference:
        """Compare the file of a work date with the database; nothing is changed. Arguments and errors as above."""
        path = self.path(work_date)
        with self.locked(), storage_errors(path):
            logged = read()
            lines = [self._line(one) for one in logged]
            raw = read_bytes(path).split(b"\n") if path.exists() else []
            # What follows the last line feed; nothing, where every line is whole.
            torn = bool(raw) and bool(raw.pop())
            found = _clean(raw, logged, lines, forget)
            if lines or found:
                lines.insert(0, _HEADER.rstrip(b"\n"))
            missing, unknown = len(set(lines) - set(found)) + len(set(raw) - set(found)), set(found) - set(lines)
            doubled = len(found) - len(set(found))
        return FileDifference(work_date, missing, len(unknown) + doubled + torn)

    def dates(self) -> tuple[date, ...]:
        """Return the work dates that have a file, the oldest first."""
        if not self.directory.is_dir():
            return ()
        names = (_FILE_NAME.fullmatch(path.name) for path in self.directory.iterdir())
        return tuple(sorted(found for name in names if name and (found := _as_date(name[1]))))

    def state(self, work_date: date) -> tuple[int, int] | None:
        """Return size and time of change (ns) of a file, None where there is none."""
        return _state(self.path(work_date))

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

    def _mend(self, path: Path, read: Callable[[], Sequence[LoggedPunch]], forget: Forgotten = NOBODY) -> FileRepair:
        logged = read()
        old = read_bytes(path) if path.exists() else b""
        if not logged and not old:
            return FileRepair(0, False, None, None)
        lines = [self._line(one) for one in logged]
        found = [part for part in old.split(b"\n") if part]
        wanted = [_HEADER.rstrip(b"\n"), *lines]
        intact = old.endswith(b"\n") and len(set(found)) == len(found) and not set(found) - set(wanted)
        if old and not (intact and found[0] == wanted[0]):
            clean = _clean(found, logged, lines, forget)
            if not lines and clean != found and set(clean) <= set(wanted):
                # Nobody else came on that day.
                path.unlink()
                return FileRepair(0, True, None, None)
            content = old if clean == found else b"".join(line + b"\n" for line in clean)
            kept_as = self._keep(path, content) if self._loses_facts(clean, wanted) else None
            write_atomically(path, _HEADER + b"".join(line + b"\n" for line in lines))
            added = len({_punch_id(line) for line in lines} - {_punch_id(part) for part in found})
            return FileRepair(added, True, kept_as, _state(path))
        missing = [line for line in lines if line not in set(found)]
        _append(path, missing)
        return FileRepair(len(missing), False, None, _state(path))

    def _keep(self, path: Path, old: bytes) -> Path:
        kept_as = path.with_name(f"{path.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
        write_atomically(kept_as, old)
        return kept_as

    @staticmethod
    def _loses_facts(found: list[bytes], wanted: list[bytes]) -> bool:
        facts = {_facts(line) for line in wanted}
        # A torn line is the beginning of one that will be written again.
        return not all(_facts(part) in facts or any(line.startswith(part) for line in wanted) for part in found)


def _append(path: Path, lines: Sequence[bytes]) -> bool:
    """Append those lines that a file lacks by one synced write; return whether there were any."""
    make_private_directory(path.parent)
    created = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, PRIVATE_FILE)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        old = file.readall()
        whole = old[: old.rfind(b"\n") + 1]
        tail = old[len(whole) :]
        if _WHOLE_LINE.fullmatch(tail):
            # It lost its line feed alone.
            _write_synced(file, b"\n")
            whole = old + b"\n"
        elif tail:
            # A torn line, of which a crash or a full disk left the beginning.
            file.truncate(len(whole))
        new = [line + b"\n" for line in lines if b"\n%b," % _punch_id(line) not in whole]
        if not new:
            return False
        try:
            _write_synced(file, (b"" if whole else _HEADER) + b"".join(new))
        except OSError:
            file.truncate(len(whole))
            raise
    if created:
        sync_directory(path.parent)
    return True


def _is_torn(path: Path, line: bytes) -> bool:
    """Return whether a file ends in a part of a line, other than the one that is to be written."""
    if not path.exists():
        return False
    tail = read_bytes(path).rpartition(b"\n")[2]
    return bool(tail) and not line.startswith(tail) and not _WHOLE_LINE.fullmatch(tail)


def _write_synced(file: io.FileIO, data: bytes) -> None:
    written = 0
    while written < len(data):
        written += file.write(data[written:])
    os.fsync(file.fileno())


def _text(text: str) -> str:
    return without_formula(one_line(text))


def _clean(
    found: Sequence[bytes], logged: Sequence[LoggedPunch], lines: Sequence[bytes], forget: Forgotten
) -> list[bytes]:
    """Return the lines of a file without those who were erased; ``lines`` are those of ``logged``."""
    erased = {_punch_id(line): line for one, line in zip(logged, lines, strict=True) if one.erased}
    return without_erased(found, erased=erased, known={_punch_id(line) for line in lines}, forget=forget)


def _facts(line: bytes) -> tuple[str, ...]:
    """Return the cells of a line but those that a rename changes."""
    cells = cells_of(line)
    if len(cells) != len(COLUMNS):
        return (repr(line),)
    return tuple(cell for column, cell in zip(COLUMNS, cells, strict=True) if column not in _RENAMEABLE)


def _punch_id(line: bytes) -> bytes:
    return line.partition(b",")[0]


def _state(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_size, status.st_mtime_ns


def _as_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

"""The files of the security log: one JSON object a line, in the home, for its owner alone, never more than so much.

Several processes write the same file. Each line is one write to a file that was opened for appending, so that lines
never mix (POSIX); the file is opened anew for each, so that nobody goes on in one that another process has renamed for
long, and a line that still reaches it is kept. A file is renamed at its size and at the end of its day (UTC); the
oldest ones are deleted by their total size and by their age.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ..kernel.errors import StorageError
from ..kernel.reading import open_file
from ..store.file_lock import file_lock
from ..store.files import PRIVATE_FILE, make_private_directory, storage_errors

NAME: Final = "security.log"
FILE_BYTES: Final = 2_000_000
"""A file is closed when it is as long."""
TOTAL_BYTES: Final = 50_000_000
"""Of all files; the oldest ones are deleted."""
_TOO_LONG: Final = 4
"""Times :data:`FILE_BYTES` at which nothing is written any more, where the file cannot be renamed."""
_CLOSED: Final = re.compile(r"security-\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}\.log")
_LOCK_WAIT_S: Final = 0.2
_APPEND: Final = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    # Neither the link nor the pipe that somebody put in its place.
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


class SecurityFiles:
    """The files of one home.

    Args:
        directory: Where they lie; made, private, with the first line.
        keep_days: Files whose last line is older are deleted when one is closed; 0 keeps them.
        now: The time (UTC) that files are too old by: a machine's own clock may be far ahead.
        file_bytes, total_bytes: See :data:`FILE_BYTES` and :data:`TOTAL_BYTES`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        keep_days: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        file_bytes: int = FILE_BYTES,
        total_bytes: int = TOTAL_BYTES,
    ) -> None:
        self._directory = directory
        self._keep_days = keep_days
        self._now = now
        self._file_bytes, self._total_bytes = file_bytes, total_bytes

    @property
    def path(self) -> Path:
        """The file that is written now."""
        return self._directory / NAME

    def append(self, line: bytes) -> None:
        """Write one line, which ends with a newline; closing the file before, where it is due.

        Raises:
            StorageError: It cannot be written as a whole.
        """
        make_private_directory(self._directory)
        with storage_errors(self.path):
            with suppress(FileNotFoundError):
                if self._is_due(self.path.lstat(), len(line)):
                    self._close_file(len(line))
            descriptor = os.open(self.path, _APPEND, PRIVATE_FILE)
            try:
                facts = os.fstat(descriptor)
                if not stat.S_ISREG(facts.st_mode):
                    raise OSError(errno.EINVAL, "not an ordinary file")
                if facts.st_size > _TOO_LONG * self._file_bytes:
                    raise OSError(errno.EFBIG, "it cannot be closed")
                if os.write(descriptor, line) < len(line):
                    raise OSError(errno.ENOSPC, "only a part was written")
            finally:
                os.close(descriptor)

    def closed(self) -> tuple[Path, ...]:
        """Return the closed files, the oldest first."""
        with suppress(OSError):
            return tuple(sorted(path for path in self._directory.iterdir() if _CLOSED.fullmatch(path.name)))
        return ()

    def lines(self) -> Iterator[bytes]:
        """Yield all lines, the oldest first. Raises StorageError where a file cannot be read."""
        for path in (*self.closed(), self.path):
            yield from self._lines_of(path)

    def read_from(self, place: tuple[int, int]) -> tuple[tuple[int, int], list[bytes]]:
        """Return the lines that were added since a place, and the place now: inode and length of the current file.

        What a file that was closed in between still had is part of it.
        """
        inode, length = place
        found: list[bytes] = []
        for path in self.closed()[-3:]:
            with suppress(OSError):
                if path.stat().st_ino == inode:
                    found += self._lines_of(path, length)
        try:
            facts = self.path.stat()
        except OSError:
            return (inode, length) if not found else (0, 0), found
        begin = length if facts.st_ino == inode else 0
        fresh = b"".join(line + b"\n" for line in self._lines_of(self.path, begin, whole_only=True))
        found += fresh.splitlines()
        return (facts.st_ino, begin + len(fresh)), found

    def end(self) -> tuple[int, int]:
        """Return the place after the last line, for :meth:`read_from`."""
        with suppress(OSError):
            facts = self.path.stat()
            return facts.st_ino, facts.st_size
        return 0, 0

    def delete_before(self, instant: datetime, *, dry_run: bool) -> int:
        """Delete files whose last line is older than an instant (UTC); return how many there are.

        Raises:
            StorageError: One cannot be deleted.
        """
        if not self._directory.is_dir():
            return 0
        old = [path for path in (*self.closed(), self.path) if _last_written(path) < instant]
        if dry_run or not old:
            return len(old)
        with file_lock(self._lock_path):
            for path in old:
                with storage_errors(path):
                    if path == self.path:
                        # Whoever writes at this very moment goes on in the renamed one, which is younger then.
                        path = path.rename(self._closed_name())
                    if _last_written(path) < instant:
                        path.unlink(missing_ok=True)
        return len(old)

    @property
    def _lock_path(self) -> Path:
        return self._directory / "security.lock"

    def _is_due(self, facts: os.stat_result, more: int) -> bool:
        if not stat.S_ISREG(facts.st_mode) or not facts.st_size:
            return False
        last = datetime.fromtimestamp(facts.st_mtime, UTC)
        return facts.st_size + more > self._file_bytes or last.date() < datetime.now(UTC).date()

    def _close_file(self, more: int) -> None:
        """Give the current file its last name, unless another process has done it meanwhile."""
        with suppress(StorageError, OSError), file_lock(self._lock_path, timeout_s=_LOCK_WAIT_S):
            if self._is_due(self.path.lstat(), more):
                self.path.rename(self._closed_name())
                self._delete_oldest()

    def _closed_name(self) -> Path:
        return self._directory / f"security-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z-{secrets.token_hex(4)}.log"

    def _delete_oldest(self) -> None:
        too_old = self._now() - timedelta(days=self._keep_days) if self._keep_days else None
        room = self._total_bytes - self._file_bytes
        for path in reversed(self.closed()):
            room -= path.stat().st_size
            if room < 0 or (too_old is not None and _last_written(path) < too_old):
                path.unlink(missing_ok=True)

    def _lines_of(self, path: Path, begin: int = 0, *, whole_only: bool = False) -> Iterator[bytes]:
        with storage_errors(path):
            try:
                file = open_file(path)
            except FileNotFoundError:
                return
            with file:
                file.seek(begin)
                for line in file:
                    if line.endswith(b"\n") or not whole_only:
                        yield line.rstrip(b"\n")


def _last_written(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except OSError:
        return datetime.max.replace(tzinfo=UTC)

"""How fast a page may ask by itself. Kept in memory: asking writes nothing into the database.

The workers of one server share that memory, see :meth:`Pace.share`; elsewhere each process counts for itself.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

_ENTRY: Final = struct.Struct("=8sd")
"""Who asked last at this place, as a part of a hash, and when."""
_PLACES: Final = 16_384


class Pace:
    """Lets each asker ask once in a while. Two of them who get the same place may ask more often: that is rare.

    Args:
        every_s: Seconds between two questions of one asker.
        clock: Seconds, monotonic, and the same in all processes of the machine.

    Attributes:
        every_s: The same; tests and benchmarks ask faster.
    """

    def __init__(self, every_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.every_s = every_s
        self._clock = clock
        self._table: bytearray | mmap.mmap = bytearray(_PLACES * _ENTRY.size)
        self._file: int | None = None
        self._lock = threading.Lock()

    def share(self) -> None:
        """Let this process and those that it forks from now on count together. POSIX only."""
        self._file, path = tempfile.mkstemp(prefix="smartabsen-")
        # It has no name from now on, and is gone with the last process that has it open.
        Path(path).unlink()
        os.truncate(self._file, len(self._table))
        self._table = mmap.mmap(self._file, len(self._table))

    def is_too_fast(self, asker: str) -> bool:
        """Note a question and tell whether it came too early; one that did does not count."""
        digest = sha256(asker.encode()).digest()
        place, mark = int.from_bytes(digest[:4]) % _PLACES * _ENTRY.size, digest[4:12]
        with self._lock, self._alone(place):
            now = self._clock()
            known, asked_s = _ENTRY.unpack_from(self._table, place)
            if known == mark and now - asked_s < self.every_s:
                return True
            _ENTRY.pack_into(self._table, place, mark, now)
        return False

    @contextmanager
    def _alone(self, place: int) -> Iterator[None]:
        if self._file is None:
            yield
            return
        import fcntl

        # Of one entry, and gone with a process that dies while it holds it.
        fcntl.lockf(self._file, fcntl.LOCK_EX, _ENTRY.size, place)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, _ENTRY.size, place)

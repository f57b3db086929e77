"""A lock between processes and threads, held on a file that is never deleted.

Deleting a lock file would give two holders: one on the deleted file, one on its successor. The operating system frees
the lock when its holder dies, however it dies.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import StorageError
from ..i18n import N_
from .files import PRIVATE_FILE, make_private_directory, storage_errors


@contextmanager
def file_lock(path: Path, *, timeout_s: float = 10.0) -> Iterator[None]:
    """Hold the lock on ``path`` within a ``with`` block.

    On a disk that is mounted for reading nothing is locked: nobody can change what lies there, and a backup of it must
    be possible.

    Raises:
        StorageError: The lock file cannot be opened, or somebody held the lock for longer than ``timeout_s``.
    """
    with storage_errors(path):
        try:
            make_private_directory(path.parent)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        except OSError as exc:
            if exc.errno != errno.EROFS:
                raise
            descriptor = -1
    if descriptor < 0:
        yield
        return
    try:
        deadline = time.monotonic() + timeout_s
        wait_s = 0.0005
        while not _try_lock(descriptor, path):
            if time.monotonic() > deadline:
                raise StorageError(
                    N_("Another program holds {path} for more than {seconds} s."),
                    hint=N_("Find out which program of smartabsen hangs, and end it."),
                    path=path,
                    seconds=f"{timeout_s:g}",
                )
            time.sleep(wait_s)
            wait_s = min(wait_s * 2, 0.01)
        try:
            yield
        finally:
            _unlock(descriptor)
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int, path: Path) -> bool:  # noqa: ARG001 - the signature of both systems
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int, path: Path) -> bool:
        with storage_errors(path):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)

"""A lock between processes and threads of one machine, held on a file for a ``with`` block; see :mod:`..locking`."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..kernel.errors import StorageError
from ..kernel.i18n import N_
from ..kernel.locking import give_back, try_take
from .files import PRIVATE_FILE, make_private_directory, storage_errors


@contextmanager
def file_lock(path: Path, *, timeout_s: float = 10.0) -> Iterator[None]:
    """Hold the lock on ``path`` within a ``with`` block.

    On a disk that is mounted for reading nothing is locked: nobody can change what lies there, and a backup of it must
    be possible.

    Raises:
        StorageError: The lock file cannot be opened, or somebody held the lock for longer than ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    wait_s = 0.0005
    while (descriptor := _try(path)) is None:
        if time.monotonic() > deadline:
            raise StorageError(
                N_("Another program holds {path} for more than {seconds} s."),
                hint=N_("Find out which program of smartabsen hangs, and end it."),
                path=path,
                seconds=f"{timeout_s:g}",
            )
        time.sleep(wait_s)
        wait_s = min(wait_s * 2, 0.01)
    if descriptor == _READ_ONLY:
        yield
        return
    try:
        yield
    finally:
        give_back(descriptor)


_READ_ONLY = -1


def _try(path: Path) -> int | None:
    with storage_errors(path):
        try:
            make_private_directory(path.parent)
            return try_take(path, mode=PRIVATE_FILE)
        except OSError as exc:
            if exc.errno != errno.EROFS:
                raise
            return _READ_ONLY

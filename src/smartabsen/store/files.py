"""Files that survive a crash whole, and that only their owner can read."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, cast

from ..kernel.errors import StorageError
from ..kernel.i18n import N_
from ..kernel.locking import try_lock
from ..kernel.reading import (
    NotAFileError,
    check_kind,
    is_unreadable,
    no_permission_to_read,
    refuse_odd,
    unreadable_error,
)

PRIVATE_FILE: Final = 0o600
PRIVATE_DIRECTORY: Final = 0o700
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})
# Windows refuses to replace a file that somebody reads at this very moment.
_REPLACE_TRIES = 20


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a reader, a crash or a power cut finds the old or the new content, never a part.

    The file is private to its owner (0600 where modes exist); its directory is made, private, where it is missing.

    Raises:
        StorageError: The disk is full, or permission is missing. The old file is unchanged then.
    """
    with atomic_file(path) as file:
        file.write(data)


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Give a new file to write and read, which takes the place of ``path`` at the end of the ``with`` block.

    Where the system can (Linux), it has no name before: nothing of it is left when the program is killed. Elsewhere it
    has a name beside, with a lock on it for as long as its writer lives. An error leaves the old file as it was.

    Raises:
        StorageError: The disk is full, permission is missing, or a named pipe, a socket or a device has this name.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    with storage_errors(path):
        _refuse_special(path)
        make_private_directory(path.parent)
        descriptor = _open_nameless(path.parent)
        named = descriptor is None
        try:
            if descriptor is None:
                descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, PRIVATE_FILE)
                try_lock(descriptor)
            with os.fdopen(descriptor, "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
                if not named:
                    _give_name(file.fileno(), temporary)
                if os.name != "nt":
                    temporary.replace(path)
            if os.name == "nt":
                _replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        sync_directory(path.parent)


def _refuse_special(path: Path) -> None:
    """Refuse to put a file in the place of a named pipe, a socket or a device, which others read. Raises OSError."""
    with suppress(FileNotFoundError, NotADirectoryError):
        check_kind(path.stat().st_mode, path)


def nameless_file(directory: Path) -> BinaryIO:
    """Return a new file without a name, on the disk of a directory: it is gone when it is closed, however that happens.

    Raises:
        StorageError: It cannot be made.
    """
    with storage_errors(directory):
        return cast(BinaryIO, tempfile.TemporaryFile(dir=directory))


def _open_nameless(directory: Path) -> int | None:
    flag = getattr(os, "O_TMPFILE", 0)
    if not flag or not os.path.isdir(_DESCRIPTORS):  # noqa: PTH112 - never raises
        return None
    try:
        return os.open(directory, os.O_RDWR | flag, PRIVATE_FILE)
    except OSError as exc:
        if exc.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL):
            # The file system cannot, such as NFS.
            return None
        raise


def _give_name(descriptor: int, path: Path) -> None:
    # linkat(2) of Linux follows the link only when it is told by a directory and a name.
    folder = os.open(_DESCRIPTORS, os.O_RDONLY)
    try:
        os.link(str(descriptor), path, src_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def remove_abandoned(path: Path) -> None:
    """Remove what writers of ``path`` left behind who were killed. Only for the holder of the lock on writing it."""
    for leftover in path.parent.glob(f".{path.name}.*.tmp"):
        with suppress(OSError):
            leftover.unlink()


def make_private_directory(path: Path) -> None:
    """Make a directory and its parents where missing, open to the owner alone; existing ones stay as they are.

    Raises:
        StorageError: It cannot be made.
    """
    with storage_errors(path):
        for missing in reversed([one for one in (path, *path.parents) if not one.is_dir()]):
            missing.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)


def require_directory(path: Path) -> None:
    """Refuse a directory that is missing: outside the home none is made, so that a typing error is noticed.

    Raises:
        StorageError: There is none.
    """
    refuse_odd(path)
    if not path.is_dir():
        raise StorageError(
            N_("There is no directory {path}."), hint=N_("Make it first, or correct the name."), path=path
        )


def check_writable(directory: Path, *, size_bytes: int = 10) -> None:
    """Write a file into a directory and delete it: the only proof that it can be written.

    Raises:
        StorageError: It cannot, or the disk is full.
    """
    probe = directory / f".write-test.{secrets.token_hex(6)}.tmp"
    with storage_errors(directory):
        try:
            descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, PRIVATE_FILE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(bytes(size_bytes))
        finally:
            probe.unlink(missing_ok=True)


def sync_directory(path: Path) -> None:
    """Make a directory's entries durable. Where directories cannot be synced (Windows), the system does it itself."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Translate every OSError inside the ``with`` block into a StorageError that names ``path``."""
    try:
        yield
    except OSError as exc:
        raise _storage_error(exc, path) from exc


def full_disk(path: Path) -> StorageError:
    """Return the error of a disk that has no space left for ``path``."""
    return StorageError(
        N_("The disk is full: {path} cannot be written."), hint=N_("Free some space, then try again."), path=path
    )


def no_permission(path: Path) -> StorageError:
    """Return the error of a file or directory that this user may not write, with the place whose rights are wrong."""
    place = next((one for one in (path, *path.parents) if os.path.exists(one)), path)  # noqa: PTH110 - never raises
    if _is_mounted_for_reading(place):
        return _read_only_disk(path)
    if place.is_file() and os.access(place, os.W_OK):
        place = place.parent
    hint = (
        N_("Close it in other programs, and check the rights of {place}.")
        if os.name == "nt"
        else N_("The user that smartabsen runs as must be able to write in {place}: check its owner and its rights.")
    )
    return StorageError(N_("No permission to write {path}."), hint=hint, path=path, place=place)


def _read_only_disk(path: Path) -> StorageError:
    return StorageError(
        N_("{path} is on a disk that can only be read."),
        hint=N_("Mount it for writing. A system does this to a disk with errors: look at its log before."),
        path=path,
    )


def _is_mounted_for_reading(place: Path) -> bool:
    try:
        return bool(os.statvfs(place).f_flag & os.ST_RDONLY)
    except (AttributeError, OSError):
        # Windows has no such thing.
        return False


def _storage_error(exc: OSError, path: Path) -> StorageError:
    if isinstance(exc, NotAFileError):
        return unreadable_error(exc)
    if exc.errno in _FULL:
        return full_disk(path)
    if exc.errno in _FORBIDDEN:
        return no_permission_to_read(path) if is_unreadable(path) else no_permission(path)
    if exc.errno == errno.EROFS:
        return _read_only_disk(path)
    return StorageError(
        N_("{path} cannot be read or written: {problem}"),
        hint=N_("Check the disk, then try again."),
        path=path,
        problem=exc.strerror or exc,
    )


def _replace(source: Path, target: Path) -> None:
    for _ in range(_REPLACE_TRIES if os.name == "nt" else 0):
        try:
            source.replace(target)
        except PermissionError:
            time.sleep(0.05)
        else:
            return
    source.replace(target)


_BINARY: Final = getattr(os, "O_BINARY", 0)
_DESCRIPTORS: Final = "/proc/self/fd"

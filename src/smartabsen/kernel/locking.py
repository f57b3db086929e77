"""Locks on files, for processes and threads of one machine: one holder, also when somebody removes the file.

The operating system keeps the lock (flock on POSIX, msvcrt.locking on Windows), so it cannot outlive its process. It
lies on the file, not on its name: of a lock file that is removed while it is held, the next caller would make a new one
and be a second holder. So a lock counts only where the file is still the one with that name; a new file appears with
its maker's lock on it; and its maker looks whether a process holds one of the same name that was removed (Linux tells
that of processes that this user may look at). Windows lets nobody remove an open file.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_FLAGS: Final = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
_WINDOWS_OFFSET: Final = 1 << 30
"""msvcrt's locks forbid others to read the bytes they cover: far behind whatever is noted in the file."""
_REMOVED: Final = " (deleted)"
_BESIDE: Final = ".tmp"


def try_take(path: Path, *, mode: int = 0o600) -> int | None:
    """Take the lock on a file without waiting, and return its descriptor; None where somebody holds it.

    Args:
        path: Made where it is missing; its directory is not.
        mode: Rights of a file that is made, whatever the umask.

    Raises:
        OSError: The file cannot be opened or made.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        return _make(path, mode)
    try:
        if try_lock(descriptor):
            if is_named(descriptor, path):
                return descriptor
            _unlock(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def give_back(descriptor: int) -> None:
    """Give a lock back that :func:`try_take` gave."""
    # Unlocked by name: closing alone would leave the lock with a child that was forked meanwhile.
    try:
        _unlock(descriptor)
    finally:
        os.close(descriptor)


def is_taken(path: Path) -> bool:
    """Return whether somebody holds the lock on a file; nothing is made. Raises OSError."""
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        return is_held_removed(path)
    try:
        if not try_lock(descriptor):
            return True
        _unlock(descriptor)
        return False
    finally:
        os.close(descriptor)


def is_named(descriptor: int, path: Path) -> bool:
    """Return whether an open file is the one that has a name now."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def is_held_removed(path: Path) -> bool:
    """Return whether a process holds the lock on a removed file of this name, as far as the system tells."""
    folder = os.path.realpath(path.parent)
    try:
        present: os.stat_result | None = path.lstat()
    except FileNotFoundError:
        present = None
    for link in _descriptors():
        target = _target(link)
        head, _, name = target.removesuffix(_REMOVED).rpartition(os.sep)
        if not target.endswith(_REMOVED) or head != folder or not _is_of(name, path.name):
            continue
        # What is there now may be known by the name that its maker gave it at first.
        if not _is_file(link, present) and _has_lock(link):
            return True
    return False


def _make(path: Path, mode: int) -> int | None:
    """Make the file, locked before anybody can open it, and return its descriptor; None where another one is faster."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}{_BESIDE}")
    descriptor = os.open(beside, _FLAGS | os.O_CREAT | os.O_EXCL, mode)
    try:
        with contextlib.suppress(OSError):
            beside.chmod(mode)
        if try_lock(descriptor) and _give_name(beside, path):
            if not is_held_removed(path):
                return descriptor
            path.unlink()
        _unlock(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    finally:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
    os.close(descriptor)
    return None


def _give_name(beside: Path, path: Path) -> bool:
    try:
        path.hardlink_to(beside)
    except FileExistsError:
        return False
    except OSError:
        # Windows, and file systems without links, as on a memory stick: it is made here, and taken with the next try.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL))
        return False
    return True


def _descriptors() -> Iterator[Path]:
    """Yield the descriptors, as links, of processes that hold locks."""
    if sys.platform != "linux":
        return
    for process in _lock_holders():
        with contextlib.suppress(OSError):
            yield from Path(f"/proc/{process}/fd").iterdir()


def _lock_holders() -> list[str]:
    running = {each.name for each in Path("/proc").iterdir() if each.name.isdigit()}
    try:
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return sorted(running)
    fields = [line.replace("->", "").split() for line in lines]
    named = {each[4] for each in fields if len(each) > 4 and each[1] == "FLOCK"}
    # A child of a dead holder, or one in another namespace, is not told by number.
    return sorted(named if named <= running else running)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _is_of(name: str, lock: str) -> bool:
    return name == lock or (name.startswith(f".{lock}.") and name.endswith(_BESIDE))


def _is_file(link: Path, present: os.stat_result | None) -> bool:
    try:
        return present is not None and os.path.samestat(link.stat(), present)
    except OSError:
        return True


def _has_lock(link: Path) -> bool:
    try:
        about = link.parent.with_name("fdinfo").joinpath(link.name).read_text(encoding="ascii")
        return any(line.startswith("lock:") and "FLOCK" in line for line in about.splitlines())
    except OSError:
        return False


if sys.platform == "win32":

    def try_lock(descriptor: int) -> bool:
        """Lock an open file without waiting; return whether it is locked now. Raises OSError."""
        os.lseek(descriptor, _WINDOWS_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _WINDOWS_OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def try_lock(descriptor: int) -> bool:
        """Lock an open file without waiting; return whether it is locked now. Raises OSError."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)

"""One camera, one process: a lock that says who holds it and that is free when its holder dies.

The operating system keeps the lock, so it cannot outlive its process, and removing its file makes no second holder: see
:mod:`..locking`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ..kernel.errors import CameraBusyError, CameraError
from ..kernel.i18n import N_
from ..kernel.locking import give_back, is_taken, try_take
from ..kernel.reading import parse_json, read_text
from .address import display_name, lock_key

_PATIENCE_S: Final = 0.3
"""Covers the instant in which is_locked() of another process tries the lock, or a killed holder is cleared away."""


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who holds a camera: process id, name of program or kiosk, since when (UTC)."""

    pid: int
    name: str
    since: datetime


class CameraLock:
    """The lock of one physical camera, across processes and within one.

    ``0`` and ``/dev/video0`` are one camera; so are two addresses of a stream that differ in user and password.
    Files and folders need no lock: for them everything here succeeds and nothing is locked.

    Args:
        spec: The camera as for :func:`smartabsen.camera.sources.open_source`.
        directory: Where lock files lie: the same for all processes of the machine, the machine's usual place by
            default. Made where it is missing.
        holder: Name of this kiosk or program, told to whoever wants the camera too; the program's by default.
    """

    def __init__(self, spec: str, *, directory: Path | None = None, holder: str = "") -> None:
        directory = directory or default_lock_directory()
        self.camera = display_name(spec)
        self._holder_name = holder or Path(sys.argv[0]).name
        self._directory = directory
        key = lock_key(spec)
        self._path = None if key is None else directory / _file_name(key)
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock. Taking it twice with one object is harmless.

        Raises:
            CameraBusyError: Somebody holds it; the message says who.
            CameraError: The lock file cannot be made or written.
        """
        if self._path is None or self._descriptor is not None:
            return
        deadline = time.monotonic() + _PATIENCE_S
        while not self._try_to_take(self._path):
            if time.monotonic() >= deadline:
                raise self._busy()
            time.sleep(0.02)

    def release(self) -> None:
        """Give the lock back. Without holding it, nothing happens."""
        with _forking:
            _held.discard(self)
            descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)
            give_back(descriptor)

    def is_locked(self) -> bool:
        """Say whether anybody holds it, this object included."""
        if self._path is None:
            return False
        if self._descriptor is not None:
            return True
        with _forking, self._errors(self._path):
            return is_taken(self._path)

    def holder(self) -> LockHolder | None:
        """Return who holds it, or None when nobody does or the holder cannot be told."""
        if self._path is None or not self.is_locked():
            return None
        try:
            noted = parse_json(read_text(self._path, encoding="utf-8"))
            holder = LockHolder(int(noted["pid"]), str(noted["name"]), datetime.fromisoformat(noted["since"]))
            started = str(noted["started"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        # What a dead process noted is no news about the living one that has just taken the lock.
        return holder if _start_of_process(holder.pid) == started else None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def _try_to_take(self, path: Path) -> bool:
        # Nothing may fork between opening the file and noting the descriptor that a child has to drop.
        with _forking, self._errors(path):
            # The camera is one for all users of the machine, whatever the umask of the first one.
            if not path.parent.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(OSError):
                    path.parent.chmod(0o1777)
            descriptor = try_take(path, mode=0o666)
            if descriptor is None:
                return False
            try:
                self._note_holder(descriptor)
            except BaseException:
                give_back(descriptor)
                raise
            self._descriptor = descriptor
            _held.add(self)
            return True

    @contextlib.contextmanager
    def _errors(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise CameraError(
                N_("The lock file of the camera “{camera}” cannot be used: {path}: {problem}."),
                hint=N_("Check that this user may write there."),
                camera=self.camera,
                path=path,
                problem=exc.strerror or exc,
            ) from exc

    def _note_holder(self, descriptor: int) -> None:
        note = {
            "pid": os.getpid(),
            "name": self._holder_name,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "started": _start_of_process(os.getpid()),
            "camera": self.camera,
        }
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, json.dumps(note).encode())

    def _forget_in_child(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _busy(self) -> CameraBusyError:
        holder = self.holder()
        if holder is None:
            return CameraBusyError(
                N_("The camera {camera} is in use by another process."),
                hint=N_("Stop the other program, or give another camera."),
                camera=self.camera,
            )
        return CameraBusyError(
            N_("The camera {camera} is in use by {holder} (process {pid}) since {since}."),
            hint=N_("Stop that program, or give another camera."),
            camera=self.camera,
            holder=holder.name,
            pid=holder.pid,
            since=holder.since.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        )


def default_lock_directory() -> Path:
    """Return where all programs of this machine keep the locks of cameras, whatever their home."""
    # Where Linux keeps such files: nothing sweeps it while the machine runs, unlike /tmp.
    shared = Path("/run/lock")
    base = shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())
    return base / "smartabsen"


def _file_name(key: str) -> str:
    readable = re.sub(r"[^A-Za-z0-9]+", "-", key.split("?")[0]).strip("-")[-40:].strip("-")
    return f"camera-{readable}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.lock"


def _start_of_process(pid: int) -> str:
    """Return what tells a process from another one that had its id before; empty where there is no such process."""
    if sys.platform == "linux":
        try:
            # Field 22 of proc_pid_stat(5), counted behind the command in parentheses.
            return (
                Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19]
            )
        except (OSError, IndexError):
            return ""
    elif sys.platform == "win32":
        # A note is emptied on release, and the lock of a killed process is taken and noted anew within milliseconds.
        return str(pid)
    else:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return ""
        except PermissionError:
            pass
        return str(pid)


# A forked child has a copy of the descriptor, and flock is free only when all copies are closed: the child drops its
# own.
_held: Final[set[CameraLock]] = set()
_forking: Final = threading.RLock()


def _drop_in_child() -> None:
    for lock in _held:
        lock._forget_in_child()
    _held.clear()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_forking.acquire, after_in_parent=_forking.release, after_in_child=_drop_in_child)

"""One camera, one process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smartabsen.camera.lock import CameraLock
from smartabsen.kernel.errors import CameraBusyError, CameraError

HOLD = """
import os, sys, time
from pathlib import Path
from smartabsen.camera.lock import CameraLock
lock = CameraLock("0", directory=Path(sys.argv[1]), holder="Front door")
lock.acquire()
child = os.fork() if "fork" in sys.argv else -1
if child == 0:
    print(os.getpid(), lock.is_locked(), lock._descriptor, flush=True)
else:
    if child == -1:
        print(os.getpid(), flush=True)
time.sleep(60)
"""

ASK = """
import sys
from pathlib import Path
from smartabsen.camera.lock import CameraLock
lock = CameraLock("0", directory=Path(sys.argv[1]), holder="asker")
lock.acquire()
lock.release()
print(flush=True)
while True:
    lock.is_locked()
"""


@contextmanager
def another_process(directory: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A process that holds the camera, and the first line that it (or its child) said."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory), *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().split()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def lock_for(directory: Path, spec: str = "0", *, holder: str = "Back door") -> CameraLock:
    """A lock that is not taken yet."""
    return CameraLock(spec, directory=directory, holder=holder)


def test_the_second_is_told_who_holds_the_camera(tmp_path: Path) -> None:
    """Program, process and since when, also from another process."""
    with another_process(tmp_path) as (process, _), pytest.raises(CameraBusyError) as caught:
        lock_for(tmp_path).acquire()
    said = str(caught.value)
    assert "Front door" in said
    assert f"process {process.pid}" in said
    assert time.strftime("%Y-") in said


@pytest.mark.skipif(sys.platform != "linux", reason="device nodes are Linux's")
def test_a_camera_is_the_same_under_all_its_names(tmp_path: Path) -> None:
    """The number and the node exclude each other; another camera is free."""
    with lock_for(tmp_path, "0"):
        with pytest.raises(CameraBusyError):
            lock_for(tmp_path, "/dev/video0").acquire()
        with lock_for(tmp_path, "1"):
            pass


def test_a_password_never_reaches_the_disk(tmp_path: Path) -> None:
    """Neither the lock file's name nor its text gives the stream away."""
    with lock_for(tmp_path, "rtsp://admin:rahasia@10.0.0.7/1?token=rahasia"):
        (file,) = tmp_path.iterdir()
        assert "rahasia" not in file.name + file.read_text()


def test_a_released_camera_is_free_and_nobodys(tmp_path: Path) -> None:
    """Taking, asking and releasing agree; doing any of it twice is harmless."""
    lock, other = lock_for(tmp_path), lock_for(tmp_path)
    assert not other.is_locked()
    lock.acquire()
    lock.acquire()
    assert lock.is_locked()
    assert other.is_locked()
    holder = other.holder()
    assert holder is not None
    assert (holder.pid, holder.name) == (os.getpid(), "Back door")
    lock.release()
    lock.release()
    assert not other.is_locked()
    assert other.holder() is None
    other.acquire()
    other.release()


def test_files_and_folders_need_no_lock(tmp_path: Path) -> None:
    """Any number of kiosks may play one recording."""
    with lock_for(tmp_path, "film.mp4") as first, lock_for(tmp_path, "film.mp4"):
        assert not first.is_locked()
        assert first.holder() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX's")
def test_a_killed_holder_leaves_nothing_behind(tmp_path: Path) -> None:
    """kill -9 frees the camera at once, and its former holder is not named any more."""
    with another_process(tmp_path) as (process, _):
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not lock_for(tmp_path).is_locked()
        assert lock_for(tmp_path).holder() is None
        lock_for(tmp_path).acquire()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_of_a_killed_holder_does_not_keep_the_camera(tmp_path: Path) -> None:
    """A forked child drops its copy of the lock; the parent keeps it as long as it lives."""
    with another_process(tmp_path, "fork") as (process, (child, locked_says_child, descriptor_of_child)):
        assert locked_says_child == "True"
        assert descriptor_of_child == "None"
        assert lock_for(tmp_path).is_locked()
        process.send_signal(signal.SIGKILL)
        process.wait()
        try:
            lock_for(tmp_path).acquire()
        finally:
            os.kill(int(child), signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="flock is POSIX's")
def test_what_a_dead_process_noted_is_not_told_as_the_holder(tmp_path: Path) -> None:
    """The instant in which a new holder has the lock and has not noted its name yet; a reused process id as well."""
    import fcntl

    lock = lock_for(tmp_path)
    lock.acquire()
    lock.release()
    (file,) = tmp_path.iterdir()
    with file.open("w") as taken:
        fcntl.flock(taken, fcntl.LOCK_EX)
        note = {"pid": os.getpid(), "name": "Ghost", "since": "2026-01-01T00:00:00+00:00", "started": "1"}
        json.dump(note, taken)
        taken.flush()
        assert lock.is_locked()
        assert lock.holder() is None
        with pytest.raises(CameraBusyError, match="by another process"):
            lock.acquire()


def test_asking_never_makes_the_camera_look_busy(tmp_path: Path) -> None:
    """Another process that only asks, over and over, does not keep this one out."""
    lock = lock_for(tmp_path)
    asker = subprocess.Popen([sys.executable, "-c", ASK, str(tmp_path)], stdout=subprocess.PIPE)
    assert asker.stdout is not None
    try:
        asker.stdout.readline()
        for _ in range(500):
            lock.acquire()
            lock.release()
    finally:
        asker.kill()
        asker.wait()
        asker.stdout.close()


def test_a_directory_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    """Where no lock can be kept, no camera is taken without one."""
    (tmp_path / "file").touch()
    with pytest.raises(CameraError, match="lock file"):
        lock_for(tmp_path / "file" / "locks").acquire()

"""A lock has one holder, also when somebody removes its file or its directory while it is held."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from smartabsen.camera.lock import CameraLock
from smartabsen.kernel.errors import CameraBusyError, StorageError
from smartabsen.kernel.locking import give_back, is_taken, try_take
from smartabsen.store.file_lock import file_lock
from smartabsen.store.turns import turn

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who holds a removed file")

HOLD = """
import sys, time
from pathlib import Path
from smartabsen.kernel.locking import try_take
assert try_take(Path(sys.argv[1])) is not None
print("held", flush=True)
time.sleep(600)
"""
Hold = Callable[[Path], AbstractContextManager[bool]]


@contextmanager
def _file_lock(folder: Path) -> Iterator[bool]:
    try:
        with file_lock(folder / "some.lock", timeout_s=0.05):
            yield True
    except StorageError:
        yield False


@contextmanager
def _turn(folder: Path) -> Iterator[bool]:
    with turn(folder / "some.turn", patience_s=0.05) as left_s:
        yield left_s > 0


@contextmanager
def _camera(folder: Path) -> Iterator[bool]:
    lock = CameraLock("0", directory=folder)
    try:
        lock.acquire()
    except CameraBusyError:
        yield False
        return
    with lock:
        yield True


KINDS = pytest.mark.parametrize("hold", [_file_lock, _turn, _camera], ids=["file lock", "turn", "camera"])


def remove_files(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


@KINDS
@pytest.mark.parametrize("remove", [remove_files, shutil.rmtree], ids=["file", "directory"])
def test_removing_the_file_of_a_held_lock_makes_no_second_holder(
    hold: Hold, remove: Callable[[Path], None], tmp_path: Path
) -> None:
    """Neither the first to come afterwards nor the next; when the holder is done, the lock is free."""
    folder = tmp_path / "locks"
    folder.mkdir()
    with hold(folder) as held:
        assert held
        remove(folder)
        folder.mkdir(exist_ok=True)
        for _ in range(2):
            with hold(folder) as second:
                assert not second
    with hold(folder) as free:
        assert free


@KINDS
def test_a_lock_is_free_again_after_its_file_was_replaced(hold: Hold, tmp_path: Path) -> None:
    """A file that was removed and made anew by somebody else is locked by whoever comes, once."""
    with hold(tmp_path) as held:
        assert held
    remove_files(tmp_path)
    with hold(tmp_path) as held, hold(tmp_path) as second:
        assert (held, second) == (True, False)


def test_a_lock_that_another_process_holds_on_a_removed_file_is_told(tmp_path: Path) -> None:
    """Also to whoever only asks; it is free when that process is killed."""
    path = tmp_path / "some.lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "held\n"
            path.unlink()
            assert is_taken(path)
            assert try_take(path) is None
            assert list(tmp_path.iterdir()) == []
        finally:
            process.kill()
    assert not is_taken(path)
    taken = try_take(path)
    assert taken is not None
    give_back(taken)


def test_of_many_that_make_the_file_at_once_one_holds_it(tmp_path: Path) -> None:
    """While others remove it again and again, no two hold it at the same time."""
    path = tmp_path / "some.lock"
    inside, worst = [0], [0]
    guard = threading.Lock()

    def work() -> None:
        for _ in range(15):
            with file_lock(path, timeout_s=60):
                with guard:
                    inside[0] += 1
                    worst[0] = max(worst[0], inside[0])
                path.unlink(missing_ok=True)
                with guard:
                    inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worst == [1]
    assert not list(tmp_path.glob(".*.tmp"))


def test_a_child_that_was_forked_meanwhile_does_not_keep_a_lock(tmp_path: Path) -> None:
    """Its copy of the descriptor means nothing once the holder is done."""
    path = tmp_path / "some.lock"
    ready = multiprocessing.get_context("fork").Event()
    over = multiprocessing.get_context("fork").Event()

    def child() -> None:
        ready.set()
        over.wait(60)
        os._exit(0)

    with file_lock(path):
        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        assert ready.wait(30)
    try:
        with file_lock(path, timeout_s=0.05):
            pass
        path.unlink()
        with file_lock(path, timeout_s=0.05):
            pass
    finally:
        over.set()
        process.join()

"""Files that are written whole, and locks that die with their holder."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smartabsen.kernel.errors import StorageError
from smartabsen.store.file_lock import file_lock
from smartabsen.store.files import no_permission, remove_abandoned, write_atomically

no_modes = pytest.mark.skipif(os.name == "nt", reason="Windows has no modes of files")


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@contextmanager
def small_files_only() -> Iterator[None]:
    """Makes writing beyond 10 kB fail as it does on a full disk, no longer than the ``with`` block.

    The limit holds for the whole process: a test runner whose output goes to a file would lose it, too.
    """
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@no_modes
def test_a_written_file_and_its_new_directories_are_private(tmp_path: Path) -> None:
    """Nobody but the owner can read the file or enter the directories; content is replaced."""
    path = tmp_path / "a" / "b" / "file"

    write_atomically(path, b"old")
    write_atomically(path, b"new")

    assert path.read_bytes() == b"new"
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent, path.parent.parent)] == [
        0o600,
        0o700,
        0o700,
    ]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """The error says that the disk is full, and no part of the new content stays."""
    path = tmp_path / "file"
    write_atomically(path, b"old")

    with small_files_only(), pytest.raises(StorageError, match="full"):
        write_atomically(path, b"x" * 20_000)

    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_a_file_in_the_place_of_a_directory_is_an_error_of_storage(tmp_path: Path) -> None:
    """Other trouble of the file system is translated, too."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StorageError, match="file"):
        write_atomically(tmp_path / "file" / "below", b"")


def test_what_killed_writers_left_behind_is_removed(tmp_path: Path) -> None:
    """Only leftovers of this very file go."""
    for name in (".model.npz.0a1b.tmp", ".other.npz.0a1b.tmp", "model.npz"):
        (tmp_path / name).write_bytes(b"x")

    remove_abandoned(tmp_path / "model.npz")

    assert names_in(tmp_path) == [".other.npz.0a1b.tmp", "model.npz"]


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    """A second thread gets it when the first one is done, and gives up when that takes too long."""
    path = tmp_path / ".lock"
    order = []

    def second() -> None:
        with file_lock(path):
            order.append("second")

    thread = threading.Thread(target=second)
    with file_lock(path):
        with pytest.raises(StorageError, match="holds"), file_lock(path, timeout_s=0.05):
            pass
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join()

    assert order == ["first", "second"]


def test_a_lock_is_free_when_its_holder_was_killed(tmp_path: Path) -> None:
    """A process that dies while it holds the lock leaves the file but not the lock."""
    path = tmp_path / ".lock"
    code = (
        "import sys, time; from pathlib import Path; from smartabsen.store.file_lock import file_lock\n"
        "with file_lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StorageError), file_lock(path, timeout_s=0.05):
        pass

    holder.kill()
    holder.wait()
    holder.stdout.close()

    with file_lock(path, timeout_s=1.0):
        assert path.exists()


def test_a_missing_right_names_the_place_that_lacks_it(tmp_path: Path) -> None:
    """The directory that is there, not the file that should come into it."""
    error = no_permission(tmp_path / "secrets" / "keys.json")
    assert str(tmp_path / "secrets" / "keys.json") in str(error)
    assert error.params["place"] == tmp_path and str(tmp_path) in error.hint


def test_a_disk_that_can_only_be_read_is_called_so_and_needs_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody changes anything there, so that whoever only reads goes on."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    with file_lock(tmp_path / "lock"):
        pass
    with pytest.raises(StorageError, match="can only be read"):
        write_atomically(tmp_path / "a", b"")

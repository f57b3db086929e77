"""What commands that were killed left behind: folders to work in, and files on the way to their names.

Each is removed by the next start of any program, where its owner is surely gone: an owner that lives holds a lock on
it, which the operating system frees with the owner's death. What has no lock on it was left by an earlier version, or
is of a system that makes no nameless files: it goes when nobody has written to it for a while.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ..kernel.locking import give_back, is_taken, try_lock, try_take
from .files import make_private_directory, storage_errors

MAKING: Final = ".making-"
RESTORING: Final = ".restoring-"
PULLING: Final = ".pull-"
INSTALLING: Final = ".install-"
DEMO: Final = "smartabsen-demo-"
STAGED: Final = ".restoring"
"""The ending of a file that a restore lays beside its place."""
AGE_S: Final = 60.0
OWNERLESS_AGE_S: Final = 3_600.0
"""So long nobody has written into a folder that no lock tells the owner of, before it is taken for abandoned."""
_OWNER: Final = ".owner"
_FOLDERS: Final = (MAKING, RESTORING, PULLING, INSTALLING, DEMO)
_FILES: Final = re.compile(
    r"\..+\.[0-9a-f]{12}\.tmp"  # a file of ours on the way to its name
    r"|\.smartabsen-.+\.\d+\.tmp"  # a backup, or the plain copy of one, of an earlier version
    r"|\..+\.[a-z0-9_]{8}\.part"  # a download
    r"|\..+\.install"  # a model
    rf"|\..+{re.escape(STAGED)}"
)


@contextmanager
def working_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a new private folder that is gone after the ``with`` block, and after the death of this program.

    Args:
        parent: Made, private, where it is missing.
        prefix: One of those above.

    Raises:
        StorageError: It cannot be made.
    """
    make_private_directory(parent)
    sweep_folders(parent, prefix)
    with storage_errors(parent):
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        owner = try_take(folder / _OWNER)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if owner is not None:
            give_back(owner)


def sweep(directories: Iterable[Path], *, min_age_s: float = AGE_S) -> int:
    """Remove what was left behind in directories, not below them; return how many files and folders that were.

    What cannot be removed stays, without an error: it is looked at again with the next start.

    Args:
        min_age_s: What was written to within so long stays, whether anybody has a lock on it or not.
    """
    count = 0
    for directory in dict.fromkeys(directories):
        count += sum(sweep_folders(directory, prefix) for prefix in _FOLDERS)
        restoring = any(directory.glob(f"{RESTORING}*"))
        for path in _entries(directory):
            if _FILES.fullmatch(path.name) and not (restoring and path.name.endswith(STAGED)):
                count += _remove_file(path, min_age_s)
    return count


def sweep_folders(parent: Path, prefix: str) -> int:
    """Remove the folders of one kind whose owner is gone; return how many."""
    return sum(_remove_folder(path) for path in _entries(parent) if path.name.startswith(prefix))


def _entries(directory: Path) -> list[Path]:
    try:
        return [path for path in directory.iterdir() if path.name.startswith((".", DEMO))]
    except OSError:
        return []


def _remove_folder(folder: Path) -> bool:
    try:
        if folder.is_symlink() or not folder.is_dir() or not _is_ours(folder):
            return False
        if not (folder / _OWNER).exists():
            if time.time() - _last_change(folder) < OWNERLESS_AGE_S:
                return False
        elif is_taken(folder / _OWNER):
            return False
        shutil.rmtree(folder)
    except OSError:
        return False
    return True


def _remove_file(path: Path, min_age_s: float) -> bool:
    with suppress(OSError):
        found = path.lstat()
        if not path.is_file() or path.is_symlink() or not _is_ours(path) or time.time() - found.st_mtime < min_age_s:
            return False
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        try:
            if not try_lock(descriptor):
                return False
            path.unlink()
        finally:
            os.close(descriptor)
        return True
    return False


def _last_change(folder: Path) -> float:
    return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))


def _is_ours(path: Path) -> bool:
    # In the machine's own folder for such things, others' lie as well.
    return not hasattr(os, "getuid") or path.lstat().st_uid == os.getuid()

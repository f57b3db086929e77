"""The files of a backup on the way to their places: staged beside them first, so that what follows is only renaming."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..app.bootstrap import Services
from ..config import FILE_NAME
from ..config.zones import DEFAULT_ZONE, ZONE_FILE
from ..gallery.model_file import ARRAYS_NAME, FACTS_NAME
from ..kernel.reading import read_bytes
from ..kiosk.punch_queue import PunchQueue
from ..store.files import check_writable, make_private_directory, remove_abandoned, storage_errors, write_atomically
from ..store.leftovers import STAGED


@dataclass(frozen=True, slots=True)
class StagedFiles:
    """Files that lie beside the places they are for.

    Attributes:
        moves: Staged file and its place; the trained model first.
        queue: Of the backup: punches that waited; may be missing.
    """

    moves: tuple[tuple[Path, Path], ...]
    queue: Path

    def place(self, services: Services) -> None:
        """Put them into their places, and make the log equal to the database. Raises StorageError, DatabaseError."""
        for staged, target in self.moves:
            with storage_errors(target):
                staged.replace(target)
        if self.queue.is_file():
            saved = PunchQueue(self.queue)
            for one in (*saved.oldest(1_000_000), *saved.refused()):
                services.punch_queue.add(one.punch, database_id=one.database_id, refused=one.refused)
        # The database is the truth: days after the backup are taken out of the log, and kept beside it.
        services.reconcile_log(thorough=True)


@contextmanager
def staged_files(services: Services, folder: Path) -> Iterator[StagedFiles]:
    """Copy the files of an unpacked backup beside their places; what was not placed is gone after the ``with`` block.

    The trained model replaces the one that is there; settings and days of the log only fill gaps.

    Raises:
        StorageError: One of the directories cannot be written, or the disk is full.
    """
    settings = services.settings
    wanted = [(folder / "assets" / name, settings.assets_dir / name) for name in (FACTS_NAME, ARRAYS_NAME)]
    for _, target in wanted:
        remove_abandoned(target)
    zone = folder / ZONE_FILE
    if not zone.exists():
        # A backup of a version that knew one zone only.
        write_atomically(zone, f"{DEFAULT_ZONE}\n".encode())
    wanted.append((zone, settings.home / ZONE_FILE))
    filling = [(folder / FILE_NAME, settings.home / FILE_NAME)]
    filling += [(saved, settings.csv_dir / saved.name) for saved in sorted((folder / "Attendance").glob("*.csv"))]
    wanted += [(saved, target) for saved, target in filling if not target.exists()]
    for directory in (settings.home, settings.csv_dir, services.punch_queue.path.parent):
        make_private_directory(directory)
        check_writable(directory)
    moves: list[tuple[Path, Path]] = []
    try:
        for saved, target in wanted:
            if saved.is_file():
                staged = target.with_name(f".{target.name}{STAGED}")
                write_atomically(staged, read_bytes(saved))
                moves.append((staged, target))
        yield StagedFiles(tuple(moves), folder / "queue.sqlite")
    finally:
        for staged, _ in moves:
            staged.unlink(missing_ok=True)

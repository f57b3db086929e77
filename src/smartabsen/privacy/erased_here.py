"""What a home holds of people who were erased, perhaps on another machine: its log with its copies, queue and caches.

The trained model follows by :func:`smartabsen.privacy.erase.forget_erased`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..attendance.csv_log import CsvLog
from ..gallery.embedding_cache import delete_cached_faces
from ..kiosk.punch_queue import PunchQueue
from ..store.database import Database
from ..trust.forgotten import Forgotten
from . import audit_erasure_rows, erasure_rows, log_copies
from .erasure_rows import ALL, Tombstone, TombstoneFile


class ErasedHere:
    """Makes one home follow the erasures of its database.

    Args:
        home: Of the installation; the file of tombstones in it says which erasures have been followed.
        database, log, queue: Of the installation.
    """

    def __init__(self, home: Path, database: Database, log: CsvLog, queue: PunchQueue) -> None:
        self.tombstones = TombstoneFile(home / "secrets" / "erasures.jsonl")
        self._home = home
        self._database, self._log, self._queue = database, log, queue

    def follow(self, *, thorough: bool = False) -> int:
        """Forget here whom the database has forgotten; return how many of them were still in the log.

        Args:
            thorough: Look for all of them, whatever this home has followed before.

        Raises:
            StorageError: A file cannot be read or written.
            DatabaseError: The database does not answer.
        """
        with self._database.read() as session:
            stored = [tombstone for tombstone, _ in erasure_rows.stored_tombstones(session)]
        if not stored:
            return 0
        known = frozenset(self.tombstones.read())
        found = 0
        for tombstone in stored:
            if tombstone in known and not thorough:
                continue
            found += any(self.forget(tombstone))
            if tombstone not in known:
                # Only now: a program that was killed before begins again.
                self.tombstones.append(tombstone)
        return found

    def forget(self, tombstone: Tombstone, *, texts: Iterable[str] = ()) -> tuple[int, int]:
        """Forget one person here, who is erased in the database.

        Args:
            texts: Code and name, where they are known.

        Returns:
            Lines taken out of copies of the log, and files of it that were written anew.

        Raises:
            StorageError, DatabaseError: As :meth:`follow`.
        """
        # The person may be on any of the photos.
        delete_cached_faces(self._home)
        if tombstone.scope != ALL:
            return 0, 0
        with self._database.read() as session:
            target = erasure_rows.find_target(session, tombstone)
            punched = erasure_rows.punches_of(session, tombstone.employee_id) if target is not None else ()
            deleted = audit_erasure_rows.deleted_punches(session, tombstone.pseudonym)
            # The row id may be another person's by now, or in this database.
            own = target is not None or not erasure_rows.is_taken(session, tombstone.employee_id)
        # Punches of this machine's kiosks that the database has not seen yet.
        uuid = tombstone.person or (target.uuid if target is not None else "")
        self._queue.forget_person(uuid, row_id=tombstone.employee_id if own else None)
        person = Forgotten.of([*(punch_id for punch_id, _ in punched), *deleted], texts)
        return log_copies.forget_person(self._database, self._log, person, pseudonym=tombstone.pseudonym)

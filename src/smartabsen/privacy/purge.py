"""Deleting what has been kept long enough: faces of people who left, old kept faces, old attendance, old log copies,
the security log.

Rows go in batches of one transaction each, with an entry in the audit trail that says what was deleted. A program that
is killed between two of them leaves everything consistent, and the next call deletes the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ..app.bootstrap import Services
from ..gallery import crop_rows
from ..gallery.embedding_cache import KEPT, count_cached_faces, delete_cached_faces
from ..kernel.domain import Employee
from ..people import employee_rows
from ..store.database import Session
from ..store.files import storage_errors
from ..trust import audit_rows
from . import erasure_rows, log_copies
from .erase import erase
from .erasure_rows import FACE

BATCH: Final = 1000
"""Rows that one transaction deletes, about: attendance goes by whole days."""
_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Purge:
    """What was deleted, or would be.

    Attributes:
        faces_of: People who left, whose templates and kept faces go.
        crops: Kept faces that are too old.
        attendance_before: First work date that is kept; None where attendance is kept for ever.
        attendance: Number of rows by table.
        log_files: Log files of dates before that.
        log_copies: Replaced copies of log files that are too old.
        refused: Punches of dates before that which the database refused, and which wait on this machine for somebody.
        security_logs: Files of the security log whose last event is too old.
        evaluated: Faces of photos that were evaluated more than a day ago.
        dry_run: Nothing was deleted.
        finished: False where the limit was reached before everything was deleted; the next call goes on.
    """

    faces_of: tuple[Employee, ...]
    crops: int
    attendance_before: date | None
    attendance: dict[str, int]
    log_files: int
    log_copies: int
    refused: int
    security_logs: int
    evaluated: int
    dry_run: bool
    finished: bool = True

    @property
    def empty(self) -> bool:
        """Whether there is nothing to delete."""
        files = self.log_files or self.log_copies or self.security_logs or self.evaluated
        return not (self.faces_of or self.crops or any(self.attendance.values()) or files or self.refused)


def purge(services: Services, *, dry_run: bool, limit: int | None = None) -> Purge:
    """Delete what the retention periods of the settings say; several calls do the same as one.

    Args:
        services: Of the installation.
        dry_run: Count only.
        limit: Begin no further batch after so many rows of the database; None deletes everything.

    Returns:
        What was deleted; of a dry run, what would be.

    Raises:
        StorageError: A file cannot be deleted.
        DatabaseError: The database does not answer. What was deleted stays deleted.
    """
    privacy, now = services.settings.privacy, services.instant()
    first_kept = _first_kept(services, privacy.attendance_months, now)
    left_before = now - timedelta(days=privacy.face_days_after_leaving)
    crops_before = now - timedelta(days=privacy.crop_days) if privacy.crop_days else None
    with services.database.read() as session:
        faces_of = employee_rows.left_with_face(session, left_before) if privacy.face_days_after_leaving else ()
        old_crops = crop_rows.count_before(session, crops_before) if crops_before else 0
        attendance = erasure_rows.count_attendance_before(session, first_kept) if first_kept else {}
    copies_before = now - timedelta(days=privacy.log_copy_days)
    copies = log_copies.delete_before(services.csv_log, copies_before, dry_run=dry_run) if privacy.log_copy_days else 0
    files = [day for day in services.csv_log.dates() if first_kept is not None and day < first_kept]
    refused = services.punch_queue.count_refused_before(first_kept) if first_kept else 0
    logs = 0
    if privacy.security_log_days:
        logs_before = now - timedelta(days=privacy.security_log_days)
        logs = services.security.delete_before(logs_before, dry_run=dry_run)
    evaluated = count_cached_faces(services.settings.home, before=now - KEPT)
    found = Purge(faces_of, old_crops, first_kept, attendance, len(files), copies, refused, logs, evaluated, dry_run)
    if dry_run or found.empty:
        return found
    delete_cached_faces(services.settings.home, before=now - KEPT)
    batches = _Batches(services, BATCH, limit)
    if copies or logs:
        batches.note_files(log_copies=copies, security_logs=logs)
    batches.erase_faces(faces_of)
    if crops_before:
        batches.delete_crops(crops_before)
    if first_kept:
        batches.delete_attendance(first_kept, files)
    if first_kept and refused and batches.finished:
        services.punch_queue.forget_refused_before(first_kept)
    services.database.scrub()
    return replace(
        found,
        faces_of=tuple(batches.erased),
        crops=batches.crops,
        attendance=batches.attendance,
        log_files=batches.log_files,
        refused=refused if batches.finished else 0,
        finished=batches.finished,
    )


class _Batches:
    """One transaction after another, until everything is deleted or the limit is reached.

    Attributes:
        finished: False from the moment on at which the limit kept something from being deleted.
        erased, crops, attendance, log_files: What was deleted so far.
    """

    def __init__(self, services: Services, size: int, limit: int | None) -> None:
        self._services = services
        self._size, self._left = size, limit
        self.finished = True
        self.erased: list[Employee] = []
        self.crops = self.log_files = 0
        self.attendance: Counter[str] = Counter()

    def note_files(self, *, log_copies: int, security_logs: int) -> None:
        """Tell the audit trail of files that were deleted."""
        details = {"log_copies": str(log_copies), "security_logs": str(security_logs)}
        self._services.database.run_write(lambda session: self._record(session, details))

    def erase_faces(self, people: Sequence[Employee]) -> None:
        """Erase the faces of people, one after another."""
        for person in people:
            if self._is_over():
                return
            done = erase(self._services, person.code, scope=FACE, reason="privacy.face_days_after_leaving")
            self.erased.append(person)
            self._spend(sum(done.rows.values()))

    def delete_crops(self, before: datetime) -> None:
        """Delete kept faces that are older than an instant."""

        def delete(session: Session) -> int:
            count = crop_rows.delete_before(session, before, most=self._size)
            if count:
                self._record(session, {"crops": str(count)})
            return count

        while not self._is_over(lambda session: crop_rows.count_before(session, before) > 0):
            count = self._services.database.run_write(delete)
            if not count:
                return
            self.crops += count
            self._spend(count)

    def delete_attendance(self, first_kept: date, files: Sequence[date]) -> None:
        """Delete attendance of the dates before ``first_kept``, the oldest first, each with its file of the log."""

        def delete(session: Session) -> tuple[date, dict[str, int]]:
            before = erasure_rows.find_batch_end(session, first_kept, most=self._size)
            gone = erasure_rows.delete_attendance_before(session, before)
            self._record(session, {"attendance_before": str(before), "rows": str(sum(gone.values()))})
            return before, gone

        left = sorted(files)
        while not self._is_over(lambda session: bool(left or any(_counts(session, first_kept)))):
            before, gone = self._services.database.run_write(delete)
            self.attendance.update(gone)
            self._spend(sum(gone.values()))
            # After the database: a file without its rows would be kept as a copy by the next check of the log.
            while left and left[0] < before:
                self._delete_file(left.pop(0))
            if before >= first_kept:
                return

    def _delete_file(self, day: date) -> None:
        log = self._services.csv_log
        with log.locked(), storage_errors(log.path(day)):
            log.path(day).unlink(missing_ok=True)
        self.log_files += 1

    def _is_over(self, is_left: Callable[[Session], bool] = lambda _: True) -> bool:
        """Whether the limit is reached; then the purge is not finished, unless nothing is left."""
        if self._left is None or self._left > 0:
            return False
        with self._services.database.read() as session:
            self.finished = self.finished and not is_left(session)
        return True

    def _spend(self, rows: int) -> None:
        if self._left is not None:
            self._left -= rows

    def _record(self, session: Session, details: dict[str, str]) -> None:
        audit_rows.append(session, actor=self._services.actor, action="privacy.purge", details=details)


def _counts(session: Session, first_kept: date) -> Iterable[int]:
    return erasure_rows.count_attendance_before(session, first_kept).values()


def _first_kept(services: Services, months: int, now: datetime) -> date | None:
    if not months:
        return None
    today = now.astimezone(ZoneInfo(services.settings.site.zone)).date()
    month = today.year * _MONTHS + today.month - 1 - months
    # Whole months: reports are made of them.
    return date(month // _MONTHS, month % _MONTHS + 1, 1)

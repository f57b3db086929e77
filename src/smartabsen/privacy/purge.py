"""Deleting what has been kept long enough: faces of people who left, old kept faces, old attendance, old log copies,
the security log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ..app.bootstrap import Services
from ..gallery import crop_rows as crops
from ..gallery.embedding_cache import KEPT, count_cached_faces, delete_cached_faces
from ..kernel.domain import Employee
from ..people import employee_rows
from ..store.database import Session
from ..store.files import storage_errors
from ..trust import audit_rows
from . import erasure_rows, log_copies
from .erase import erase
from .erasure_rows import FACE

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

    @property
    def empty(self) -> bool:
        """Whether there is nothing to delete."""
        files = self.log_files or self.log_copies or self.security_logs or self.evaluated
        return not (self.faces_of or self.crops or any(self.attendance.values()) or files or self.refused)


def purge(services: Services, *, dry_run: bool) -> Purge:
    """Delete what the retention periods of the settings say; several calls do the same as one.

    Raises:
        StorageError: A file cannot be deleted.
        DatabaseError: The database does not answer.
    """
    privacy, now = services.settings.privacy, services.instant()
    first_kept = _first_kept(services, privacy.attendance_months, now)
    left_before = now - timedelta(days=privacy.face_days_after_leaving)
    crops_before = now - timedelta(days=privacy.crop_days)
    with services.database.read() as session:
        faces_of = employee_rows.left_with_face(session, left_before) if privacy.face_days_after_leaving else ()
        old_crops = crops.count_before(session, crops_before) if privacy.crop_days else 0
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
    for person in faces_of:
        erase(services, person.code, scope=FACE, reason="privacy.face_days_after_leaving")
    delete_cached_faces(services.settings.home, before=now - KEPT)

    def delete(session: Session) -> None:
        if privacy.crop_days:
            crops.delete_before(session, crops_before)
        if first_kept:
            erasure_rows.delete_attendance_before(session, first_kept)
        details = {
            "crops": str(old_crops),
            "attendance_before": str(first_kept or ""),
            "log_copies": str(copies),
            "security_logs": str(logs),
        }
        audit_rows.append(session, actor=services.actor, action="privacy.purge", details=details)

    services.database.run_write(delete)
    services.database.scrub()
    if first_kept and refused:
        services.punch_queue.forget_refused_before(first_kept)
    # After the database: a file without its rows would be kept as a copy by the next check of the log.
    for day in files:
        path = services.csv_log.path(day)
        with services.csv_log.locked(), storage_errors(path):
            path.unlink(missing_ok=True)
    return found


def _first_kept(services: Services, months: int, now: datetime) -> date | None:
    if not months:
        return None
    today = now.astimezone(ZoneInfo(services.settings.site.zone)).date()
    month = today.year * _MONTHS + today.month - 1 - months
    # Whole months: reports are made of them.
    return date(month // _MONTHS, month % _MONTHS + 1, 1)

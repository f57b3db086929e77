"""Correcting times: the punch that was recorded stays for ever, a correction is a punch of its own with a reason."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import AttendanceDay, Employee, Punch, PunchMethod
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import N_
from ..people import employee_rows
from ..store.database import Session
from ..trust import audit_rows
from . import correction_rows, day_rows, punch_rows
from .correction_rows import Corrected
from .punch_rows import LoggedPunch
from .rules import standing

BEFORE_ADDED: Final = timedelta(days=366)
"""So long before an employee was added a forgotten punch can lie: people are added after they began."""
_MOST_CORRECTIONS: Final = 1_000
"""Of one employee, that are looked through for who made them."""


@dataclass(frozen=True, slots=True)
class PunchEntry:
    """A punch of a day as people look at it.

    Attributes:
        at: Local to the site.
        counts: Whether the day is derived from it.
        superseded_by: Id of the entry that replaced it or took it out, or None.
        by: Who made a correction, as the audit trail has it; empty for other punches.
    """

    punch: Punch
    at: datetime
    counts: bool
    superseded_by: int | None
    by: str = ""


@dataclass(frozen=True, slots=True)
class DayRecord:
    """A day with everything that was recorded for it, ordered by time, then number; ``day`` is None without any."""

    employee: Employee
    work_date: date
    day: AttendanceDay | None
    entries: tuple[PunchEntry, ...]


class Corrections:
    """Corrections of one installation: each one is written to the log and the audit trail.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def get_day(self, code: str, work_date: date) -> DayRecord:
        """Return a day of an employee with its punches, those that no longer count included.

        Raises:
            NotFoundError: There is no employee with that code.
        """
        with self._services.database.read() as session:
            employee = employee_rows.get(session, code)
            found = punch_rows.of_day(session, employee.id, work_date)
            day = day_rows.find(session, employee.id, work_date)
            authors = _authors(session, employee.code) if any(map(_is_correction, found)) else {}
        counting = {punch.id for punch in standing(found)}
        after = {punch.supersedes: punch.id for punch in found if punch.supersedes is not None}
        zone = self._services.site_zone
        entries = tuple(
            PunchEntry(
                punch,
                punch.at.astimezone(zone),
                punch.id in counting,
                after.get(punch.id),
                authors.get(str(punch.id), "") if _is_correction(punch) else "",
            )
            for punch in found
        )
        return DayRecord(employee, work_date, day, entries)

    def correct(self, punch_id: int, clock: time, *, reason: str, key: str | None = None) -> Corrected:
        """Put another time of the same work date in place of a punch's.

        Args:
            punch_id: The entry that counts now: a punch, or its last correction.
            clock: Local time at the site; before ``attendance.day_starts_at`` it is the morning after.
            reason: Why; it cannot be empty.
            key: Idempotency key: a repetition with the same key stores nothing new.

        Raises:
            NotFoundError: There is no such punch.
            ConflictError: It was corrected meanwhile, or another punch stands at that time.
            InvalidInputError: No reason is given, or the time lies in the future.
            StorageError: It is in the database but not in the log; try again with the same key.
        """
        original = self._get(punch_id)
        at = self._past(original.work_date, clock)
        return self._store(
            original.employee_id, original.work_date, PunchMethod.CORRECTION, at, reason, key, supersedes=original.id
        )

    def void(self, punch_id: int, *, reason: str, key: str | None = None) -> Corrected:
        """Take a punch out of its day; see :meth:`correct`. Correcting the void brings a time back."""
        original = self._get(punch_id)
        return self._store(
            original.employee_id,
            original.work_date,
            PunchMethod.VOID,
            original.at,
            reason,
            key,
            supersedes=original.id,
        )

    def add(self, code: str, work_date: date, clock: time, *, reason: str, key: str | None = None) -> Corrected:
        """Add a punch that was forgotten; see :meth:`correct`.

        Raises:
            NotFoundError: There is no employee with that code.
            InvalidInputError: As :meth:`correct`; or the date is more than :data:`BEFORE_ADDED` before the employee was
                added.
        """
        with self._services.database.read() as session:
            employee = employee_rows.get(session, code)
        earliest = employee.created_at.astimezone(self._services.site_zone).date() - BEFORE_ADDED
        if work_date < earliest:
            raise InvalidInputError(
                N_("{date} lies too long before {name} was added: the earliest day is {earliest}."),
                date=work_date,
                name=employee.name,
                earliest=earliest,
            )
        at = self._past(work_date, clock)
        return self._store(employee.id, work_date, PunchMethod.CORRECTION, at, reason, key)

    def _get(self, punch_id: int) -> Punch:
        with self._services.database.read() as session:
            return punch_rows.get(session, punch_id)

    def _past(self, work_date: date, clock: time) -> datetime:
        at = self._services.rules.instant(work_date, clock)
        if at > self._services.look_at_clock().now().at:
            raise InvalidInputError(N_("That time lies in the future: only the past can be corrected."))
        return at

    def _store(
        self,
        employee_id: int,
        work_date: date,
        method: PunchMethod,
        at: datetime,
        reason: str,
        key: str | None,
        *,
        supersedes: int | None = None,
    ) -> Corrected:
        services = self._services
        reading = services.look_at_clock().now()
        entry = Punch(
            id=0,
            employee_id=employee_id,
            at=at,
            work_date=work_date,
            method=method,
            kiosk=services.kiosk_name,
            key=key or f"correction-{uuid.uuid4().hex}",
            note=reason,
            supersedes=supersedes,
            clock_trusted=reading.trusted,
            clock_offset_s=reading.offset_s,
        )

        def work(session: Session) -> Corrected:
            done = correction_rows.store(session, entry, services.rules)
            if done.new:
                audit_rows.append(
                    session,
                    actor=services.actor,
                    action=f"punch.{method.value}",
                    subject=done.employee.code,
                    details=self._told(done),
                )
            return done

        done = services.database.run_write(work)
        services.clock.note()
        if done.new and not reading.trusted:
            services.clock.note_marked(entry.key)
        services.csv_log.append(LoggedPunch(done.entry, done.employee.code, done.employee.name))
        return done

    def _told(self, done: Corrected) -> dict[str, str]:
        zone = self._services.site_zone
        told = {
            "date": done.entry.work_date.isoformat(),
            "reason": done.entry.note,
            "entry": str(done.entry.id),
            "day_before": _in_words(done.before),
            "day_after": _in_words(done.after),
        }
        if done.original is not None:
            told |= {"punch": str(done.original.id), "before": f"{done.original.at.astimezone(zone):%H:%M:%S}"}
        if done.entry.method is not PunchMethod.VOID:
            told["after"] = f"{done.entry.at.astimezone(zone):%H:%M:%S}"
        return told


def _is_correction(punch: Punch) -> bool:
    return punch.method in (PunchMethod.CORRECTION, PunchMethod.VOID)


def _authors(session: Session, code: str) -> dict[str, str]:
    """Return who made an employee's corrections, by the number of the entry."""
    return {
        entry.details["entry"]: entry.actor
        for method in (PunchMethod.CORRECTION, PunchMethod.VOID)
        for entry in audit_rows.find(session, action=f"punch.{method.value}", subject=code, limit=_MOST_CORRECTIONS)
    }


def _in_words(day: AttendanceDay | None) -> str:
    if day is None:
        return "-"
    late = f" +{day.late_minutes} min" if day.late_minutes else ""
    return f"{day.status.value}{late}, {day.worked_minutes // 60}:{day.worked_minutes % 60:02d} h"

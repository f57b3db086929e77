"""A punch: stored in the database, then in the log, then announced."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from ..domain import Punch, PunchMethod, PunchResult
from ..errors import DatabaseError, DeniedError, StorageError
from ..i18n import N_
from ..store import audit, employees, pins, punches
from ..store.database import Session
from ..store.punches import LoggedPunch
from ..store.recording import Recorded, record
from .bootstrap import Services


def punch_by_hand(services: Services, code: str, *, note: str, key: str | None) -> PunchResult:
    """Record a punch for somebody, as done by hand, with an entry in the audit trail.

    Args:
        key: Idempotency key; the same key stores one punch however often it is tried.

    Raises:
        NotFoundError: There is no employee with that code.
        ConflictError: The employee is inactive, or the key belongs to another one's punch.
        DatabaseError: It is not known to be stored; try again with the same key.
    """
    with services.database.read() as session:
        employee_id = employees.get(session, code).id
    try:
        services.reconcile_log()
    except StorageError:
        # A log that cannot be written now keeps nobody from punching.
        services.log_behind = True
    key = key or f"manual-{uuid.uuid4().hex}"
    return store_attempt(services, _attempt(services, employee_id, method=PunchMethod.MANUAL, key=key, note=note))


def punch_by_pin(services: Services, employee_id: int, *, key: str, pin_hash: str, phone_id: int) -> PunchResult:
    """Record the punch of somebody who typed the right PIN at a paired phone; wrong tries before it are forgiven.

    Args:
        pin_hash: What the PIN was compared with.
        phone_id: Number of the phone, for the audit trail.

    Raises:
        DeniedError: The PIN was changed at this very moment.
        ConflictError, DatabaseError: As :func:`punch_by_hand`.
    """

    def forgive(session: Session) -> None:
        if not pins.forgive(session, employee_id, pin_hash=pin_hash):
            raise DeniedError(N_("The PIN is wrong."), hint=N_("Try again, or ask for a new one."))

    attempt = _attempt(services, employee_id, method=PunchMethod.PIN, key=key)
    return store_attempt(services, attempt, details={"phone": str(phone_id)}, first=forgive)


def punch_by_face(
    services: Services, employee_id: int, *, similarity: float, key: str, at: datetime, liveness: float | None = None
) -> PunchResult:
    """Record the punch of a person whom a browser's camera showed at ``at`` (aware); raises as :func:`punch_by_hand`.

    A retry keeps the instant of the recognition: nobody becomes late because the database was away.

    Args:
        liveness: Score of the liveness check, None where none was made.
    """
    _, trusted = services.clock.now()
    attempt = attempt_by_face(
        services, employee_id, similarity=similarity, at=at, clock_trusted=trusted, liveness=liveness
    )
    return store_attempt(services, replace(attempt, key=key))


def attempt_by_face(
    services: Services,
    employee_id: int,
    *,
    similarity: float,
    at: datetime,
    clock_trusted: bool,
    liveness: float | None = None,
    note: str = "",
) -> Punch:
    """Return the attempt of a person whom a kiosk recognised at ``at`` (aware), with a key of its own.

    Args:
        liveness: Score of the liveness check, None where none was made.
        note: What goes with the punch, as that it comes from a film.
    """
    return Punch(
        id=0,
        employee_id=employee_id,
        at=at,
        work_date=services.rules.work_date(at),
        method=PunchMethod.FACE,
        kiosk=services.kiosk_name,
        key=f"kiosk-{uuid.uuid4().hex}",
        similarity=similarity,
        model_digest=services.engine.identity.digest,
        clock_trusted=clock_trusted,
        liveness=liveness,
        note=note,
    )


def store_attempt(
    services: Services,
    attempt: Punch,
    *,
    details: Mapping[str, str] | None = None,
    first: Callable[[Session], None] | None = None,
) -> PunchResult:
    """Store an attempt in the database and in the log; raises as :func:`punch_by_hand`.

    A log that cannot be written is remarked, and completed at the next punch: the punch counts without it. A retry
    keeps the instant of the attempt: nobody becomes late because the database was away.

    Args:
        details, first: As for :func:`record_attempt`.
    """
    result = record_attempt(services, attempt, details=details, first=first)
    try:
        if services.log_behind:
            services.reconcile_log()
            services.log_behind = False
        # Also for a punch that an earlier attempt stored: that attempt may have ended before its line was written.
        log_punch(services, result)
    except (StorageError, DatabaseError) as exc:
        services.log_behind = True
        services.remark(
            N_("The punch is recorded; its line is added to the attendance log as soon as that can be written.")
        )
        services.remark(exc.message_id, **exc.params)
    return result


def record_attempt(
    services: Services,
    attempt: Punch,
    *,
    details: Mapping[str, str] | None = None,
    first: Callable[[Session], None] | None = None,
) -> PunchResult:
    """Store an attempt in the database alone.

    Args:
        details: For the audit trail; the instant and the note where none are given.
        first: Done before it in the same transaction.
    """

    def work(session: Session) -> Recorded:
        if first is not None:
            first(session)
        recorded = record(session, attempt, services.rules)
        # Punches by face say all about themselves; the others are somebody's act.
        if recorded.new and attempt.method is not PunchMethod.FACE:
            code = recorded.employee.code
            audit.append(
                session,
                actor=services.actor if attempt.method is PunchMethod.MANUAL else code,
                action=f"punch.{attempt.method}",
                subject=code,
                details={
                    "date": recorded.punch.work_date.isoformat(),
                    "entry": str(recorded.punch.id),
                    **({"at": attempt.at.isoformat(), "note": attempt.note} if details is None else details),
                },
            )
        return recorded

    recorded = services.database.run_write(work)
    return PunchResult(recorded.outcome, recorded.employee, recorded.punch, recorded.day)


def log_punch(services: Services, result: PunchResult) -> None:
    """Append the line of a stored punch to the log.

    Raises:
        DatabaseError: A torn line had to be mended, and the database does not answer.
        StorageError: The log cannot be written; the next reconciliation adds the line.
    """
    punch = result.punch

    def read() -> tuple[LoggedPunch, ...]:
        with services.database.read() as session:
            return punches.logged_on(session, punch.work_date)

    services.csv_log.append(LoggedPunch(punch, result.employee.code, result.employee.name), read)


def _attempt(services: Services, employee_id: int, *, method: PunchMethod, key: str, note: str = "") -> Punch:
    at, trusted = services.clock.now()
    return Punch(
        id=0,
        employee_id=employee_id,
        at=at,
        work_date=services.rules.work_date(at),
        method=method,
        kiosk=services.kiosk_name,
        key=key,
        note=note,
        clock_trusted=trusted,
    )

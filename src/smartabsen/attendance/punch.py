"""A punch: stored in the database, then in the log, then announced."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from ..app.bootstrap import Services
from ..kernel.domain import ClockReading, Employee, Punch, PunchMethod, PunchResult
from ..kernel.errors import ConflictError, DatabaseError, DeniedError, StorageError
from ..kernel.i18n import N_
from ..people import employee_rows
from ..qr import pin_rows
from ..qr.pin_rows import PinClaim
from ..store import meta
from ..store.database import Session
from ..trust import audit_rows
from . import punch_rows
from .punch_rows import LoggedPunch
from .recording_rows import Recorded, record

CLOCK_DOUBTED: Final = N_(
    "The clock of this machine is not to be trusted, and the punch is marked. See “smartabsen clock check”."
)


def punch_by_hand(services: Services, code: str, *, note: str, key: str | None) -> PunchResult:
    """Record a punch for somebody, as done by hand, with an entry in the audit trail.

    Args:
        key: Idempotency key; the same key stores one punch however often it is tried.

    Raises:
        NotFoundError: There is no employee with that code.
        ConflictError: The employee is inactive.
        KeyReusedError: The key has stored another punch: of somebody else, or with another note.
        DatabaseError: It is not known to be stored; try again with the same key.
    """
    with services.database.read() as session:
        employee = employee_rows.get(session, code)
    try:
        services.reconcile_log()
    except StorageError:
        # A log that cannot be written now keeps nobody from punching.
        services.log_behind = True
    key = key or f"manual-{uuid.uuid4().hex}"
    return store_attempt(services, _attempt(services, employee, method=PunchMethod.MANUAL, key=key, note=note))


def punch_by_pin(services: Services, employee: Employee, *, key: str, claim: PinClaim, phone_id: int) -> PunchResult:
    """Record the punch of somebody who typed the right PIN at a paired phone; wrong tries before it are forgiven.

    Args:
        claim: What the PIN was compared with, and the wrong tries before, for the audit trail.
        phone_id: Number of the phone, for the audit trail.

    Raises:
        DeniedError: The PIN was changed at this very moment.
        ConflictError, DatabaseError: As :func:`punch_by_hand`.
    """

    def forgive(session: Session) -> None:
        if not pin_rows.forgive(session, employee.id, pin_hash=claim.pin_hash):
            raise DeniedError(N_("The PIN is wrong."), hint=N_("Try again, or ask for a new one."))

    attempt = _attempt(services, employee, method=PunchMethod.PIN, key=key)
    details = {"phone": str(phone_id), **({"failed": str(claim.tries - 1)} if claim.tries > 1 else {})}
    return store_attempt(services, attempt, details=details, first=forgive)


def punch_by_face(
    services: Services,
    employee_id: int,
    *,
    similarity: float,
    key: str,
    reading: ClockReading,
    model_digest: str,
    liveness: float | None = None,
    person: str = "",
) -> PunchResult:
    """Record the punch of a person whom a browser's camera showed at that time; raises as :func:`punch_by_hand`.

    A retry keeps the instant of the recognition: nobody becomes late because the database was away.

    Args:
        model_digest: Of the engine that recognised: another one may be in use by now.
        liveness: Score of the liveness check, None where none was made.
        person: UUID, as the trained model knows it: it decides.
    """
    attempt = attempt_by_face(
        services, employee_id, similarity=similarity, reading=reading, liveness=liveness, person=person
    )
    return store_attempt(services, replace(attempt, key=key, model_digest=model_digest))


def attempt_by_face(
    services: Services,
    employee_id: int,
    *,
    similarity: float,
    reading: ClockReading,
    liveness: float | None = None,
    person: str = "",
    code: str = "",
    note: str = "",
) -> Punch:
    """Return the attempt of a person whom a kiosk recognised, with a key of its own.

    Args:
        reading: The clock at that time.
        liveness: Score of the liveness check, None where none was made.
        person: UUID, as the trained model knows it: it decides.
        code: Of the employee, for people; empty where it is not known.
        note: What goes with the punch, as that it comes from a film.
    """
    attempt = _at(services, reading, employee_id, method=PunchMethod.FACE, key=f"kiosk-{uuid.uuid4().hex}")
    return replace(
        attempt,
        similarity=similarity,
        model_digest=services.engine.identity.digest,
        liveness=liveness,
        person=person,
        code=code,
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
    exact: bool = False,
) -> PunchResult:
    """Store an attempt in the database alone.

    One that waited while nobody told the time gets the time that the server tells now.

    Args:
        details: For the audit trail; the instant and the note where none are given.
        first: Done before it in the same transaction.
        exact: See :func:`.recording.record`.
    """

    def work(session: Session) -> Recorded:
        if first is not None:
            first(session)
        if attempt.method is PunchMethod.FACE and not attempt.person:
            _check_row_id(session, attempt)
        recorded = record(session, attempt, services.rules, exact=exact)
        # Punches by face say all about themselves; the others are somebody's act.
        if recorded.new and attempt.method is not PunchMethod.FACE:
            code = recorded.employee.code
            audit_rows.append(
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

    clock = services.clock if attempt.clock_offset_s is not None else services.look_at_clock()
    settled = clock.settle(attempt)
    if settled is not attempt:
        attempt = replace(settled, work_date=services.rules.work_date(settled.at))
    recorded = services.database.run_write(work)
    clock.note()
    if recorded.new and not recorded.punch.clock_trusted:
        clock.note_marked(recorded.punch.key)
    return PunchResult(recorded.outcome, recorded.employee, recorded.punch, recorded.day)


def _check_row_id(session: Session, attempt: Punch) -> None:
    """Refuse an attempt by a model of an earlier version whose row id may be another person's by now.

    Raises:
        NotFoundError: There is no such employee.
        ConflictError: A backup was restored at some time, or the row is younger than the attempt.
    """
    employee = employee_rows.get_by_id(session, attempt.employee_id)
    if not meta.row_ids_are_certain(session) or employee.created_at > attempt.at:
        raise ConflictError(
            N_("It is not certain whose punch this is: its number may be another person's since a backup was restored.")
        )


def log_punch(services: Services, result: PunchResult) -> None:
    """Append the line of a stored punch to the log.

    Raises:
        DatabaseError: A torn line had to be mended, and the database does not answer.
        StorageError: The log cannot be written; the next reconciliation adds the line.
    """
    punch = result.punch

    def read() -> tuple[LoggedPunch, ...]:
        with services.database.read() as session:
            return punch_rows.logged_on(session, punch.work_date)

    services.csv_log.append(LoggedPunch(punch, result.employee.code, result.employee.name), read)


def _attempt(services: Services, employee: Employee, *, method: PunchMethod, key: str, note: str = "") -> Punch:
    reading = services.look_at_clock().now()
    if not reading.trusted:
        services.remark(CLOCK_DOUBTED)
    return replace(_at(services, reading, employee.id, method=method, key=key), note=note, person=employee.uuid)


def _at(services: Services, reading: ClockReading, employee_id: int, *, method: PunchMethod, key: str) -> Punch:
    return Punch(
        id=0,
        employee_id=employee_id,
        at=reading.at,
        work_date=services.rules.work_date(reading.at),
        method=method,
        kiosk=services.kiosk_name,
        key=key,
        clock_trusted=reading.trusted,
        clock_offset_s=reading.offset_s,
        taken_at=reading.taken_at,
    )

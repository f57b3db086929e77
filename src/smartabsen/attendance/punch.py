"""A punch: stored in the database and announced; the log follows."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from ..app.bootstrap import Services
from ..kernel.domain import ClockReading, Employee, Punch, PunchMethod, PunchResult
from ..kernel.errors import ConflictError, DeniedError
from ..kernel.i18n import N_
from ..people import employee_rows
from ..qr import pin_rows
from ..qr.pin_rows import PinClaim
from ..store import meta
from ..store.database import Session
from ..trust.work import Part, Work, nothing
from .recording_rows import record

Last: TypeAlias = Callable[[Session, PunchResult], None]
"""What is done after a punch within its transaction."""
CLOCK_DOUBTED: Final = N_(
    "The clock of this machine is not to be trusted, and the punch is marked. See “smartabsen clock check”."
)


def _keep_nothing(_session: Session, _result: PunchResult) -> None:
    """Keep nothing in the transaction of a punch."""


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
    # A program of its own, started for this punch: the file of the day may have been left behind.
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
    last: Last = _keep_nothing,
) -> PunchResult:
    """Record the punch of a person whom a browser's camera showed at that time; raises as :func:`punch_by_hand`.

    A retry keeps the instant of the recognition: nobody becomes late because the database was away.

    Args:
        model_digest: Of the engine that recognised: another one may be in use by now.
        liveness: Score of the liveness check, None where none was made.
        person: UUID, as the trained model knows it: it decides.
        last: As for :func:`record_attempt`.
    """
    attempt = attempt_by_face(
        services, employee_id, similarity=similarity, reading=reading, liveness=liveness, person=person
    )
    return store_attempt(services, replace(attempt, key=key, model_digest=model_digest), last=last)


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
    first: Part = nothing,
    last: Last = _keep_nothing,
) -> PunchResult:
    """Store an attempt in the database, and complete the log behind it; raises as :func:`punch_by_hand`.

    A retry keeps the instant of the attempt: nobody becomes late because the database was away.

    Args:
        details, first, last: As for :func:`record_attempt`.
    """
    result = record_attempt(services, attempt, details=details, first=first, last=last)
    # Also for a punch that an earlier attempt stored: that attempt may have ended before its line was written.
    services.follow_log(result.punch, result.employee)
    return result


def record_attempt(
    services: Services,
    attempt: Punch,
    *,
    details: Mapping[str, str] | None = None,
    first: Part = nothing,
    last: Last = _keep_nothing,
    exact: bool = False,
) -> PunchResult:
    """Store an attempt in the database alone.

    One that waited while nobody told the time gets the time that the server tells now.

    Args:
        details: For the audit trail; the instant and the note where none are given.
        first: Done before it in the same transaction.
        last: Done after it in the same transaction, with what became of it.
        exact: See :func:`.recording.record`.
    """

    def store(work: Work) -> PunchResult:
        first(work.session)
        if attempt.method is PunchMethod.FACE and not attempt.person:
            _check_row_id(work.session, attempt)
        recorded = record(work.session, attempt, services.rules, exact=exact)
        # Punches by face say all about themselves; the others are somebody's act.
        if recorded.new and attempt.method is not PunchMethod.FACE:
            code = recorded.employee.code
            work.record(
                f"punch.{attempt.method}",
                actor=None if attempt.method is PunchMethod.MANUAL else code,
                subject=code,
                details={
                    "date": recorded.punch.work_date.isoformat(),
                    "entry": str(recorded.punch.id),
                    **({"at": attempt.at.isoformat(), "note": attempt.note} if details is None else details),
                },
            )
        last(work.session, recorded)
        return recorded

    clock = services.clock if attempt.clock_offset_s is not None else services.look_at_clock()
    settled = clock.settle(attempt)
    if settled is not attempt:
        attempt = replace(settled, work_date=services.rules.work_date(settled.at))
    result = services.units.write(store)
    clock.note()
    if result.new and not result.punch.clock_trusted:
        clock.note_marked(result.punch.key)
    return result


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

"""A punch: stored in the database, then in the log, then announced."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from ..domain import Punch, PunchMethod, PunchResult
from ..errors import DeniedError
from ..i18n import N_
from ..store import audit, employees, pins
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
        StorageError: It is in the database but not in the log; try again with the same key.
    """
    with services.database.read() as session:
        employee_id = employees.get(session, code).id
    key = key or f"manual-{uuid.uuid4().hex}"
    return _store(services, employee_id, method=PunchMethod.MANUAL, key=key, at=datetime.now(UTC), note=note)


def punch_by_face(services: Services, employee_id: int, *, similarity: float, key: str, at: datetime) -> PunchResult:
    """Record the punch of a person whom a kiosk recognised at ``at`` (aware); raises as :func:`punch_by_hand`.

    A retry keeps the instant of the recognition: nobody becomes late because the database was away.
    """
    return _store(services, employee_id, method=PunchMethod.FACE, key=key, at=at, similarity=similarity)


def punch_by_pin(services: Services, employee_id: int, *, key: str, pin_hash: str, phone_id: int) -> PunchResult:
    """Record the punch of somebody who typed the right PIN at a paired phone; wrong tries before it are forgiven.

    Args:
        pin_hash: What the PIN was compared with.
        phone_id: Number of the phone, for the audit trail.

    Raises:
        DeniedError: The PIN was changed at this very moment.
        ConflictError, DatabaseError, StorageError: As :func:`punch_by_hand`.
    """

    def forgive(session: Session) -> None:
        if not pins.forgive(session, employee_id, pin_hash=pin_hash):
            raise DeniedError(N_("The PIN is wrong."), hint=N_("Try again, or ask for a new one."))

    return _store(
        services,
        employee_id,
        method=PunchMethod.PIN,
        key=key,
        at=datetime.now(UTC),
        details={"phone": str(phone_id)},
        first=forgive,
    )


def _store(
    services: Services,
    employee_id: int,
    *,
    method: PunchMethod,
    key: str,
    at: datetime,
    similarity: float | None = None,
    note: str = "",
    details: Mapping[str, str] | None = None,
    first: Callable[[Session], None] | None = None,
) -> PunchResult:
    attempt = Punch(
        id=0,
        employee_id=employee_id,
        at=at,
        work_date=services.rules.work_date(at),
        method=method,
        kiosk=services.kiosk_name,
        key=key,
        similarity=similarity,
        model_digest="" if similarity is None else services.engine.identity.digest,
        note=note,
    )

    def work(session: Session) -> Recorded:
        if first is not None:
            first(session)
        recorded = record(session, attempt, services.rules)
        # Punches by face say all about themselves; the others are somebody's act.
        if recorded.new and method is not PunchMethod.FACE:
            code = recorded.employee.code
            audit.append(
                session,
                actor=services.actor if method is PunchMethod.MANUAL else code,
                action=f"punch.{method}",
                subject=code,
                details={"at": at.isoformat(), "note": note} if details is None else details,
            )
        return recorded

    recorded = services.database.run_write(work)
    # Also for a punch that an earlier attempt stored: that attempt may have ended before its line was written.
    services.csv_log.append(LoggedPunch(recorded.punch, recorded.employee.code, recorded.employee.name))
    return PunchResult(recorded.outcome, recorded.employee, recorded.punch, recorded.day)

"""A punch: stored in the database, then in the log, then announced."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from ..domain import Punch, PunchMethod, PunchResult
from ..store import audit, employees
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


def _store(
    services: Services,
    employee_id: int,
    *,
    method: PunchMethod,
    key: str,
    at: datetime,
    similarity: float | None = None,
    note: str = "",
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
        recorded = record(session, attempt, services.rules)
        if recorded.new and method is PunchMethod.MANUAL:
            details = {"at": at.isoformat(), "note": note}
            audit.append(
                session, actor=services.actor, action="punch.manual", subject=recorded.employee.code, details=details
            )
        return recorded

    recorded = services.database.run_write(work)
    # Also for a punch that an earlier attempt stored: that attempt may have ended before its line was written.
    services.csv_log.append(LoggedPunch(recorded.punch, recorded.employee.code, recorded.employee.name))
    return PunchResult(recorded.outcome, recorded.employee, recorded.punch, recorded.day)

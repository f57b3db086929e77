"""Consents in the database: who agreed to which text, when, and who recorded it. One is ended, never overwritten."""

from __future__ import annotations

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from ..kernel.domain import Consent, Employee
from ..kernel.texts import shortened
from ..store.clock import moment
from ..store.tables import LABEL_LENGTH, ConsentRow, FaceCropRow, Karyawan, TemplateRow
from . import employee_rows


def add(session: Session, employee_id: int, consent: Consent) -> Consent:
    """Record a consent, unless one to the very same text is in force; return the one that is in force."""
    before = find_in_force(session, employee_id)
    if before is not None and before.text_sha256 == consent.text_sha256:
        return before
    session.add(
        ConsentRow(
            karyawan_id=employee_id,
            at_utc=consent.at,
            text_version=shortened(consent.text_version, LABEL_LENGTH),
            text_sha256=consent.text_sha256,
            language=consent.language,
            recorded_by=shortened(consent.recorded_by, LABEL_LENGTH),
        )
    )
    session.execute(update(Karyawan).where(Karyawan.id == employee_id).values(persetujuan_at=consent.at))
    session.flush()
    return consent


def of_employee(session: Session, employee_id: int) -> tuple[Consent, ...]:
    """Return all consents of an employee, the oldest first, ended ones included."""
    query = select(ConsentRow).where(ConsentRow.karyawan_id == employee_id).order_by(ConsentRow.id)
    return tuple(_consent(row) for row in session.scalars(query))


def find_in_force(session: Session, employee_id: int) -> Consent | None:
    """Return the last consent of an employee that was not withdrawn, or None."""
    query = (
        select(ConsentRow)
        .where(ConsentRow.karyawan_id == employee_id, ConsentRow.withdrawn_at.is_(None))
        .order_by(ConsentRow.id.desc())
        .limit(1)
    )
    row = session.scalar(query)
    return _consent(row) if row else None


def withdraw(session: Session, employee_id: int) -> None:
    """End all consents of an employee."""
    session.execute(
        update(ConsentRow)
        .where(ConsentRow.karyawan_id == employee_id, ConsentRow.withdrawn_at.is_(None))
        .values(withdrawn_at=moment(session))
    )
    session.execute(update(Karyawan).where(Karyawan.id == employee_id).values(persetujuan_at=None))


def remove(session: Session, employee_id: int) -> None:
    """Delete all consents of an employee."""
    session.execute(delete(ConsentRow).where(ConsentRow.karyawan_id == employee_id))
    session.execute(update(Karyawan).where(Karyawan.id == employee_id).values(persetujuan_at=None))


def without_consent(session: Session) -> tuple[Employee, ...]:
    """Return the employees whose face is stored and who have no consent in force, sorted by name."""
    has_face = exists().where(TemplateRow.karyawan_id == Karyawan.id) | exists().where(
        FaceCropRow.karyawan_id == Karyawan.id
    )
    query = select(Karyawan.id).where(Karyawan.persetujuan_at.is_(None), has_face)
    ids = set(session.scalars(query))
    return tuple(person for person in employee_rows.find_all(session) if person.id in ids) if ids else ()


def _consent(row: ConsentRow) -> Consent:
    return Consent(
        at=row.at_utc,
        text_version=row.text_version,
        text_sha256=row.text_sha256,
        language=row.language,
        recorded_by=row.recorded_by,
        withdrawn_at=row.withdrawn_at,
    )

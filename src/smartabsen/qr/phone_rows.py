"""Paired phones and invitations to pair one. Secrets come in as they are and are stored as their SHA-256.

Every function works in the session it is given and leaves the commit to its owner.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from ..kernel.domain import Employee, PairedPhone
from ..kernel.errors import NotFoundError
from ..kernel.i18n import N_
from ..kernel.texts import shortened
from ..people import employee_rows
from ..store.changes import changed_rows
from ..store.tables import LABEL_LENGTH, PairingRow, PhoneRow, PinRow, QrToken


def invite(session: Session, employee_id: int, *, token: str, now: datetime, expires_at: datetime) -> None:
    """Store an invitation in place of the employee's earlier one; expired ones of anybody are removed.

    Raises:
        NotFoundError: There is no such employee.
    """
    employee_rows.lock(session, employee_id)
    session.execute(delete(PairingRow).where(PairingRow.karyawan_id == employee_id))
    session.execute(delete(PairingRow).where(PairingRow.expires_at <= now))
    session.add(PairingRow(token=_hash(token), karyawan_id=employee_id, expires_at=expires_at))
    session.flush()


def find_invitation(session: Session, token: str, *, now: datetime) -> tuple[Employee, datetime] | None:
    """Return whom an invitation is for and when it expires, None where it is not valid."""
    row = session.scalar(select(PairingRow).where(PairingRow.token == _hash(token), PairingRow.expires_at > now))
    if row is None:
        return None
    employee = employee_rows.get_by_id(session, row.karyawan_id)
    return (employee, row.expires_at) if employee.active else None


def accept(session: Session, token: str, *, credential: str, label: str, now: datetime) -> PairedPhone | None:
    """Use an invitation up and store the phone; None where it is not valid. Of several at once exactly one succeeds."""
    found = find_invitation(session, token, now=now)
    if found is None:
        return None
    used = delete(PairingRow).where(PairingRow.token == _hash(token), PairingRow.expires_at > now)
    if changed_rows(session, used) != 1:
        return None
    row = PhoneRow(
        karyawan_id=found[0].id,
        credential=_hash(credential),
        label=shortened(label, LABEL_LENGTH),
        created_at=now,
    )
    session.add(row)
    session.flush()
    return _phone(row, found[0])


def find(session: Session, phone_id: int) -> PairedPhone | None:
    """Return a phone by its id, None where it was revoked or its owner is inactive."""
    return _active(session, PhoneRow.id == phone_id)


def find_by_credential(session: Session, credential: str) -> PairedPhone | None:
    """Return the phone with that secret, None where it is unknown, was revoked or its owner is inactive."""
    return _active(session, PhoneRow.credential == _hash(credential))


def find_all(session: Session, employee_id: int | None = None) -> tuple[PairedPhone, ...]:
    """Return the phones that were not revoked, of one employee or of all, the oldest first."""
    query = select(PhoneRow).where(PhoneRow.revoked_at.is_(None)).order_by(PhoneRow.id)
    if employee_id is not None:
        query = query.where(PhoneRow.karyawan_id == employee_id)
    people = {employee.id: employee for employee in employee_rows.find_all(session)}
    return tuple(_phone(row, people[row.karyawan_id]) for row in session.scalars(query))


def use(session: Session, phone_id: int, *, at: datetime) -> bool:
    """Note that a phone is used; False where it was revoked or its owner is inactive."""
    if find(session, phone_id) is None:
        return False
    still = (PhoneRow.id == phone_id, PhoneRow.revoked_at.is_(None))
    return changed_rows(session, update(PhoneRow).where(*still).values(last_used_at=at)) == 1


def revoke(session: Session, phone_id: int, *, at: datetime) -> PairedPhone:
    """Revoke a phone for good.

    Raises:
        NotFoundError: There is none with that id, or it was revoked before.
    """
    row = session.get(PhoneRow, phone_id)
    still = (PhoneRow.id == phone_id, PhoneRow.revoked_at.is_(None))
    if row is None or changed_rows(session, update(PhoneRow).where(*still).values(revoked_at=at)) != 1:
        raise NotFoundError(
            N_("There is no paired phone with the number {id}."),
            hint=N_("“smartabsen phone list” shows all."),
            id=phone_id,
        )
    return _phone(row, employee_rows.get_by_id(session, row.karyawan_id))


def revoked(session: Session) -> tuple[PhoneRow, ...]:
    """Return the rows of phones that were revoked."""
    return tuple(session.scalars(select(PhoneRow).where(PhoneRow.revoked_at.is_not(None)).order_by(PhoneRow.id)))


def revoke_as_elsewhere(session: Session, credential_hash: str, *, at: datetime) -> PairedPhone | None:
    """Revoke the phone that another state of this database revoked; None where it is none here, or revoked here too."""
    row = session.scalar(select(PhoneRow).where(PhoneRow.credential == credential_hash, PhoneRow.revoked_at.is_(None)))
    return None if row is None else revoke(session, row.id, at=at)


def end_invitations(session: Session) -> None:
    """End all invitations, of whomever."""
    session.execute(delete(PairingRow))


def forget_employee(session: Session, employee_id: int) -> None:
    """Delete everything here about an employee, as before the employee is erased."""
    own = select(PhoneRow.id).where(PhoneRow.karyawan_id == employee_id)
    session.execute(delete(QrToken).where(QrToken.phone_id.in_(own)))
    for table in (PairingRow, PhoneRow, PinRow):
        session.execute(delete(table).where(table.karyawan_id == employee_id))


def _active(session: Session, condition: ColumnElement[bool]) -> PairedPhone | None:
    row = session.scalar(select(PhoneRow).where(condition, PhoneRow.revoked_at.is_(None)))
    if row is None:
        return None
    employee = employee_rows.get_by_id(session, row.karyawan_id)
    return _phone(row, employee) if employee.active else None


def _phone(row: PhoneRow, employee: Employee) -> PairedPhone:
    return PairedPhone(row.id, employee, row.created_at, row.label, row.last_used_at)


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()

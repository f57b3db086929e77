"""Departments in the database. Every function works in the session it is given."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ...kernel.codes import code_key
from ...kernel.errors import ConflictError, NotFoundError
from ...kernel.i18n import N_
from ...store.clock import moment
from ...store.tables import DepartmentRow, Karyawan
from .model import Department, DepartmentDirectory


def directory(session: Session) -> DepartmentDirectory:
    """Return all departments with their heads, sorted by code: one statement."""
    query = (
        select(DepartmentRow, Karyawan.kode, Karyawan.nama)
        .outerjoin(Karyawan, Karyawan.id == DepartmentRow.head_id)
        .order_by(DepartmentRow.code_key)
    )
    return DepartmentDirectory(tuple(_department(*found) for found in session.execute(query)))


def find_code(session: Session, department_id: int | None) -> str:
    """Return the code of the department with a row id; empty without one."""
    if department_id is None:
        return ""
    return session.scalar(select(DepartmentRow.code).where(DepartmentRow.id == department_id)) or ""


def find_employee_code(session: Session, employee_id: int | None) -> str:
    """Return the code of the employee with a row id; empty without one."""
    if employee_id is None:
        return ""
    return session.scalar(select(Karyawan.kode).where(Karyawan.id == employee_id)) or ""


def get_employee_id(session: Session, code: str) -> int:
    """Return the row id of the employee with a code. Raises NotFoundError."""
    found = session.scalar(select(Karyawan.id).where(Karyawan.kode_kunci == code_key(code)))
    if found is None:
        raise NotFoundError(
            N_("There is no employee with the code {code}."),
            hint=N_("“smartabsen employee list” shows all."),
            code=code,
        )
    return found


def add(session: Session, *, code: str, name: str, head_id: int | None) -> None:
    """Add a department. Raises ConflictError where the code exists."""
    row = DepartmentRow(code=code, code_key=code_key(code), name=name, head_id=head_id, created_at=moment(session))
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as exc:
        raise ConflictError(N_("There is a department with the code {code} already."), code=code) from exc


def change(session: Session, department_id: int, *, name: str, head_id: int | None) -> None:
    """Store name and head of a department."""
    row = session.get_one(DepartmentRow, department_id)
    row.name, row.head_id = name, head_id
    session.flush()


def _department(row: DepartmentRow, head_code: str | None, head_name: str | None) -> Department:
    return Department(row.id, row.code, row.name, row.head_id, head_code or "", head_name or "")

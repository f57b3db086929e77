"""Employees for the services of other places: found by code, kept from others while something of theirs changes."""

from __future__ import annotations

from ..kernel.domain import Employee
from ..store.database import Session
from . import employee_rows


def get_person(session: Session, code: str) -> Employee:
    """Return the employee with a code. Raises NotFoundError."""
    return employee_rows.get(session, code)


def lock_person(session: Session, employee_id: int) -> Employee:
    """Keep all others from writing about an employee until the transaction ends, and return them.

    Raises:
        NotFoundError: There is none with that row id.
    """
    return employee_rows.lock(session, employee_id)

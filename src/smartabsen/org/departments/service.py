"""Departments: adding them, and who leads them. Each change is written to the audit trail."""

from __future__ import annotations

from ...kernel.codes import checked_code
from ...kernel.i18n import N_
from ...kernel.texts import checked_text
from ...store.database import Session
from ...store.tables import NAME_LENGTH
from ...trust.work import Units, Work
from . import rows
from .model import Department, DepartmentDirectory


def directory(session: Session) -> DepartmentDirectory:
    """Return all departments in a session that is open already: one statement."""
    return rows.directory(session)


class Departments:
    """The departments of one installation.

    Args:
        units: Of its database.
    """

    def __init__(self, units: Units) -> None:
        self._units = units

    def list_departments(self) -> tuple[Department, ...]:
        """Return all departments, sorted by code."""
        return self.directory().departments

    def directory(self) -> DepartmentDirectory:
        """Return all departments, to be looked up in."""
        with self._units.read() as session:
            return rows.directory(session)

    def get(self, code: str) -> Department:
        """Return the department of a code. Raises NotFoundError."""
        return self.directory().get(code)

    def add(self, code: str, *, name: str, head: str = "") -> Department:
        """Add a department.

        Args:
            head: Code of the employee who leads it; empty for nobody.

        Raises:
            InvalidInputError: Code or name cannot be one.
            ConflictError: The code exists.
            NotFoundError: There is no employee with the code of the head.
        """
        code, name = checked_code(code), _checked_name(name)

        def work(job: Work) -> Department:
            head_id = rows.get_employee_id(job.session, head) if head else None
            rows.add(job.session, code=code, name=name, head_id=head_id)
            added = rows.directory(job.session).get(code)
            # The head by row id: an erasure need not look for codes in here.
            job.record("department.add", subject=code, details={"name": name, "head": str(head_id or "")})
            return added

        return self._units.write(work)

    def change(self, code: str, *, name: str | None = None, head: str | None = None) -> Department:
        """Give a department another name or another head.

        Args:
            head: Code of the employee who leads it; empty for nobody, None for the one before.

        Raises:
            NotFoundError: There is no such department, or no such employee.
            InvalidInputError: The name cannot be one.
        """
        new_name = None if name is None else _checked_name(name)

        def work(job: Work) -> Department:
            before = rows.directory(job.session).get(code)
            head_id = before.head_id
            if head is not None:
                head_id = rows.get_employee_id(job.session, head) if head else None
            rows.change(job.session, before.id, name=new_name or before.name, head_id=head_id)
            after = rows.directory(job.session).get(code)
            if after != before:
                details = {
                    "name_before": before.name,
                    "name_after": after.name,
                    "head_before": str(before.head_id or ""),
                    "head_after": str(after.head_id or ""),
                }
                job.record("department.change", subject=after.code, details=details)
            return after

        return self._units.write(work)


def _checked_name(name: str) -> str:
    return checked_text(name, field=N_("name"), limit=NAME_LENGTH, required=True)

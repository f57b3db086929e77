"""Departments as frozen data."""

from __future__ import annotations

from dataclasses import dataclass

from ...kernel.codes import code_key
from ...kernel.errors import NotFoundError
from ...kernel.i18n import N_


@dataclass(frozen=True, slots=True)
class Department:
    """A part of the firm.

    Attributes:
        head_id: Row id of the employee who leads it; None without one.
        head_code, head_name: Of that employee; empty without one.
    """

    id: int
    code: str
    name: str
    head_id: int | None = None
    head_code: str = ""
    head_name: str = ""


@dataclass(frozen=True, slots=True)
class DepartmentDirectory:
    """All departments at one look, sorted by code."""

    departments: tuple[Department, ...]

    def find_by_id(self, department_id: int | None) -> Department | None:
        """Return the department with a row id, None without one."""
        return next((each for each in self.departments if each.id == department_id), None)

    def get(self, code: str) -> Department:
        """Return the department of a code. Raises NotFoundError."""
        key = code_key(code)
        found = next((each for each in self.departments if code_key(each.code) == key), None)
        if found is None:
            raise NotFoundError(
                N_("There is no department with the code {code}."),
                hint=N_("“smartabsen department list” shows all."),
                code=code,
            )
        return found

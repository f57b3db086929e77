"""People to choose from by typing, as far as somebody may see them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from flask import abort

from ...kernel.domain import Employee
from ..library import library
from . import forms
from .access import current_user, seen_people

_MOST: Final = 2_000
"""Of a list to choose from; who is not in it is chosen by the code."""


def people_to_choose() -> tuple[Employee, ...]:
    """Return active people whom the user may see."""
    ids = seen_ids()
    people = library().employees(include_inactive=False)
    return tuple(person for person in people if ids is None or person.id in ids)[:_MOST]


def seen_ids() -> Collection[int] | None:
    """Return the row ids of the people whom the user may see; None for everybody."""
    people_of = seen_people()
    if people_of is None:
        return None
    everybody = library().employments.everybody_on(people_of.on)
    return {row_id for row_id, each in everybody.items() if each.department_id == people_of.department_id}


def own_department() -> str:
    """Return the code of the department whose people the user may see alone; empty where that is everybody."""
    user = current_user()
    return (user.department or "-") if user is not None and seen_people() is not None else ""


def refuse_unseen(employee_id: int) -> None:
    """Answer 404 about somebody whom the user may not see: as one that is not there."""
    ids = seen_ids()
    if ids is not None and employee_id not in ids:
        abort(404)


def seen_code(name: str = "code") -> str:
    """Return the code of an employee in a form, of one whom the user may see. Raises NotFoundError."""
    code = forms.text(name)
    if seen_people() is not None:
        refuse_unseen(library().get_employee(code).id)
    return code

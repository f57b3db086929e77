"""Employees: list, show, rename, activate, deactivate. Each change is written to the audit trail."""

from __future__ import annotations

from ..app.bootstrap import Services
from ..gallery import template_rows
from ..gallery.train import forget_employee, recall_employee
from ..kernel.domain import Employee, TemplateFacts
from ..kernel.i18n import N_
from ..kernel.texts import checked_text
from ..store.tables import NOTE_LENGTH
from ..trust import audit_rows
from . import employee_rows


def list_employees(services: Services, *, search: str, include_inactive: bool) -> tuple[Employee, ...]:
    """Return employees sorted by name."""
    active = services.active_model()
    with services.database.read() as session:
        return employee_rows.find_all(session, search=search, include_inactive=include_inactive, model=active)


def get_employee(services: Services, code: str) -> Employee:
    """Return one employee.

    Raises:
        NotFoundError: There is none with that code.
    """
    active = services.active_model()
    with services.database.read() as session:
        return employee_rows.get(session, code, model=active)


def templates_of(services: Services, code: str) -> tuple[TemplateFacts, ...]:
    """Return what is known of the templates of one employee, of all engines; no key is needed.

    Raises:
        NotFoundError: There is none with that code.
    """
    with services.database.read() as session:
        return template_rows.facts_of_employee(session, employee_rows.get(session, code).id)


def rename_employee(services: Services, code: str, name: str) -> Employee:
    """Give an employee another name.

    Raises:
        NotFoundError: There is none with that code.
        InvalidInputError: The name is empty or too long.
    """
    with services.database.write() as session:
        before = employee_rows.get(session, code)
        employee_rows.update(session, code, name=name)
        after = employee_rows.get(session, code)
        details = {"employee": str(after.id), "from": before.name, "to": after.name}
        audit_rows.append(session, actor=services.actor, action="employee.rename", subject=after.code, details=details)
    return get_employee(services, code)


def edit_employee(services: Services, code: str, *, name: str, position: str) -> Employee:
    """Give an employee another name and position; what stays the same is not written to the audit trail.

    Raises:
        NotFoundError: There is none with that code.
        InvalidInputError: The name is empty, or one of them too long.
    """
    with services.database.write() as session:
        before = employee_rows.get(session, code)
        employee_rows.update(session, code, name=name, position=position)
        after = employee_rows.get(session, code)
        if after != before:
            details = {
                "employee": str(after.id),
                "name_before": before.name,
                "name_after": after.name,
                "position_before": before.position,
                "position_after": after.position,
            }
            audit_rows.append(
                session, actor=services.actor, action="employee.edit", subject=after.code, details=details
            )
    return get_employee(services, code)


def set_active(services: Services, code: str, *, active: bool, reason: str = "") -> Employee:
    """Let an employee punch, or not. The trained model loses or regains the person at once.

    Args:
        reason: Why, for the audit trail.

    Raises:
        NotFoundError: There is none with that code.
        InvalidInputError: The reason is too long.
    """
    details = {"reason": checked_text(reason, field=N_("reason"), limit=NOTE_LENGTH)}
    with services.database.write() as session:
        employee = employee_rows.update(session, code, active=active)
        action = "employee.activate" if active else "employee.deactivate"
        audit_rows.append(session, actor=services.actor, action=action, subject=employee.code, details=details)
    known = active and recall_employee(services, employee.id)
    if not active:
        forget_employee(services, employee.id)
    after = get_employee(services, code)
    if active and after.templates and not known:
        services.remark(N_("{name} is recognised after the next training: smartabsen train"), name=after.name)
    return after

"""Who may do what: the table of roles and actions, as it is meant."""

from __future__ import annotations

import pytest

from smartabsen import ConflictError, InvalidInputError, NotFoundError, Role, SmartAbsen
from smartabsen.org.access import ACCOUNT_ROLES, Action, may, scope_of

PASSWORD = "long enough words"
TABLE = """
                      admin  hr     manager     viewer  employee
people.see            all    all    department  all     nobody
people.change         all    all    nobody      nobody  nobody
wages.see             all    all    nobody      nobody  nobody
wages.change          all    all    nobody      nobody  nobody
attendance.see        all    all    department  all     own
attendance.change     all    all    nobody      nobody  nobody
requests.approve      all    all    department  nobody  nobody
requests.make         all    all    department  nobody  own
plan.change           all    all    nobody      nobody  nobody
period.close          all    all    nobody      nobody  nobody
organisation.see      all    all    nobody      all     nobody
organisation.change   all    all    nobody      nobody  nobody
record.see            all    all    nobody      nobody  nobody
system.see            all    all    nobody      all     nobody
system.change         all    nobody nobody      nobody  nobody
users.change          all    nobody nobody      nobody  nobody
account.own           all    own    own         own     own
"""


def test_the_table_of_roles_and_actions_is_this_one() -> None:
    """Whoever changes it changes it here too."""
    head, *lines = TABLE.strip().splitlines()
    stated = {cells[0]: dict(zip(head.split(), cells[1:], strict=True)) for cells in map(str.split, lines)}

    assert stated == {action.value: {role.value: scope_of(role, action).value for role in Role} for action in Action}


def test_nobody_but_hr_and_administrators_sees_a_wage() -> None:
    """A manager sees people, not what they earn."""
    assert [role for role in Role if may(role, Action.SEE_WAGES)] == [Role.ADMIN, Role.HR]


def test_a_manager_needs_a_department_and_an_employee_is_no_user(app: SmartAbsen) -> None:
    """Nothing is added then."""
    with pytest.raises(InvalidInputError):
        app.users.add("budi", PASSWORD, role=Role.MANAGER)
    with pytest.raises(InvalidInputError):
        app.users.add("budi", PASSWORD, role=Role.EMPLOYEE)
    with pytest.raises(NotFoundError):
        app.users.add("budi", PASSWORD, role=Role.MANAGER, department="GUDANG")
    assert app.users.list_users() == ()
    assert Role.EMPLOYEE not in ACCOUNT_ROLES


def test_a_user_becomes_manager_of_a_department_and_the_last_administrator_does_not(app: SmartAbsen) -> None:
    """The role comes with the department, or stays what it was."""
    app.departments.add("GUDANG", name="Gudang")
    app.users.add("siti", PASSWORD, role=Role.ADMIN)
    app.users.add("budi", PASSWORD)

    changed = app.users.set_role("budi", Role.MANAGER, department="gudang")

    assert (changed.role, changed.department) == (Role.MANAGER, "GUDANG")
    with pytest.raises(ConflictError):
        app.users.set_role("siti", Role.HR)

"""``smartabsen department``."""

from typing import Annotated

import typer

from ...kernel.i18n import _
from .. import org_view
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

app = make_noun(
    "department",
    help=_("Add, change and list departments."),
    example="smartabsen department list",
)

DepartmentCode = Annotated[str, typer.Argument(metavar="CODE", help=_("Code of the department."))]


@command(
    app,
    "add",
    help=_("Add a department."),
    example="smartabsen department add GUDANG --name Gudang --head E001",
)
def add_department(
    session: Session,
    code: DepartmentCode,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help=_("Name of the department."))],
    head: Annotated[str, typer.Option("--head", metavar="CODE", help=_("Code of the employee who leads it."))] = "",
) -> Answer:
    """Add a department."""
    with session.open() as app:
        added = app.departments.add(code, name=name, head=head)
    return Answer(
        data={"department": org_view.department(added)}, show=lambda out: org_view.show_departments(out, (added,))
    )


@command(
    app,
    "set",
    help=_("Give a department another name or another head."),
    example="smartabsen department set GUDANG --head E002",
)
def change_department(
    session: Session,
    code: DepartmentCode,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help=_("Another name."))] = None,
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="CODE", help=_("Code of the employee who leads it; '' for nobody.")),
    ] = None,
) -> Answer:
    """Change a department."""
    if name is None and head is None:
        raise typer.BadParameter(_("Give --name or --head."))
    with session.open() as app:
        changed = app.departments.change(code, name=name, head=head)
    return Answer(
        data={"department": org_view.department(changed)}, show=lambda out: org_view.show_departments(out, (changed,))
    )


@command(app, "list", help=_("List departments."), example="smartabsen department list")
def list_departments(session: Session) -> Answer:
    """List departments by code."""
    with session.open() as app:
        departments = app.departments.list_departments()
    return Answer(
        data={"departments": [org_view.department(each) for each in departments]},
        show=lambda out: org_view.show_departments(out, departments),
    )

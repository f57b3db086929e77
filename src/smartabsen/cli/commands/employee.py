"""``smartabsen employee``."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ...domain import Employee
from ...i18n import _
from .. import data, privacy_view, tables
from ..answer import Answer
from ..command import command, make_noun
from ..output import Output
from ..parameters import Code, Reason, ReasonIfAny
from ..session import Session

app = make_noun(
    "employee", help=_("List, show, rename, deactivate and activate employees."), example="smartabsen employee list"
)


@command(app, "list", help=_("List employees."), example="smartabsen employee list --search siti")
def list_employees(
    session: Session,
    search: Annotated[str, typer.Option("--search", metavar="TEXT", help=_("Part of a code or name."))] = "",
    active: Annotated[bool, typer.Option("--active", help=_("Leave out who is deactivated."))] = False,
) -> Answer:
    """List employees by code."""
    with session.open() as app:
        employees = app.employees(search=search, include_inactive=not active)
    return Answer(
        data={"employees": [data.employee(each) for each in employees]},
        show=lambda out: tables.show_employees(out, employees),
    )


@command(app, "show", help=_("Show an employee and the photos enrolled."), example="smartabsen employee show E001")
def show_employee(session: Session, code: Code) -> Answer:
    """Show an employee with the sources of the templates and the consents."""
    with session.open() as app:
        employee = app.get_employee(code)
        templates = app.templates_of(code)
        consents, zone = app.privacy.consents(code), ZoneInfo(app.settings.site.zone)

    def show(out: Output) -> None:
        tables.show_employee(out, employee, templates)
        out.line()
        privacy_view.show_consents(out, consents, zone)

    facts = {
        "employee": data.employee(employee),
        "templates": [data.template(each) for each in templates],
        "consents": [privacy_view.consent(each) for each in consents],
    }
    return Answer(data=facts, show=show)


@command(app, "rename", help=_("Change a name."), example="smartabsen employee rename E001 'Siti Rahmawati'")
def rename_employee(
    session: Session, code: Code, name: Annotated[str, typer.Argument(metavar="NAME", help=_("The new name."))]
) -> Answer:
    """Rename an employee."""
    with session.open() as app:
        return _changed(app.rename_employee(code, name))


@command(
    app,
    "deactivate",
    help=_("End that an employee can punch; records stay."),
    example="smartabsen employee deactivate E001 --reason 'left on 30 November' --yes",
)
def deactivate_employee(
    session: Session,
    code: Code,
    reason: ReasonIfAny = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))] = False,
) -> Answer:
    """Deactivate an employee, after asking."""
    with session.open() as app:
        if not yes:
            session.ask(_("{name} can no longer punch. Go on?", name=app.get_employee(code).name))
        return _changed(app.deactivate_employee(code, reason=reason))


@command(app, "activate", help=_("Let an employee punch again."), example="smartabsen employee activate E001")
def activate_employee(session: Session, code: Code, reason: ReasonIfAny = "") -> Answer:
    """Activate an employee."""
    with session.open() as app:
        return _changed(app.activate_employee(code, reason=reason))


@command(
    app,
    "duplicates",
    help=_("List codes that are perhaps one person.")
    + "\n\n"
    + _("Compares who was enrolled since the last search with everybody; a server does so once a night by itself. Look "
        "at the pictures of each pair, and decide: deactivate one code, or say that they are two people with "
        "“smartabsen employee different”."),
    example="smartabsen employee duplicates",
)  # fmt: skip
def list_duplicates(
    session: Session,
    anew: Annotated[bool, typer.Option("--anew", help=_("Compare everybody with everybody once more."))] = False,
    known: Annotated[bool, typer.Option("--known", help=_("Show what was found before, and compare nothing."))] = False,
) -> Answer:
    """Search, and list what was found."""
    if anew and known:
        raise typer.BadParameter(_("Give either --anew or --known."))
    with session.open() as library:
        report = library.duplicates.find() if known else library.duplicates.search(anew=anew)
        zone = ZoneInfo(library.settings.site.zone)
    return Answer(data=data.duplicates(report), show=lambda out: tables.show_duplicates(out, report, zone))


@command(
    app,
    "different",
    help=_("Say that two codes that look like one person are two people."),
    example="smartabsen employee different E001 E002 --reason 'twins'",
)
def mark_different(
    session: Session,
    code: Code,
    other: Annotated[str, typer.Argument(metavar="OTHER", help=_("Code of the other employee."))],
    reason: Reason = "",
) -> Answer:
    """Remember it: they are not listed again."""
    with session.open() as library:
        both = library.duplicates.mark_different(code, other, reason=session.ask_reason(reason))
    return Answer(
        data={"employee": data.employee(both[0]), "other": data.employee(both[1])},
        show=lambda out: tables.show_employees(out, both),
    )


def _changed(employee: Employee) -> Answer:
    return Answer(data={"employee": data.employee(employee)}, show=lambda out: tables.show_employees(out, (employee,)))

"""``smartabsen employee``."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ...kernel.domain import Employee
from ...kernel.i18n import _
from .. import data, privacy_view, tables
from ..answer import Answer
from ..command import command, make_noun
from ..output import Output
from ..parameters import Code, Reason, ReasonIfAny
from ..session import Session

PhotoNumber = Annotated[
    int, typer.Argument(metavar="NUMBER", help=_("Number of the photo; “employee photos” lists them."))
]

app = make_noun(
    "employee",
    help=_("List, show, rename, deactivate and activate employees; look through their photos."),
    example="smartabsen employee list",
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


@command(
    app,
    "photos",
    help=_("List the photos that an employee was enrolled with, each with its number."),
    example="smartabsen employee photos E001",
)
def list_photos(session: Session, code: Code) -> Answer:
    """List the enrolled photos of an employee."""
    with session.open() as app:
        photos = app.photos.of(code)
        zone = ZoneInfo(app.settings.site.zone)
    return Answer(
        data={"photos": [data.enrolled_photo(each) for each in photos]},
        show=lambda out: tables.show_photos(out, photos, zone),
    )


@command(
    app,
    "photo",
    help=_("Write the kept face of one photo into a file, to look at it.")
    + "\n\n"
    + _("Faces are kept where enrolment.keep_crops is set; of other photos only the numbers are there."),
    example="smartabsen employee photo E001 12 face.jpg",
)
def save_photo(
    session: Session,
    code: Code,
    number: PhotoNumber,
    target: Annotated[Path, typer.Argument(metavar="FILE", readable=False, help=_("The file to write, a JPEG."))],
) -> Answer:
    """Write the kept face of an enrolled photo."""
    with session.open() as app:
        app.photos.save(code, number, target)
    written = _("{path} is written.", path=target)
    return Answer(data={"path": str(target)}, show=lambda out: out.line(written))


@command(
    app,
    "remove-photo",
    help=_("Take one photo of an employee out, as a wrong one.")
    + "\n\n"
    + _("The other photos, the consent and the attendance stay. The trained model has it no more at once."),
    example="smartabsen employee remove-photo E001 12 --reason 'a colleague is in it' --yes",
)
def remove_photo(
    session: Session,
    code: Code,
    number: PhotoNumber,
    reason: ReasonIfAny = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))] = False,
) -> Answer:
    """Remove an enrolled photo, after asking."""
    with session.open() as app:
        if not yes:
            name = app.get_employee(code).name
            session.ask(_("Photo {number} is no longer used to recognise {name}. Go on?", number=number, name=name))
        removed = app.photos.remove(code, number, reason=reason)

    def show(out: Output) -> None:
        out.line(
            _(
                "Photo {number} ({source}) of {name} is removed; photos left: {left}.",
                number=number,
                source=removed.photo.source,
                name=removed.employee.name,
                left=removed.left,
            )
        )
        if removed.was_in_model:
            out.line(_("The trained model has it no more."))
        if not removed.left:
            out.note(_("{name} is not recognised any more: enrol other photos.", name=removed.employee.name))

    facts = {
        "employee": data.employee(removed.employee),
        "photo": data.enrolled_photo(removed.photo),
        "left": removed.left,
        "was_in_model": removed.was_in_model,
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

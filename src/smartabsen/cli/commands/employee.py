"""``smartabsen employee``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from ... import wire
from ...kernel.domain import Employee
from ...kernel.i18n import _
from .. import org_view, privacy_view, tables
from ..answer import Answer
from ..command import command, make_noun
from ..output import Output
from ..parameters import Code, DepartmentOption, Reason, ReasonIfAny, SiteOption
from ..session import Session

if TYPE_CHECKING:
    from ...people.employment.model import Employment

PhotoNumber = Annotated[
    int, typer.Argument(metavar="NUMBER", help=_("Number of the photo; “employee photos” lists them."))
]
FirstDay = Annotated[str | None, typer.Option("--joined", metavar="DATE", help=_("First day of the employment."))]

app = make_noun(
    "employee",
    help=_("Add, list, show, change, deactivate and activate employees; look through their photos."),
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
        terms = app.employments.everybody_on()
    return Answer(
        data={
            "employees": [
                {**wire.Employee.of(each).plain(), **org_view.placement(terms.get(each.id))} for each in employees
            ]
        },
        show=lambda out: tables.show_employees(out, employees),
    )


@command(app, "show", help=_("Show an employee and the photos enrolled."), example="smartabsen employee show E001")
def show_employee(session: Session, code: Code) -> Answer:
    """Show an employee with the sources of the templates and the consents."""
    with session.open() as app:
        employee = app.get_employee(code)
        templates = app.templates_of(code)
        consents, zone = app.privacy.consents(code), ZoneInfo(app.settings.site.zone)
        terms, former = app.employments.on(code), app.employments.former_codes(code)

    def show(out: Output) -> None:
        tables.show_employee(out, employee, templates)
        out.line()
        org_view.show_employment(out, terms)
        if former:
            out.line(_("Former codes: {codes}", codes=", ".join(each.code for each in former)))
        out.line()
        privacy_view.show_consents(out, consents, zone)

    facts = {
        "employee": wire.Employee.of(employee),
        "templates": [wire.Template.of(each) for each in templates],
        "consents": [privacy_view.consent(each) for each in consents],
        "employment": org_view.employment(terms),
        "former_codes": [each.code for each in former],
    }
    return Answer(data=facts, show=show)


@command(
    app,
    "add",
    help=_("Add an employee without a face: punches are made by phone or by hand."),
    example="smartabsen employee add E001 --name 'Siti Rahma' --site MKS --department GUDANG",
)
def add_employee(
    session: Session,
    code: Code,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help=_("Full name of the person."))],
    position: Annotated[str, typer.Option("--position", metavar="TEXT", help=_("Job title."))] = "",
    site: SiteOption = None,
    department: DepartmentOption = None,
    joined: FirstDay = None,
) -> Answer:
    """Add an employee with site and department."""
    from ...people.employment.model import Changes

    changes = Changes(site=site, department=department, joined=org_view.read_day(joined, "--joined"))
    with session.open() as app:
        employee = app.add_employee(name, code=code, position=position, changes=changes)
        terms = app.employments.on(employee.code)
    return _with_terms(employee, terms)


@command(
    app,
    "set",
    help=_("Change site, department and other terms of an employee; the wage is stored sealed.")
    + "\n\n"
    + _("What is said of a person for the first time holds from the beginning, a change from today; --from DATE says "
        "another day. What held before stays as it was."),
    example="smartabsen employee set E001 --site MKS --from 2026-12-14\n"
    "smartabsen employee set E002 --week 6 --shortest-day Sabtu --joined 2026-01-05",
)  # fmt: skip
def set_employee(
    session: Session,
    code: Code,
    site: SiteOption = None,
    department: DepartmentOption = None,
    joined: FirstDay = None,
    left: Annotated[str | None, typer.Option("--left", metavar="DATE", help=_("Last day of the employment."))] = None,
    stays: Annotated[bool, typer.Option("--stays", help=_("Take a last day back."))] = False,
    week: Annotated[
        int | None, typer.Option("--week", metavar="5|6", help=_("Working days a week by the contract."))
    ] = None,
    shortest_day: Annotated[
        str | None,
        typer.Option("--shortest-day", metavar="WEEKDAY", help=_("Shortest working day of a week of six days.")),
    ] = None,
    exempt: Annotated[
        str | None,
        typer.Option(
            "--exempt",
            metavar="CLAUSE",
            help=_("Clause of PK, PP or PKB by which overtime is not paid; '' where it is paid."),
        ),
    ] = None,
    wage: Annotated[
        int | None, typer.Option("--wage", metavar="RUPIAH", help=_("Basic pay of a month, without allowances."))
    ] = None,
    fixed: Annotated[
        int, typer.Option("--fixed", metavar="RUPIAH", help=_("Fixed allowances of a month; with --wage."))
    ] = 0,
    variable: Annotated[
        int, typer.Option("--variable", metavar="RUPIAH", help=_("Variable allowances of a month; with --wage."))
    ] = 0,
    daily: Annotated[
        int | None, typer.Option("--daily", metavar="RUPIAH", help=_("Pay of a day, instead of --wage."))
    ] = None,
    valid_from: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help=_("First day on which it holds."))
    ] = None,
) -> Answer:
    """Change terms, and store a wage."""
    from ...people.employment.model import Changes, Wage
    from ...people.employment.rules import read_weekday

    if (fixed or variable) and wage is None:
        raise typer.BadParameter(_("--fixed and --variable come with --wage."))
    changes = Changes(
        site=site,
        department=department,
        week=week,
        shortest_day=None if shortest_day is None else read_weekday(shortest_day),
        exempt=exempt,
        joined=org_view.read_day(joined, "--joined"),
        left=org_view.read_day(left, "--left"),
        stays=stays,
    )
    first = org_view.read_day(valid_from, "--from")
    has_wage = wage is not None or daily is not None
    if changes.is_empty and not has_wage:
        raise typer.BadParameter(_("Nothing is given that could be changed."))
    with session.open() as app:
        if not changes.is_empty:
            app.employments.change(code, changes, valid_from=first)
        if has_wage:
            app.wages.put(code, Wage(wage or 0, fixed, variable, daily), valid_from=first)
        return _with_terms(app.get_employee(code), app.employments.on(code))


@command(
    app,
    "wage",
    help=_("Show what an employee earned, and from when on; that it was looked at is recorded."),
    example="smartabsen employee wage E001",
)
def show_wage(session: Session, code: Code) -> Answer:
    """Show the wages of an employee."""
    with session.open() as app:
        wages = app.wages.history(code)
    return Answer(
        data={"code": code, "wages": [org_view.wage(each) for each in wages]},
        show=lambda out: org_view.show_wages(out, wages),
    )


@command(
    app,
    "recode",
    help=_("Give an employee another code; attendance, faces and phones stay theirs.")
    + "\n\n"
    + _("The old code is remembered, and nobody else gets it."),
    example="smartabsen employee recode E001 MKS-001",
)
def recode_employee(
    session: Session, code: Code, new: Annotated[str, typer.Argument(metavar="NEW", help=_("The new code."))]
) -> Answer:
    """Change the code of an employee."""
    with session.open() as app:
        return _changed(app.recode_employee(code, new))


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
        data={"photos": [wire.EnrolledPhoto.of(each) for each in photos]},
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
        "employee": wire.Employee.of(removed.employee),
        "photo": wire.EnrolledPhoto.of(removed.photo),
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
    return Answer(data=wire.Duplicates.of(report), show=lambda out: tables.show_duplicates(out, report, zone))


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
        data={"employee": wire.Employee.of(both[0]), "other": wire.Employee.of(both[1])},
        show=lambda out: tables.show_employees(out, both),
    )


def _with_terms(employee: Employee, terms: "Employment") -> Answer:
    def show(out: Output) -> None:
        tables.show_employees(out, (employee,))
        out.line()
        org_view.show_employment(out, terms)

    return Answer(data={"employee": wire.Employee.of(employee), "employment": org_view.employment(terms)}, show=show)


def _changed(employee: Employee) -> Answer:
    return Answer(
        data={"employee": wire.Employee.of(employee)}, show=lambda out: tables.show_employees(out, (employee,))
    )

"""Sites, kiosks, departments and terms of employment: as JSON, and as a terminal shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import typer

from ..kernel.dates import read_date
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import _
from .answer import Json
from .output import Column, Output, yes_no

if TYPE_CHECKING:
    from ..org.departments.model import Department
    from ..org.sites.model import Kiosk, Site
    from ..people.employment.model import DatedWage, Employment


def site(value: Site) -> Json:
    """A site."""
    return {
        "id": value.id,
        "code": value.code,
        "name": value.name,
        "zone": value.zone,
        "confirmed": value.is_confirmed,
    }


def kiosk(value: Kiosk) -> Json:
    """A kiosk; ``site`` is null where nobody assigned it."""
    return {"name": value.name, "site": value.site or None}


def department(value: Department) -> Json:
    """A department; ``head`` is null without one."""
    head = {"code": value.head_code, "name": value.head_name} if value.head_code else None
    return {"id": value.id, "code": value.code, "name": value.name, "head": head}


def employment(value: Employment) -> Json:
    """What holds for a person on a date."""
    from ..people.employment.rules import weekday_name

    return {
        "date": value.work_date.isoformat(),
        "site": value.site or None,
        "zone": value.zone or None,
        "department": value.department or None,
        "week": value.week,
        "shortest_day": weekday_name(value.shortest_day) or None,
        "exempt": value.exempt or None,
        "joined": value.joined.isoformat() if value.joined else None,
        "left": value.left.isoformat() if value.left else None,
    }


def wage(value: DatedWage) -> Json:
    """A wage in whole rupiah, and from when on it holds; ``from`` is null where that is the beginning."""
    return {
        "from": _since(value.valid_from),
        "basic": value.wage.basic,
        "fixed": value.wage.fixed,
        "variable": value.wage.variable,
        "daily": value.wage.daily,
    }


def placement(value: Employment | None) -> Json:
    """Site and department of somebody in a list; null where there is none."""
    return {"site": value.site or None if value else None, "department": value.department or None if value else None}


def show_wages(out: Output, wages: Sequence[DatedWage]) -> None:
    """Print wages, the earliest first."""
    columns = (
        Column(_("From"), whole=True),
        Column(_("Basic"), number=True),
        Column(_("Fixed"), number=True),
        Column(_("Variable"), number=True),
        Column(_("A day"), number=True),
    )
    rows = [
        (
            _since(each.valid_from) or _("the beginning"),
            f"{each.wage.basic:,}",
            f"{each.wage.fixed:,}",
            f"{each.wage.variable:,}",
            f"{each.wage.daily:,}" if each.wage.daily is not None else "",
        )
        for each in wages
    ]
    out.table(columns, rows, empty=_("No wage is known."))


def show_sites(out: Output, sites: Sequence[Site]) -> None:
    """Print sites, the first one first."""
    columns = (
        Column(_("Code"), whole=True),
        Column(_("Name")),
        Column(_("Time zone"), whole=True),
        Column(_("Confirmed"), whole=True),
    )
    rows = [(each.code, each.name, each.zone, yes_no(each.is_confirmed)) for each in sites]
    out.table(columns, rows, empty=_("No sites."))
    for each in sites:
        if not each.is_confirmed:
            out.note(
                _(
                    "Site {code} was made of the settings of this installation. If name and zone are right: "
                    "smartabsen site confirm {code}",
                    code=each.code,
                )
            )


def show_kiosks(out: Output, kiosks: Sequence[Kiosk]) -> None:
    """Print kiosks and where they stand."""
    columns = (Column(_("Kiosk"), whole=True), Column(_("Site"), whole=True))
    rows = [(each.name, each.site or _("not assigned: the first site")) for each in kiosks]
    out.table(columns, rows, empty=_("No kiosks."))


def show_departments(out: Output, departments: Sequence[Department]) -> None:
    """Print departments and their heads."""
    columns = (Column(_("Code"), whole=True), Column(_("Name")), Column(_("Head")))
    rows = [
        (each.code, each.name, f"{each.head_name} ({each.head_code})" if each.head_code else "") for each in departments
    ]
    out.table(columns, rows, empty=_("No departments."))


def show_employment(out: Output, value: Employment) -> None:
    """Print what holds for a person on a date, one fact a line."""
    from ..people.employment.rules import weekday_label

    out.line(_("Terms on {day}:", day=value.work_date.isoformat()))
    facts = (
        (_("Site"), f"{value.site} ({value.zone})" if value.site else ""),
        (_("Department"), value.department),
        (_("Working days a week"), str(value.week)),
        (_("Shortest day"), _(weekday_label(value.shortest_day)) if value.shortest_day is not None else ""),
        (_("No overtime pay by"), value.exempt),
        (_("First day"), value.joined.isoformat() if value.joined else ""),
        (_("Last day"), value.left.isoformat() if value.left else ""),
    )
    for label, text in facts:
        if text:
            out.line(f"  {label}: {text}")


def terms_given(*, site: str | None, department: str | None) -> dict[str, Any]:
    """Return what an enrolment is told of site and department, as a keyword; nothing where neither is given."""
    if site is None and department is None:
        return {}
    from ..people.employment.model import Changes

    return {"changes": Changes(site=site, department=department)}


def read_day(text: str | None, option: str) -> date | None:
    """Return the day that an option gives; None where it gives none.

    Raises:
        typer.BadParameter: It is none.
    """
    if text is None:
        return None
    try:
        return read_date(text)
    except InvalidInputError as exc:
        raise typer.BadParameter(_(exc.message_id, **exc.params), param_hint=option) from exc


def _since(day: date) -> str | None:
    from ..people.employment.model import BEGINNING

    return None if day == BEGINNING else day.isoformat()

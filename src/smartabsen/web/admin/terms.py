"""The terms of one employee: site, department, week, joining and leaving, and the code."""

from __future__ import annotations

from typing import Final

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from ...attendance.schedule.texts import WEEKDAYS
from ...kernel.i18n import N_, _
from ...people.employment.model import Changes
from ..library import library
from . import filled, forms
from .blueprint import blueprint, done
from .filled import shows_again

_WEEKS: Final = {"5": 5, "6": 6}


@blueprint.get("/employees/<int:employee_id>/terms")
def terms(employee_id: int) -> str:
    """Show the terms of an employee, and what they were."""
    person = library().desk.get_employee(employee_id)
    known = library().employments.history(person.code)
    return render_template(
        "admin/terms.html",
        person=person,
        now=library().employments.on(person.code),
        former=library().employments.former_codes(person.code),
        steps=[known.on(step.valid_from) for step in reversed(known.steps)],
        site_options=[(site.code, f"{site.name} ({site.code})") for site in library().sites.list_sites()],
        department_options=[(each.code, each.name) for each in library().departments.list_departments()],
        weekday_options=[(number, _(name)) for number, name in enumerate(WEEKDAYS)],
    )


@blueprint.post("/employees/<int:employee_id>/terms")
@shows_again(terms)
def change_terms(employee_id: int) -> Response:
    """Change what holds from a date on."""
    person = library().desk.get_employee(employee_id)
    valid_from = filled.day_if_any("valid_from", N_("date"))
    before = library().employments.on(person.code, valid_from)
    shortest = forms.text("shortest_day")
    wanted = {
        "site": forms.text("site") or None,
        "department": forms.text("department") or None,
        "week": _WEEKS.get(forms.text("week")),
        "shortest_day": int(shortest) if shortest.isdecimal() and len(shortest) == 1 else None,
        "exempt": forms.text("exempt"),
    }
    # What stays is not said again: it would hold from this date, whatever is said of earlier ones later.
    new = {name: value for name, value in wanted.items() if value != getattr(before, name)}
    library().employments.change(person.code, Changes(**new), valid_from=valid_from)  # type: ignore[arg-type]
    done(_("Saved."))
    return redirect(_address(employee_id))


@blueprint.post("/employees/<int:employee_id>/dates")
@shows_again(terms)
def change_employment_dates(employee_id: int) -> Response:
    """Say when an employee joined and left."""
    person = library().desk.get_employee(employee_id)
    joined, left = filled.day_if_any("joined", N_("first day")), filled.day_if_any("left", N_("last day"))
    before = library().employments.on(person.code)
    changes = Changes(joined=joined, left=left, stays=left is None and before.left is not None)
    with filled.at("left" if left else "joined"):
        library().employments.change(person.code, changes)
    done(_("Saved."))
    return redirect(_address(employee_id))


@blueprint.post("/employees/<int:employee_id>/code")
@shows_again(terms)
def recode_employee(employee_id: int) -> Response:
    """Give an employee another code."""
    person = library().desk.get_employee(employee_id)
    with filled.at("code"):
        changed = library().recode_employee(person.code, forms.text("code"))
    done(_("{name} has the code {code} now.", name=changed.name, code=changed.code))
    return redirect(_address(employee_id))


def _address(employee_id: int) -> str:
    return url_for("admin.terms", employee_id=employee_id)

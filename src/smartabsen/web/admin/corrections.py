"""One employee's day: its punches, and correcting them with a reason."""

from __future__ import annotations

import re
import uuid
from datetime import date

from flask import abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from ...kernel.dates import read_date
from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_, _
from ..library import library
from . import forms
from .blueprint import blueprint, done, tells_problems

_KEY = re.compile(r"[0-9a-f]{32}")


@blueprint.get("/attendance/<day_text>/<int:employee_id>")
def day(day_text: str, employee_id: int) -> str:
    """Show a day with everything that was recorded for it."""
    person = library().desk.get_employee(employee_id)
    record = library().corrections.get_day(person.code, _day(day_text))
    library().audit.note_page("attendance.read", subject=person.code, date=record.work_date.isoformat())
    return render_template("admin/day.html", person=person, record=record, key=uuid.uuid4().hex)


@blueprint.post("/attendance/<day_text>/<int:employee_id>/correct")
@tells_problems(lambda day_text, employee_id: _address(day_text, employee_id))
def correct(day_text: str, employee_id: int) -> Response:
    """Put another time in place of a punch's."""
    punch_id = _punch_of(day_text, employee_id)
    clock = forms.form_time("clock", N_("time"))
    library().corrections.correct(punch_id, clock, reason=forms.text("reason"), key=_key())
    done(_("The time is corrected; the original stays in the record."))
    return redirect(_address(day_text, employee_id))


@blueprint.post("/attendance/<day_text>/<int:employee_id>/void")
@tells_problems(lambda day_text, employee_id: _address(day_text, employee_id))
def void(day_text: str, employee_id: int) -> Response:
    """Take a punch out of the day."""
    library().corrections.void(_punch_of(day_text, employee_id), reason=forms.text("reason"), key=_key())
    done(_("The punch no longer counts; it stays in the record."))
    return redirect(_address(day_text, employee_id))


@blueprint.post("/attendance/<day_text>/<int:employee_id>/add")
@tells_problems(lambda day_text, employee_id: _address(day_text, employee_id))
def add_punch(day_text: str, employee_id: int) -> Response:
    """Add a punch that was forgotten."""
    person = library().desk.get_employee(employee_id)
    clock = forms.form_time("clock", N_("time"))
    library().corrections.add(person.code, _day(day_text), clock, reason=forms.text("reason"), key=_key())
    done(_("The punch is added."))
    return redirect(_address(day_text, employee_id))


def _punch_of(day_text: str, employee_id: int) -> int:
    """Return the punch that the form names, if it is one of this day: a page changes nothing but what it shows."""
    person = library().desk.get_employee(employee_id)
    record = library().corrections.get_day(person.code, _day(day_text))
    given = forms.text("punch")
    known = {str(entry.punch.id): entry.punch.id for entry in record.entries}
    if given not in known:
        abort(404)
    return known[given]


def _key() -> str:
    given = forms.text("key")
    if not _KEY.fullmatch(given):
        abort(400)
    return f"correction-{given}"


def _day(day_text: str) -> date:
    try:
        return read_date(day_text)
    except InvalidInputError:
        abort(404)


def _address(day_text: str, employee_id: int) -> str:
    return url_for("admin.day", day_text=day_text, employee_id=employee_id)

"""Leave: Izin and Sakit for a range of days."""

from __future__ import annotations

from datetime import timedelta

from flask import abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from ...kernel.domain import Status
from ...kernel.i18n import N_, _
from ..library import library
from . import forms
from .blueprint import blueprint, done, tells_problems

_STATUSES = (Status.EXCUSED, Status.SICK)
_BEFORE, _AFTER = timedelta(days=31), timedelta(days=92)


@blueprint.get("/leave")
def leave() -> str:
    """List leave around today, or of a period."""
    today = library().desk.work_date()
    first = forms.arg_date("from", today - _BEFORE)
    last = max(first, forms.arg_date("to", today + _AFTER))
    return render_template(
        "admin/leave.html",
        first=first,
        last=last,
        today=today,
        spans=library().leave.spans(first, last),
        people=library().employees(include_inactive=False),
        statuses=_STATUSES,
        chosen=forms.arg_text("code"),
    )


@blueprint.post("/leave")
@tells_problems(lambda: url_for("admin.leave"))
def enter_leave() -> Response:
    """Enter leave for a range of days."""
    given = forms.text("status")
    if given not in {status.value for status in _STATUSES}:
        abort(400)
    change = library().leave.enter(
        forms.text("code"),
        forms.form_date("from", N_("first day")),
        forms.form_date("to", N_("last day")),
        Status(given),
        note=forms.text("note"),
    )
    count = len(change.changed)
    told = N_("{name}: one day entered.") if count == 1 else N_("{name}: {count} days entered.")
    done(_(told, name=change.employee.name, count=count))
    return redirect(url_for("admin.leave"))


@blueprint.post("/leave/back")
@tells_problems(lambda: url_for("admin.leave"))
def take_back_leave() -> Response:
    """Take leave back."""
    first = forms.form_date("from", N_("first day"))
    change = library().leave.take_back(forms.text("code"), first, forms.form_date("to", N_("last day")))
    count = len(change.changed)
    told = N_("{name}: one day taken back.") if count == 1 else N_("{name}: {count} days taken back.")
    done(_(told, name=change.employee.name, count=count))
    return redirect(url_for("admin.leave"))

"""Why people were refused at kiosks and in browsers, by how much, and what to do: for administrators."""

from __future__ import annotations

from flask import render_template

from ...kernel.messages import advise, describe_distance, describe_outcome
from ..library import library
from . import forms
from .blueprint import blueprint


@blueprint.get("/refusals")
def refusals() -> str:
    """List refusals, the newest first, a page at a time."""
    page = library().refusals.page(forms.arg_page())
    rows = [
        (each, describe_outcome(each.outcome)[0], advise(each.outcome), describe_distance(each)) for each in page.rows
    ]
    days = library().settings.kiosk.refusals_days
    return render_template("admin/refusals.html", rows=rows, page=page, days=days)

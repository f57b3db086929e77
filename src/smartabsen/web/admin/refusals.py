"""Why people were refused at kiosks and in browsers, by how much, and what to do: for administrators."""

from __future__ import annotations

from flask import render_template

from ...messages import advise, describe_distance, describe_outcome
from ..library import library
from .blueprint import blueprint

_LAST = 100


@blueprint.get("/refusals")
def refusals() -> str:
    """List the last refusals, the newest first."""
    latest = library().refusals.latest(_LAST)
    rows = [(each, describe_outcome(each.outcome)[0], advise(each.outcome), describe_distance(each)) for each in latest]
    return render_template("admin/refusals.html", rows=rows, days=library().settings.kiosk.refusals_days)

"""Why people were refused at kiosks and in browsers, by how much, and what to do: for administrators."""

from __future__ import annotations

from flask import render_template

from ...domain import Outcome, Refusal
from ...i18n import _
from ...messages import advise, describe_outcome
from ..library import library
from .blueprint import blueprint

_LAST = 100


@blueprint.get("/refusals")
def refusals() -> str:
    """List the last refusals, the newest first."""
    latest = library().refusals.latest(_LAST)
    rows = [(each, describe_outcome(each.outcome)[0], advise(each.outcome), _how_far(each)) for each in latest]
    return render_template("admin/refusals.html", rows=rows, days=library().settings.kiosk.refusals_days)


def _how_far(refusal: Refusal) -> str:
    if refusal.short_by is None:
        return ""
    value = f"{refusal.short_by:.3f}"
    if refusal.outcome is not Outcome.AMBIGUOUS:
        needed = _("needed {threshold}", threshold=f"{refusal.threshold:.3f}")
        return f"{_('{value} below the threshold', value=value)} ({needed})"
    needed = _("needed {threshold}", threshold=f"{refusal.margin:.3f}")
    return f"{_('{value} too near to a second person', value=value)} ({needed})"

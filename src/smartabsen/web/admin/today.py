"""Who is in, late, and not there yet."""

from __future__ import annotations

from flask import render_template
from werkzeug.wrappers import Response

from ...kernel.messages import fill
from ..library import library
from .blueprint import blueprint
from .parts import first_part, part


@blueprint.get("/")
def today() -> str:
    """Show the work date as it stands."""
    today = library().desk.work_date().isoformat()
    library().audit.note_page("attendance.read", **{"from": today, "to": today})
    shown, etag = first_part("admin/_today.html", today=library().desk.today(), fill=fill)
    return render_template("admin/today.html", part=shown, etag=etag)


@blueprint.get("/today/part")
def today_part() -> Response:
    """Return the part of the page that changes, for polling."""
    return part("admin/_today.html", today=library().desk.today(), fill=fill)

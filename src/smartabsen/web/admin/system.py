"""The system: what is installed and in use, training, and the rows of doctor."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from ...domain import CheckLevel
from ...i18n import _
from ...messages import CHECK_LEVELS, fill
from ..library import library
from .blueprint import blueprint, done, tells_problems
from .parts import part

_LEVEL_CLASSES = {
    CheckLevel.OK: "success",
    CheckLevel.WARN: "warning",
    CheckLevel.FAIL: "danger",
    CheckLevel.SKIP: "secondary",
}


@blueprint.get("/system")
def system() -> str:
    """Show what is installed and in use."""
    return render_template(
        "admin/system.html", facts=library().system.facts(), job=library().trainings.find(), fill=fill
    )


@blueprint.get("/system/training")
def training_part() -> Response:
    """Return how the training stands, for polling."""
    return part("admin/_training.html", job=library().trainings.find(), fill=fill)


@blueprint.post("/system/training")
@tells_problems(lambda: url_for("admin.system"))
def train() -> Response:
    """Start a training in the background."""
    library().trainings.start()
    done(_("The training has begun."))
    return redirect(url_for("admin.system") + "#training")


@blueprint.post("/system/checks")
def check() -> str:
    """Check what can be checked, as ``smartabsen doctor`` does; a camera may be opened for it."""
    rows = [
        {
            "colour": _LEVEL_CLASSES[row.level],
            "level": _(CHECK_LEVELS[row.level]),
            "name": row.name,
            "detail": fill(row.detail, row.params),
            "fix": fill(row.fix, row.params),
        }
        for row in library().check_health()
    ]
    return render_template("admin/checks.html", rows=rows)

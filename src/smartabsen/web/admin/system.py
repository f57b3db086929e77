"""The system: what is installed and in use, training, and the rows of doctor."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from ...gallery.duplicates import DuplicateReport
from ...kernel.domain import CheckLevel
from ...kernel.i18n import _
from ...kernel.messages import CHECK_LEVELS, describe_weak, fill
from ..library import library
from . import forms
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
        "admin/system.html",
        facts=library().system.facts(),
        duplicates=_duplicates(),
        job=library().trainings.find(),
        fill=fill,
        describe_weak=describe_weak,
    )


def _duplicates() -> DuplicateReport:
    """Return the pairs with times of the site."""
    report = library().duplicates.find()
    at = report.searched_at
    return replace(report, searched_at=at and at.astimezone(ZoneInfo(library().settings.site.zone)))


@blueprint.post("/system/duplicates")
@tells_problems(lambda: url_for("admin.system"))
def mark_different() -> Response:
    """Remember that two codes are two people."""
    code, other = forms.text("code"), forms.text("other")
    library().duplicates.mark_different(code, other, reason=forms.text("reason"))
    done(_("{code} and {other} are two people: they are not listed again.", code=code, other=other))
    return redirect(url_for("admin.system"))


@blueprint.get("/system/training")
def training_part() -> Response:
    """Return how the training stands, for polling."""
    return part("admin/_training.html", job=library().trainings.find(), fill=fill, describe_weak=describe_weak)


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

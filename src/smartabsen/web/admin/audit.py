"""The audit trail: who did what to whom, when."""

from __future__ import annotations

from flask import render_template, request

from ..library import library
from . import forms
from .blueprint import blueprint
from .trail_words import KINDS


@blueprint.get("/audit")
def audit() -> str:
    """List entries, the newest first."""
    today = library().desk.work_date()
    asked = {name: forms.arg_text(name) for name in ("actor", "action", "subject")}
    first = forms.arg_date("from", today) if request.args.get("from") else None
    last = forms.arg_date("to", today) if request.args.get("to") else None
    before = request.args.get("before", "")
    page = library().desk.audit(
        **asked,
        first=first,
        last=last,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None,
    )
    given = {**asked, "from": first.isoformat() if first else "", "to": last.isoformat() if last else ""}
    return render_template(
        "admin/audit.html",
        page=page,
        given={name: value for name, value in given.items() if value},
        kinds=KINDS,
        first=first,
        last=last,
        continued=bool(before),
    )

"""Signing in: the computer shows a code, the phone confirms it."""

from __future__ import annotations

from flask import Blueprint, render_template

blueprint = Blueprint("auth", __name__)


@blueprint.get("/")
def home() -> str:
    """Show the first page."""
    return render_template("base.html")

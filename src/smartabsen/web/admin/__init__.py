"""The pages of the administrators, under ``/admin``."""

from flask import Blueprint, render_template

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


@blueprint.get("/login")
def login() -> str:
    """Ask who is there."""
    return render_template("admin/login.html")

"""Users of the dashboard."""

from __future__ import annotations

from flask import abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from ...domain import Role
from ...errors import InvalidInputError
from ...i18n import N_, _
from ..library import library
from . import forms
from .blueprint import blueprint, done, tells_problems

_ROLES = {role.value: role for role in Role}


@blueprint.get("/users")
def users() -> str:
    """List users."""
    return render_template(
        "admin/users.html", users=library().users.list_users(), roles=tuple(Role), now=library().now()
    )


@blueprint.post("/users")
@tells_problems(lambda: url_for("admin.users"))
def add_user() -> Response:
    """Add a user."""
    role = _ROLES.get(forms.text("role"))
    if role is None:
        abort(400)
    added = library().users.add(forms.text("name"), _password(), role=role)
    done(_("The user {name} was added.", name=added.name))
    return redirect(url_for("admin.users"))


@blueprint.post("/users/<name>/password")
@tells_problems(lambda **_: url_for("admin.users"))
def user_password(name: str) -> Response:
    """Give a user another password."""
    changed = library().users.set_password(name, _password())
    done(_("{name} has a new password; their sessions have ended.", name=changed.name))
    return redirect(url_for("admin.users"))


@blueprint.post("/users/<name>/active")
@tells_problems(lambda **_: url_for("admin.users"))
def user_active(name: str) -> Response:
    """Let a user sign in, or not."""
    active = forms.text("active") == "1"
    changed = library().users.enable(name) if active else library().users.disable(name)
    text = N_("{name} can log in.") if active else N_("{name} can no longer log in; their sessions have ended.")
    done(_(text, name=changed.name))
    return redirect(url_for("admin.users"))


@blueprint.post("/users/<name>/role")
@tells_problems(lambda **_: url_for("admin.users"))
def user_role(name: str) -> Response:
    """Give a user another role."""
    role = _ROLES.get(forms.text("role"))
    if role is None:
        abort(400)
    changed = library().users.set_role(name, role)
    done(_("The role of {name} is changed.", name=changed.name))
    return redirect(url_for("admin.users"))


def _password() -> str:
    if forms.secret("password") != forms.secret("repeated"):
        raise InvalidInputError(N_("The two passwords differ."))
    return forms.secret("password")

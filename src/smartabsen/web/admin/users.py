"""Users of the dashboard."""

from __future__ import annotations

from flask import abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from ...kernel.domain import Role
from ...kernel.i18n import N_, _
from ..library import library
from . import forms
from .access import current_user
from .blueprint import blueprint, done, tells_problems
from .confirm import needs_proof
from .login import check_repeated

_ROLES = {role.value: role for role in Role}


@blueprint.get("/users")
def users() -> str:
    """List users."""
    return render_template(
        "admin/users.html", users=library().users.list_users(), roles=tuple(Role), now=library().now()
    )


@blueprint.post("/users")
@needs_proof(N_("Add a user"))
@tells_problems(lambda: url_for("admin.users"))
def add_user() -> Response:
    """Add a user."""
    role = _ROLES.get(forms.text("role"))
    if role is None:
        abort(400)
    added = library().users.add(forms.text("name"), _password(), role=role, temporary=True)
    done(_("The user {name} was added and chooses a password of their own at the first login.", name=added.name))
    return redirect(url_for("admin.users"))


@blueprint.post("/users/<name>/password")
@needs_proof(N_("Set a user's password"))
@tells_problems(lambda **_: url_for("admin.users"))
def user_password(name: str) -> Response:
    """Give a user another password; unless it is one's own, they change it at the next login."""
    me = current_user()
    changed = library().users.set_password(name, _password(), temporary=me is None or me.name != name)
    done(_("{name} has a new password; their sessions have ended.", name=changed.name))
    return redirect(url_for("admin.users"))


@blueprint.post("/users/<name>/active")
@needs_proof(N_("Let a user log in, or not"))
@tells_problems(lambda **_: url_for("admin.users"))
def user_active(name: str) -> Response:
    """Let a user sign in, or not."""
    active = forms.text("active") == "1"
    changed = library().users.enable(name) if active else library().users.disable(name)
    text = N_("{name} can log in.") if active else N_("{name} can no longer log in; their sessions have ended.")
    done(_(text, name=changed.name))
    return redirect(url_for("admin.users"))


@blueprint.post("/users/<name>/role")
@needs_proof(N_("Change a role"))
@tells_problems(lambda **_: url_for("admin.users"))
def user_role(name: str) -> Response:
    """Give a user another role."""
    role = _ROLES.get(forms.text("role"))
    if role is None:
        abort(400)
    changed = library().users.set_role(name, role)
    done(_("The role of {name} is changed.", name=changed.name))
    return redirect(url_for("admin.users"))


@blueprint.post("/users/<name>/sessions/end")
@needs_proof(N_("End all sessions of a user"))
@tells_problems(lambda **_: url_for("admin.users"))
def end_user_sessions(name: str) -> Response:
    """End all sessions of a user."""
    ended = library().users.end_sessions(name)
    done(_("{name} is logged out everywhere. Sessions ended: {count}.", name=name, count=ended))
    return redirect(url_for("admin.users"))


@blueprint.post("/users/<name>/totp/off")
@needs_proof(N_("Remove a user's second factor"))
@tells_problems(lambda **_: url_for("admin.users"))
def reset_totp(name: str) -> Response:
    """Remove the second factor of somebody who lost the phone."""
    changed = library().users.turn_totp_off(name)
    done(_("{name} logs in with the password alone now.", name=changed.name))
    return redirect(url_for("admin.users"))


def _password() -> str:
    check_repeated()
    return forms.secret("password")

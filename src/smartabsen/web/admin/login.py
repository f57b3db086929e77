"""Logging in and out, the first administrator, and one's own password."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...domain import User
from ...errors import InvalidInputError, NotFoundError, SmartAbsenError
from ...i18n import N_, _, describe_error
from ..library import library
from ..security import rate_limited
from ..sessions import browser_session
from . import forms
from .access import current_user
from .blueprint import blueprint, done

_LOGIN_LIMIT: Final = {"limit": 30, "per_s": 300}
"""For each address; what protects an account is its own lock."""


@blueprint.get("/login")
def login() -> Response:
    """Ask who is there."""
    if current_user() is not None:
        return redirect(url_for("admin.today"))
    return _login_page()


@blueprint.post("/login")
@rate_limited("login", limit=_LOGIN_LIMIT["limit"], per_s=_LOGIN_LIMIT["per_s"])
def log_in() -> Response:
    """Check name and password."""
    user = library().users.authenticate(forms.text("name"), forms.secret("password"))
    if user is None:
        return _login_page(refused=True)
    # Many people behind one address who know their passwords keep nobody out.
    library().limits.give_back(f"login:{request.remote_addr}")
    _begin_session(user)
    return redirect(local_address(request.args.get("next", "")))


@blueprint.post("/logout")
def logout() -> Response:
    """End the session on the server and in the browser."""
    user = current_user()
    assert user is not None, "the access table lets nobody in without"
    library().users.note_logout(user)
    browser_session().end()
    return redirect(url_for("admin.login"))


@blueprint.get("/setup")
def setup() -> Response:
    """Ask for the setup secret and the first administrator's name and password."""
    if not library().users.needs_setup():
        return redirect(url_for("admin.login"))
    return make_response(render_template("admin/setup.html", problem="", name=""))


@blueprint.post("/setup")
@rate_limited("setup", limit=_LOGIN_LIMIT["limit"], per_s=_LOGIN_LIMIT["per_s"])
def set_up() -> Response:
    """Make the first administrator and log them in."""
    name = forms.text("name")
    try:
        _check_repeated()
        user = library().users.set_up(forms.text("secret"), name, forms.secret("password"))
    except SmartAbsenError as error:
        if error.http_status >= 500:
            raise
        status = 403 if isinstance(error, NotFoundError) else error.http_status
        page = render_template("admin/setup.html", problem=" ".join(describe_error(error)).strip(), name=name)
        return make_response(page, status)
    _begin_session(user)
    done(_("Welcome, {name}. Begin with the employees.", name=user.name))
    return redirect(url_for("admin.today"))


@blueprint.get("/account")
def account() -> str:
    """Show one's own account."""
    return render_template("admin/account.html")


@blueprint.post("/account")
@rate_limited("account", limit=_LOGIN_LIMIT["limit"], per_s=_LOGIN_LIMIT["per_s"])
def change_password() -> Response:
    """Give oneself another password; all other sessions end."""
    user = current_user()
    assert user is not None, "the access table lets nobody in without"
    try:
        _check_repeated()
        if library().users.authenticate(user.name, forms.secret("current")) is None:
            raise _wrong_password()
        changed = library().users.set_password(user.name, forms.secret("password"))
    except SmartAbsenError as error:
        if error.http_status >= 500:
            raise
        flash(" ".join(describe_error(error)).strip(), "danger")
        return redirect(url_for("admin.account"))
    _begin_session(changed)
    done(_("Your password is changed; you are logged out everywhere else."))
    return redirect(url_for("admin.account"))


def local_address(wanted: str) -> str:
    """Return an address among the administrators' pages: the one wanted, or the first page for any other."""
    parts = urlsplit(wanted)
    safe = wanted.startswith("/admin/") and not parts.scheme and not parts.netloc and "\\" not in wanted
    return wanted if safe and wanted.isprintable() else url_for("admin.today")


def _login_page(*, refused: bool = False) -> Response:
    page = render_template(
        "admin/login.html",
        refused=refused,
        name=forms.text("name"),
        needs_setup=library().users.needs_setup(),
        minutes=library().settings.desk.lock_minutes,
    )
    return make_response(page, 401 if refused else 200)


def _begin_session(user: User) -> None:
    desk = library().settings.desk
    browser_session().log_in(user.id, idle_s=desk.idle_minutes * 60, absolute_s=desk.session_hours * 3600)


def _check_repeated() -> None:
    if forms.secret("password") != forms.secret("repeated"):
        raise InvalidInputError(N_("The two passwords differ."))


def _wrong_password() -> SmartAbsenError:
    return InvalidInputError(N_("The current password is wrong."))

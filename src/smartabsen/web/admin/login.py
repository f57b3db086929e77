"""Logging in and out: password, code of the second factor, a password that somebody else gave; and the setup."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from flask import flash, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from ...kernel.domain import User
from ...kernel.errors import InvalidInputError, NotFoundError, SmartAbsenError
from ...kernel.i18n import N_, _, describe_error
from ...org.users import CodeVerdict
from ..device_cookie import describe_browser, find_device, keep_device
from ..library import library
from ..security import rate_limited, refuse_haste
from ..sessions import browser_session
from . import forms
from .access import current_user, limited_by_user
from .blueprint import blueprint, done
from .confirm import note_proof

_LOGIN_LIMIT: Final = {"limit": 30, "per_s": 300}
"""For each address, and for each user's codes, of devices that are not known; an account is protected by its lock."""
_HALF: Final = "half_login"
_HALF_LIFETIME: Final = timedelta(minutes=5)
"""Between the password and the code."""


@blueprint.get("/login")
def login() -> Response:
    """Ask who is there."""
    if current_user() is not None:
        return redirect(url_for("admin.today"))
    return _login_page()


@blueprint.post("/login")
def log_in() -> Response:
    """Check name and password."""
    name, device = forms.text("name"), find_device()
    counted = _is_counted(name)
    if counted and (refusal := refuse_haste(_limit_key(), **_LOGIN_LIMIT)) is not None:
        return refusal
    checked = library().users.check_password(name, forms.secret("password"), device=device)
    if checked.user is None:
        return _login_page(refused=True)
    if counted:
        # Many people behind one address who know their passwords keep nobody out.
        library().limits.give_back(_limit_key())
    wanted = local_address(request.args.get("next", ""))
    if checked.user.has_totp:
        _Half(checked.user.id, library().now(), wanted, checked.failed).keep()
        return redirect(url_for("admin.ask_code"), 303)
    enter(checked.user, failed=checked.failed)
    return redirect(wanted)


@blueprint.get("/login/code")
def ask_code() -> Response:
    """Ask for the code of the second factor."""
    return redirect(url_for("admin.login")) if _find_half() is None else _code_page("")


@blueprint.post("/login/code")
def check_code() -> Response:
    """Check the code of the second factor.

    Who has not typed the right password before is not counted: strangers use up nobody's tries.
    """
    half = _find_half()
    user = half and library().users.find_by_session(half.user_id, half.proved_at)
    if half is None or not user:
        session.pop(_HALF, None)
        return redirect(url_for("admin.login"))
    if _is_counted(user.name) and (refusal := refuse_haste(f"code:{user.id}", **_LOGIN_LIMIT)) is not None:
        return refusal
    verdict = library().users.check_code(user, forms.text("code"), device=find_device())
    if not verdict.is_right:
        return _code_page(_describe(verdict), 429 if verdict is CodeVerdict.LOCKED else 401)
    enter(user, factor=verdict.factor, failed=half.failed)
    if verdict is CodeVerdict.RECOVERY:
        left = library().users.count_recovery_codes(user)
        flash(
            _("You used a recovery code. {count} are left; new ones are made under “My account”.", count=left),
            "warning",
        )
    return redirect(half.wanted)


@blueprint.get("/login/password")
def first_password() -> Response:
    """Ask for a password of one's own in place of the one that an administrator gave."""
    user = current_user()
    assert user is not None, "the access table lets nobody in without"
    if not user.must_change_password:
        return redirect(url_for("admin.today"))
    return _first_password_page("")


@blueprint.post("/login/password")
@limited_by_user(**_LOGIN_LIMIT)
def set_first_password() -> Response:
    """Take a password of one's own."""
    user = current_user()
    assert user is not None, "the access table lets nobody in without"
    if not user.must_change_password:
        return redirect(url_for("admin.today"))
    try:
        check_repeated()
        changed = library().users.change_password(user, forms.secret("password"), device=find_device())
    except SmartAbsenError as error:
        if error.http_status >= 500:
            raise
        return _first_password_page(" ".join(describe_error(error)).strip(), error.http_status)
    begin_session(changed)
    done(_("Your password is changed; you are logged out everywhere else."))
    return redirect(url_for("admin.today"))


@blueprint.get("/login/second-factor")
def lead_to_totp() -> Response:
    """Lead somebody who needs a second factor and has none to setting it up."""
    user = current_user()
    assert user is not None, "the access table lets nobody in without"
    if user.has_totp or not library().users.demands_totp(user):
        return redirect(url_for("admin.today"))
    return make_response(render_template("admin/second_factor.html"))


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
        check_repeated()
        user = library().users.set_up(forms.text("secret"), name, forms.secret("password"))
    except SmartAbsenError as error:
        if error.http_status >= 500:
            raise
        status = 403 if isinstance(error, NotFoundError) else error.http_status
        page = render_template("admin/setup.html", problem=" ".join(describe_error(error)).strip(), name=name)
        return make_response(page, status)
    enter(user)
    done(_("Welcome, {name}. Begin with the employees.", name=user.name))
    return redirect(url_for("admin.today"))


def enter(user: User, *, factor: str = "", failed: int = 0) -> None:
    """Let somebody in who has proved who they are; this browser is a known device of theirs from now on."""
    keep_device(library().users.enter(user, device=find_device(), factor=factor, failed=failed))
    begin_session(user)


def begin_session(user: User) -> None:
    """Begin a session of a user, with a new id, in place of the one that this browser has."""
    desk = library().settings.desk
    browser_session().log_in(
        user.id, idle_s=desk.idle_minutes * 60, absolute_s=desk.session_hours * 3600, label=describe_browser()
    )
    note_proof()


def check_repeated() -> None:
    """Raise InvalidInputError where the two fields of a new password differ."""
    if forms.secret("password") != forms.secret("repeated"):
        raise InvalidInputError(N_("The two passwords differ."))


def local_address(wanted: str) -> str:
    """Return an address among the administrators' pages: the one wanted, or the first page for any other."""
    parts = urlsplit(wanted)
    safe = wanted.startswith("/admin/") and not parts.scheme and not parts.netloc and "\\" not in wanted
    return wanted if safe and wanted.isprintable() else url_for("admin.today")


@dataclass(frozen=True, slots=True)
class _Half:
    """A login whose password was right and whose code is still to come; kept by the server, for this browser."""

    user_id: int
    proved_at: datetime
    wanted: str
    failed: int

    def keep(self) -> None:
        # What this browser may do grows: another id.
        browser_session().renew()
        session[_HALF] = [self.user_id, self.proved_at.isoformat(), self.wanted, self.failed]


def _find_half() -> _Half | None:
    kept = session.get(_HALF)
    if kept is None:
        return None
    half = _Half(kept[0], datetime.fromisoformat(kept[1]), kept[2], kept[3])
    fresh = timedelta(0) <= library().now() - half.proved_at < _HALF_LIFETIME
    return half if fresh else None


def _is_counted(name: str) -> bool:
    """Return whether this browser shares the tries of others.

    A device on which this user signed in has its own: whoever uses up the others' keeps nobody out who was here before.
    """
    return not library().users.knows_device(name, find_device())


def _limit_key() -> str:
    return f"login:{request.remote_addr}"


def _login_page(*, refused: bool = False) -> Response:
    desk = library().settings.desk
    page = render_template(
        "admin/login.html",
        refused=refused,
        name=forms.text("name"),
        needs_setup=library().users.needs_setup(),
        minutes=desk.lock_minutes,
        contact=desk.contact,
    )
    return make_response(page, 401 if refused else 200)


def _code_page(problem: str, status: int = 200) -> Response:
    return make_response(render_template("admin/code.html", problem=problem), status)


def _first_password_page(problem: str, status: int = 200) -> Response:
    return make_response(render_template("admin/first_password.html", problem=problem), status)


def _describe(verdict: CodeVerdict) -> str:
    if verdict is CodeVerdict.LOCKED:
        minutes = library().settings.desk.lock_minutes
        return _("Too many wrong codes. Wait {minutes} minutes, then try again.", minutes=minutes)
    if verdict is CodeVerdict.FOREIGN:
        return _(
            "The server cannot read your second factor any more. Type a recovery code, or ask another administrator to "
            "remove it."
        )
    return _("The code is wrong or was used already. Wait for the next one; check that the phone's clock is right.")

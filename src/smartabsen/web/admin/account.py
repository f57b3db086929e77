"""One's own account: password, second factor, and where one is logged in."""

from __future__ import annotations

from typing import Final

from flask import flash, make_response, redirect, render_template, session, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from ...kernel.domain import User
from ...kernel.errors import ConflictError, InvalidInputError
from ...kernel.i18n import N_, _
from ..device_cookie import find_device
from ..library import library
from ..sessions import browser_session
from . import forms
from .access import current_user, limited_by_user, must_set_up_totp
from .blueprint import blueprint, done, tells_problems
from .confirm import needs_proof
from .login import begin_session, check_repeated

_TICKET: Final = "totp_ticket"
_LIMIT: Final = {"limit": 30, "per_s": 300}


@blueprint.get("/account")
def account() -> str:
    """Show one's own account."""
    user = _me()
    return render_template(
        "admin/account.html",
        sessions=library().users.list_sessions(user.name),
        this_session=library().web_sessions.find_listed_id(browser_session().sid or ""),
        recovery_codes=library().users.count_recovery_codes(user) if user.has_totp else 0,
        totp_demanded=library().users.demands_totp(user),
    )


@blueprint.post("/account")
@limited_by_user(**_LIMIT)
@tells_problems(lambda: url_for("admin.account"))
def change_password() -> Response:
    """Give oneself another password; all other sessions end."""
    user = _me()
    check_repeated()
    if not library().users.confirm(user, forms.secret("current"), forms.text("code"), device=find_device()):
        raise _wrong_password(user)
    begin_session(library().users.change_password(user, forms.secret("password"), device=find_device()))
    done(_("Your password is changed; you are logged out everywhere else."))
    return redirect(url_for("admin.account"))


@blueprint.post("/account/sessions/<session_id>/end")
@tells_problems(lambda **_: url_for("admin.account"))
def end_session(session_id: str) -> Response:
    """End one of one's own sessions."""
    library().users.end_session(_me().name, session_id)
    done(_("The session has ended."))
    return redirect(url_for("admin.account"))


@blueprint.post("/account/sessions/end")
def end_other_sessions() -> Response:
    """End all of one's own sessions but this one."""
    library().users.end_other_sessions(_me(), keep=browser_session().need_sid())
    done(_("You are logged out everywhere else."))
    return redirect(url_for("admin.account"))


@blueprint.post("/account/totp")
@needs_proof(N_("Set up a second factor"))
def begin_totp() -> Response:
    """Make a secret for an authenticator app; it lies sealed in this session until a code of it was typed."""
    session[_TICKET] = library().users.begin_totp(_me()).ticket
    return redirect(url_for("admin.show_totp"), 303)


@blueprint.get("/account/totp")
def show_totp() -> Response:
    """Show the QR for the app until a code of it was typed, and never again."""
    enrolment = library().users.find_totp(_me(), session.get(_TICKET, ""))
    if enrolment is None:
        return redirect(url_for("admin.account"))
    page = render_template(
        "admin/totp.html",
        qr=Markup(enrolment.svg),  # noqa: S704 - drawn here, from modules
        totp_first=must_set_up_totp("admin.account"),
        secret=" ".join(enrolment.secret[at : at + 4] for at in range(0, len(enrolment.secret), 4)),
    )
    return make_response(page)


@blueprint.post("/account/totp/on")
@limited_by_user(**_LIMIT)
@tells_problems(lambda: url_for("admin.show_totp"))
def turn_totp_on() -> Response:
    """Ask for codes from now on, and show the recovery codes once."""
    user = _me()
    codes = library().users.turn_totp_on(user, session.get(_TICKET, ""), forms.text("code"))
    session.pop(_TICKET, None)
    # Whoever is in elsewhere came without the second factor.
    library().users.end_other_sessions(user, keep=browser_session().need_sid())
    return _codes_page(codes)


@blueprint.post("/account/totp/off")
@needs_proof(N_("Remove the second factor"))
@tells_problems(lambda: url_for("admin.account"))
def turn_totp_off() -> Response:
    """Ask for no codes any more, unless they are demanded here."""
    user = _me()
    if library().users.demands_totp(user):
        raise ConflictError(N_("A second factor is demanded here."), hint=N_("Set up another app in its place."))
    library().users.turn_totp_off(user.name)
    done(_("Only your password is asked for now."))
    return redirect(url_for("admin.account"))


@blueprint.post("/account/totp/codes")
@needs_proof(N_("Make new recovery codes"))
def renew_recovery_codes() -> Response:
    """Make new recovery codes and show them once."""
    user = _me()
    if not user.has_totp:
        flash(_("{name} has no second factor.", name=user.name), "danger")
        return redirect(url_for("admin.account"))
    return _codes_page(library().users.renew_recovery_codes(user))


def _codes_page(codes: tuple[str, ...]) -> Response:
    return make_response(render_template("admin/recovery_codes.html", codes=codes))


def _me() -> User:
    user = current_user()
    assert user is not None, "the access table lets nobody in without"
    return user


def _wrong_password(user: User) -> InvalidInputError:
    if user.has_totp:
        return InvalidInputError(N_("The current password or the code is wrong."))
    return InvalidInputError(N_("The current password is wrong."))

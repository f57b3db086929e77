"""Signing in: the computer shows a code, the phone confirms it, and the computer collects what was granted."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, session, url_for
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup
from werkzeug.wrappers import Response

from ..core.signin import LIFETIME
from ..domain import SignInState
from ..i18n import _
from .faults import fail, json_answer, problem_of_status
from .grants import take_grant
from .library import library
from .pace import Pace
from .security import refuse_haste
from .sessions import browser_session

blueprint = Blueprint("auth", __name__)

_ASKED_FROM: Final = "asked_from"
"""Under which address a sign-in of a new browser was counted; gone from the session when it was used."""
POLL: Final = Pace(1.0)
"""A browser that asks more often how its sign-in stands is told to wait."""


@blueprint.get("/")
def home() -> Response:
    """Lead to the sign-in."""
    return redirect(url_for("auth.show"))


@blueprint.get("/auth")
def show() -> Response:
    """Make a request to sign in and show its code; the earlier one of this browser is dead. HEAD makes none."""
    if request.method == "HEAD":
        return make_response("")
    signin = library().signin
    if browser_session().sid is None:
        # Who has a session replaces a request; who has none adds one, and a session. Whoever is at a screen already
        # goes on, however many more are asked for at the same address.
        refusal = _count_waiting()
        if refusal is not None:
            return refusal
    # Before the session, so that it is stored together with a new one.
    generate_csrf()
    asked = signin.generate_qr_code(browser_session().need_sid())
    page = render_template(
        "auth.html",
        asked=asked,
        qr=Markup(signin.render_svg(asked)),  # noqa: S704 - drawn here, from modules
        seconds=max(0, int((asked.expires_at - library().now()).total_seconds())),
        address=signin.address,
        reaches_phones=signin.reaches_phones,
    )
    return make_response(page)


@blueprint.get("/auth/status")
def status() -> Response:
    """Tell the browser that asked how its request stands; nothing is written, and one row is read."""
    sid, request_id = browser_session().claimed_sid, request.args.get("request", "")
    if not sid:
        return _state(SignInState.DEAD, request_id)
    if POLL.is_too_fast(sid):
        return fail(problem_of_status(429), 429, retry_after_s=1)
    return _state(library().signin.get_verification_status(sid, request_id=request_id), request_id)


@blueprint.post("/auth")
def collect() -> Response:
    """Collect what the phone granted, once, and go on to the camera."""
    sid = browser_session().sid
    granted = library().signin.collect(sid) if sid else None
    if granted is None:
        flash(_("This sign-in is not valid any more. Here is a new one."))
        return redirect(url_for("auth.show"), 303)
    _count_used()
    take_grant(granted)
    # The camera's page needs a new token: stored now, it is not stored then.
    generate_csrf()
    return redirect(url_for("attendance.show"), 303)


def _count_waiting() -> Response | None:
    """Count a sign-in that waits at an address; return the answer 429 where as many wait there as may."""
    address = request.remote_addr or ""
    refusal = refuse_haste(
        _waiting_at(address), limit=library().settings.signin.waiting_per_address, per_s=int(LIFETIME.total_seconds())
    )
    if refusal is None:
        session[_ASKED_FROM] = address
    return refusal


def _count_used() -> None:
    address = session.pop(_ASKED_FROM, None)
    if isinstance(address, str):
        library().limits.give_back(_waiting_at(address))


def _waiting_at(address: str) -> str:
    return f"waiting:{address}"


def _state(state: SignInState, request_id: str) -> Response:
    response = json_answer({"state": state.value, "request": request_id})
    response.set_etag(sha256(f"{request_id} {state.value}".encode()).hexdigest()[:32])
    response.make_conditional(request)
    return response

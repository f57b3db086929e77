"""Signing in: the computer shows a code, the phone confirms it, and the computer collects what was granted."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, session, url_for
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup
from werkzeug.wrappers import Response

from ..kernel.domain import SignInDraft, SignInRequest, SignInState
from ..kernel.errors import TooManyTriesError
from ..kernel.i18n import _
from .faults import answer_known, fail, json_answer, problem_of_status
from .grants import take_grant
from .library import library
from .pace import Pace
from .sessions import DRAFT_KEY, browser_session

blueprint = Blueprint("auth", __name__)

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
    # Before the session, so that it is stored together with a new one.
    generate_csrf()
    try:
        asked = _ask()
    except TooManyTriesError as exc:
        response = answer_known(exc)
        # A screen that nobody touches must not stay there.
        response.headers["Refresh"] = response.headers["Retry-After"]
        return response
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
    """Tell the browser that asked how its request stands; one row is read, and a draft is kept from now on."""
    sid, request_id = browser_session().claimed_sid, request.args.get("request", "")
    asker = sid or request_id
    if asker and POLL.is_too_fast(asker):
        return fail(problem_of_status(429), 429, retry_after_s=1)
    state = library().signin.get_verification_status(sid, request_id=request_id) if sid else SignInState.DEAD
    if state is SignInState.DEAD:
        state = _keep_draft(request_id)
    return _state(state, request_id)


@blueprint.post("/auth")
def collect() -> Response:
    """Collect what the phone granted, once, and go on to the camera."""
    sid = browser_session().sid
    granted = library().signin.collect(sid) if sid else None
    if granted is None:
        flash(_("This sign-in is not valid any more. Here is a new one."))
        return redirect(url_for("auth.show"), 303)
    take_grant(granted)
    # The camera's page needs a new token: stored now, it is not stored then.
    generate_csrf()
    return redirect(url_for("attendance.show"), 303)


def _ask() -> SignInRequest:
    """Make a request; at an address without a free place a new browser gets a draft, see :meth:`SignIn.draft`.

    So whoever asks for codes without end, and keeps no cookie, writes nothing and takes nobody's place.
    """
    signin, address = library().signin, request.remote_addr or ""
    session.pop(DRAFT_KEY, None)
    if browser_session().sid is not None or signin.has_free_place(address):
        return signin.generate_qr_code(browser_session().need_sid(), address=address)
    asked, draft = signin.draft()
    session[DRAFT_KEY] = [draft.id, draft.token_hash, draft.code_hash, draft.number, draft.created_at.isoformat()]
    return asked


def _keep_draft(request_id: str) -> SignInState:
    signin, address = library().signin, request.remote_addr or ""
    if DRAFT_KEY not in session:
        return SignInState.DEAD
    draft_id, token_hash, code_hash, number, created_at = session[DRAFT_KEY]
    draft = SignInDraft(draft_id, token_hash, code_hash, number, datetime.fromisoformat(created_at))
    if request_id not in ("", draft.id):
        return SignInState.REPLACED
    if not signin.can_keep(draft, address=address):
        return SignInState.DEAD
    del session[DRAFT_KEY]
    kept = signin.keep_draft(draft, browser_session().need_sid(), address=address)
    return SignInState.PENDING if kept else SignInState.DEAD


def _state(state: SignInState, request_id: str) -> Response:
    response = json_answer({"state": state.value, "request": request_id})
    response.set_etag(sha256(f"{request_id} {state.value}".encode()).hexdigest()[:32])
    response.make_conditional(request)
    return response

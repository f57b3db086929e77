"""Attendance: by the face before the computer's camera, or by the PIN on a paired phone."""

from __future__ import annotations

import math
import re
import threading
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, current_app, make_response, redirect, render_template, request, session, url_for
from flask_babel import format_date, format_time
from werkzeug.wrappers import Response

from ..app.facade import SmartAbsen
from ..kernel.domain import LivenessAction, LivenessPrompt, Outcome, PunchResult
from ..kernel.errors import DeniedError, SmartAbsenError
from ..kernel.i18n import _
from ..kernel.messages import STAGES, STATUSES, describe_at_camera, describe_prompt, fill, greet
from ..kiosk.checkin import MAX_CHALLENGE_FRAMES, Burst, CheckInResult, key_reused
from .access import is_in_office
from .connection import hides_visitors
from .faults import describe_to_visitor, fail, json_answer
from .grants import find_grant, signed_out, use_up
from .library import library, log_remarks
from .phone_cookie import find_phone
from .security import allow_camera, refuse_haste
from .verify import has_confirmed

blueprint = Blueprint("attendance", __name__)

WARM_UP: Final = "SMARTABSEN_WARM_UP"
"""Key in the Flask configuration: whether the camera page loads engine and model in the background."""
ATTEMPTS: Final = 20
"""Bursts that one sign-in may send."""
LOOKS: Final = 600
"""Pictures of movements that go on, of one sign-in."""
_DONE: Final = (Outcome.RECOGNIZED, Outcome.ALREADY_RECORDED)
_CHALLENGE: Final = "challenge"
_KEY: Final = re.compile(r"[A-Za-z0-9-]{8,64}")


@blueprint.get("/web_attendance")
def show() -> Response:
    """Show the camera."""
    grant = find_grant()
    if grant is None or grant.answer is not None:
        return redirect(url_for("auth.show"))
    allow_camera()
    if current_app.config[WARM_UP] and not library().checkin.is_warm:
        # The person is still looking for the button.
        start_warm_up(library())
    page = render_template(
        "attendance.html", seconds=grant.seconds_left, paired=bool(grant.code), asks=library().checkin.asks
    )
    return make_response(page)


@blueprint.post("/challenge")
def challenge() -> Response:
    """Draw the movements that the next burst must show; the ones drawn before count no more."""
    grant = find_grant()
    assert grant is not None, "the access table lets nobody in without"
    refusal = refuse_haste(f"challenge:{grant.id}", limit=ATTEMPTS, per_s=300)
    if refusal is not None:
        return refusal
    cannot = request.form.get("cannot", "")
    without = frozenset({LivenessAction(cannot)} if cannot in set(LivenessAction) else ())
    drawn = library().checkin.draw(without=without)
    session[_CHALLENGE] = {"actions": list(drawn), "at": library().now().isoformat()}
    steps = [_describe_step(action, number, len(drawn)) for number, action in enumerate(drawn, start=1)]
    return json_answer({"steps": steps, "straight": describe_prompt(LivenessPrompt.LOOK_STRAIGHT)})


def _describe_step(action: LivenessAction, number: int, count: int) -> dict[str, Any]:
    return {
        "action": action.value,
        "text": describe_prompt(LivenessPrompt(action.value)),
        "step": _("Step {step} of {steps}", step=number, steps=count) if count > 1 else "",
    }


@blueprint.post("/challenge/look")
def look() -> Response:
    """Tell how far a movement is in one picture: only to show it. The burst is judged as a whole afterwards."""
    grant = find_grant()
    assert grant is not None, "the access table lets nobody in without"
    refusal = refuse_haste(f"look:{grant.id}", limit=LOOKS, per_s=300)
    if refusal is not None:
        return refusal
    frame, action = request.files.get("frame"), request.form.get("action", "")
    if frame is None or action not in set(LivenessAction):
        abort(400)
    seen = library().checkin.look(frame.stream.read(), LivenessAction(action), _read_posture())
    return json_answer(
        {
            "posture": seen.posture,
            "ready": seen.ready,
            "progress": round(seen.progress, 3),
            "text": _(STAGES[seen.stage]) if seen.stage in STAGES else "",
        }
    )


def _read_posture() -> tuple[float, ...]:
    """Return the posture that this page was told before; empty where there is none, or what came is none."""
    with suppress(ValueError):
        told = tuple(float(each) for each in request.form.get("start", "").split(","))
        if len(told) == 3 and told[2] > 0.0 and all(map(math.isfinite, told)):
            return told
    return ()


@blueprint.post("/process_attendance")
def process() -> Response:
    """Recognise the person in a burst of frames and record the punch."""
    grant = find_grant()
    assert grant is not None, "the access table lets nobody in without"
    key = request.form.get("key", "")
    if not _KEY.fullmatch(key):
        abort(400)
    files = request.files.getlist("frames")
    if len(files) > MAX_CHALLENGE_FRAMES:
        abort(400)
    burst = Burst([file.stream.read() for file in files], _read_times())
    if grant.answer is not None:
        if key != grant.key:
            return fail(signed_out(), 401)
        if burst.digest != grant.asked:
            raise key_reused()
        return json_answer(grant.answer)
    refusal = refuse_haste(f"attempt:{grant.id}", limit=ATTEMPTS, per_s=300)
    if refusal is not None:
        return refusal
    only = library().get_employee(grant.code) if grant.code else None
    asked, within_s = _take_challenge()
    burst = replace(burst, asked=asked, within_s=within_s)
    try:
        result = library().checkin.attempt(burst, key=f"web-{grant.id}-{key}", only=only, claim=f"web-{grant.id}")
    except DeniedError:
        # Two bursts at once: the other one was stored first.
        return fail(signed_out(), 401)
    finally:
        log_remarks(library())
    answer = _describe(result)
    if result.outcome in _DONE:
        use_up(grant, key=key, asked=burst.digest, answer=answer)
    return json_answer(answer)


def _take_challenge() -> tuple[tuple[LivenessAction, ...] | None, float | None]:
    """Return what the burst was asked to show, once, and the seconds since then."""
    kept = session.pop(_CHALLENGE, None)
    if not isinstance(kept, dict):
        return None, None
    within_s = (library().now() - datetime.fromisoformat(kept["at"])).total_seconds()
    return tuple(LivenessAction(action) for action in kept["actions"]), within_s


def _read_times() -> list[float]:
    """Return the times of capture in seconds; none where they are no numbers, which is refused later on."""
    try:
        return [float(each) / 1000.0 for each in request.form.get("times", "").split(",")]
    except ValueError:
        return []


@blueprint.get("/pin")
def show_pin() -> Response:
    """Ask the owner of a paired phone for the PIN."""
    return _pin_page()


@blueprint.post("/pin")
def punch_by_pin() -> Response:
    """Record a punch by phone and PIN."""
    phone = find_phone()
    key = request.form.get("key", "")
    if phone is None or not _may_punch_here():
        return _pin_page()
    if not _KEY.fullmatch(key):
        abort(400)
    try:
        result = library().phones.punch_by_pin(phone, request.form.get("pin", "").strip(), key=f"pin-{phone.id}-{key}")
    except SmartAbsenError as error:
        if error.http_status >= 500:
            raise
        message, hint = describe_to_visitor(error)
        return _pin_page(problem=f"{message} {hint}".strip(), status=error.http_status)
    return make_response(render_template("pin.html", message=_greeting(result)))


def start_warm_up(app: SmartAbsen) -> threading.Thread:
    """Load in the background what the first attempt needs; return the thread."""
    thread = threading.Thread(target=_warm_up, args=(app,), name="warm-up", daemon=True)
    thread.start()
    return thread


def _warm_up(app: SmartAbsen) -> None:
    with suppress(SmartAbsenError):
        # The attempt itself will say what is wrong.
        app.checkin.warm_up()
    log_remarks(app)


def _pin_page(*, problem: str = "", status: int = 200) -> Response:
    phone = find_phone()
    page = render_template("pin.html", phone=phone, here=_may_punch_here(), problem=problem, key=uuid.uuid4().hex)
    return make_response(page, status if phone is not None else 403)


def _may_punch_here() -> bool:
    # A PIN says who, not where: the phone is in the office's network, or has just been at one of its screens.
    here = is_in_office(request.remote_addr, library().settings.signin.networks) and not hides_visitors()
    return has_confirmed() or here


def _describe(result: CheckInResult) -> dict[str, Any]:
    """Return what a browser learns: no similarity, and nobody's name but that of who was recorded."""
    message, next_step = describe_at_camera(result.outcome, covered=result.covered)
    if result.detail and result.outcome is not Outcome.UNREADABLE:
        # The formats in that detail are those of files; browsers send fewer.
        message = fill(result.detail, result.params)
    if result.result is None:
        return {
            "outcome": result.outcome.value,
            "message": message,
            "next_step": next_step,
            "employee": None,
            "punch": None,
        }
    punch = result.result.punch
    status = punch.status or result.result.day.status
    return {
        "outcome": result.outcome.value,
        "message": _greeting(result.result),
        "next_step": "",
        "employee": {"code": result.result.employee.code, "name": result.result.employee.name},
        "punch": {
            "at": punch.at.isoformat(timespec="seconds"),
            "time": format_time(punch.at, "short"),
            "date": format_date(punch.at, "full"),
            "status": status.value,
            "status_text": _(STATUSES[status]),
        },
    }


def _greeting(result: PunchResult) -> str:
    return greet(result, ZoneInfo(library().settings.site.zone))

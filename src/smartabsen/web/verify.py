"""What a phone does: answer a request to sign in, and become the paired phone of an employee.

Looking changes nothing, however often link previews and scanners fetch a page. Unknown, expired, used and foreign
secrets get the same answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from flask import Blueprint, make_response, render_template, request, session
from werkzeug.wrappers import Response

from ..kernel.domain import PairedPhone, SecurityKind, VerifyOutcome
from ..kernel.errors import InvalidInputError, NotFoundError
from ..kernel.i18n import _
from .library import library
from .phone_cookie import describe_phone, find_phone, keep_credential
from .security import refuse_haste

blueprint = Blueprint("verify", __name__)

PIN_WITHIN: Final = timedelta(minutes=5)
"""After a phone has confirmed at a screen, its owner may punch by PIN for so long, from whatever network."""
CONFIRMED: Final = "confirmed_until"
_STATUSES: Final = {
    VerifyOutcome.CONFIRMED: 200,
    VerifyOutcome.DECLINED: 200,
    VerifyOutcome.WRONG_NUMBER: 409,
    VerifyOutcome.INVALID: 410,
    VerifyOutcome.PHONE_NOT_PAIRED: 403,
}


@blueprint.get("/verify_qr")
def show() -> Response:
    """Show who asks to sign in, or ask for the typed code."""
    token = request.args.get("token", "")
    if not token:
        return make_response(render_template("verify_code.html"))
    return _ask(token, typed=False)


@blueprint.post("/verify_qr")
def answer() -> Response:
    """Confirm or decline a request; or, with a typed code alone, show who asks."""
    token, typed = request.form.get("token", ""), request.form.get("code", "")
    secret, action = token or typed, request.form.get("action", "")
    if action == "look":
        return _ask(secret, typed=not token)
    phone = find_phone()
    decline = action == "decline"
    try:
        outcome = library().signin.verify_qr_code(
            secret,
            number=None if decline else _number(request.form.get("number", "")),
            decline=decline,
            phone=phone,
            client=_client(phone),
        )
    except InvalidInputError:
        # Nothing was counted: the number was left out or is none.
        return _ask(secret, typed=not token, problem=_("Type the two digits that the computer shows."))
    return _outcome(outcome, phone)


@blueprint.get("/pair")
def show_pairing() -> Response:
    """Ask whether this phone becomes the phone of an employee."""
    token = request.args.get("token", "")
    pairing = library().phones.find_pairing(token) if token else None
    if token and pairing is None:
        library().security.note(SecurityKind.TOKEN_REFUSED, reason="pairing")
    return make_response(
        render_template("pair.html", pairing=pairing, token=token, phone=find_phone()), 200 if pairing else 410
    )


@blueprint.post("/pair")
def pair() -> Response:
    """Pair this phone; the invitation is used up. Only invitations that are none are counted."""
    token = request.form.get("token", "")
    if library().phones.find_pairing(token) is None:
        refusal = refuse_haste(f"pair:{request.remote_addr}", limit=20, per_s=60)
        if refusal is not None:
            return refusal
    try:
        credential = library().phones.complete_pairing(token, label=describe_phone())
    except NotFoundError:
        return make_response(render_template("pair.html", pairing=None), 410)
    response = make_response(render_template("pair.html", paired=credential.employee))
    return keep_credential(response, credential.value)


def has_confirmed() -> bool:
    """Tell whether this phone has confirmed at a screen within the last minutes."""
    until = session.get(CONFIRMED)
    return isinstance(until, str) and datetime.fromisoformat(until) > library().now()


def _ask(secret: str, *, typed: bool, problem: str = "") -> Response:
    phone = find_phone()
    ask = library().signin.find_ask(secret, client=_client(phone) if typed else None)
    if ask is None:
        return _outcome(VerifyOutcome.INVALID, None)
    if phone is None and library().settings.signin.phone == "paired":
        return _outcome(VerifyOutcome.PHONE_NOT_PAIRED, None)
    page = render_template("verify.html", ask=ask, secret=secret, typed=typed, phone=phone, problem=problem)
    return make_response(page, 400 if problem else 200)


def _client(phone: PairedPhone | None) -> str:
    """Return whose wrong access codes are counted: a paired phone's own, else those of its address.

    Strangers behind the office's address keep no paired phone from typing a code.
    """
    return (request.remote_addr or "") if phone is None else f"phone:{phone.id}"


def _outcome(outcome: VerifyOutcome, phone: PairedPhone | None) -> Response:
    offers_pin = False
    if outcome is VerifyOutcome.CONFIRMED and phone is not None:
        session[CONFIRMED] = (library().now() + PIN_WITHIN).isoformat()
        offers_pin = library().phones.has_pin(phone.employee.code)
    page = render_template("verify_outcome.html", outcome=outcome.value, offers_pin=offers_pin)
    return make_response(page, _STATUSES[outcome])


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) == 2 else None

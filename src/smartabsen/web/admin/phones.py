"""Phones and PINs of an employee."""

from __future__ import annotations

import secrets
from typing import Final

from flask import make_response, redirect, render_template, session, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from ...kernel.i18n import N_, _
from ..library import library
from ..sessions import browser_session
from . import forms
from .blueprint import blueprint, done, tells_problems
from .confirm import needs_proof
from .parts import part

_INVITATION: Final = "invitation"
"""Key in the session of what the token is made again from; the token itself lies in no row, in no Redis."""


@blueprint.post("/employees/<int:employee_id>/phones")
@needs_proof(N_("Pair a phone"))
@tells_problems(lambda employee_id: _address(employee_id))
def pair_phone(employee_id: int) -> Response:
    """Invite somebody to pair one phone, once, within ten minutes; the page that shows it can be loaded again."""
    person = library().desk.get_employee(employee_id)
    nonce = secrets.token_urlsafe(16)
    library().phones.start_pairing(person.code, token=_token(nonce))
    session[_INVITATION] = nonce
    return redirect(url_for("admin.show_pairing", employee_id=employee_id), 303)


@blueprint.get("/employees/<int:employee_id>/phones")
def show_pairing(employee_id: int) -> Response:
    """Show the QR of the invitation that this session has made last; without one that is open, the employee."""
    person = library().desk.get_employee(employee_id)
    nonce = session.get(_INVITATION, "")
    pairing = library().phones.find_pairing(_token(nonce)) if nonce else None
    if pairing is None or pairing.employee.id != person.id:
        return redirect(_address(employee_id))
    page = render_template(
        "admin/pair_phone.html",
        person=person,
        pairing=pairing,
        qr=Markup(library().phones.render_svg(pairing)),  # noqa: S704 - drawn here, from modules
        phones=library().phones.list_phones(person.code),
        reaches_phones=library().signin.reaches_phones,
    )
    return make_response(page)


@blueprint.get("/employees/<int:employee_id>/phones/part")
def phones_part(employee_id: int) -> Response:
    """Return the list of phones, for the page that waits for a new one."""
    person = library().desk.get_employee(employee_id)
    return part("admin/_phones.html", person=person, phones=library().phones.list_phones(person.code))


@blueprint.post("/employees/<int:employee_id>/phones/<int:phone_id>/revoke")
@needs_proof(N_("Revoke a phone"))
@tells_problems(lambda employee_id, **_: _address(employee_id))
def revoke_phone(employee_id: int, phone_id: int) -> Response:
    """Revoke a phone at once."""
    person = library().desk.get_employee(employee_id)
    if phone_id in {phone.id for phone in library().phones.list_phones(person.code)}:
        library().phones.revoke(phone_id)
    done(_("The phone counts no longer."))
    return redirect(_address(employee_id))


@blueprint.post("/employees/<int:employee_id>/pin")
@needs_proof(N_("Set a PIN"))
@tells_problems(lambda employee_id: _address(employee_id))
def set_pin(employee_id: int) -> Response:
    """Give an employee a PIN."""
    person = library().desk.get_employee(employee_id)
    library().phones.set_pin(person.code, forms.text("pin"))
    done(_("The PIN of {name} is set.", name=person.name))
    return redirect(_address(employee_id))


@blueprint.post("/employees/<int:employee_id>/pin/remove")
@needs_proof(N_("Remove the PIN"))
@tells_problems(lambda employee_id: _address(employee_id))
def remove_pin(employee_id: int) -> Response:
    """Take an employee's PIN away."""
    person = library().desk.get_employee(employee_id)
    library().phones.remove_pin(person.code)
    done(_("{name} has no PIN now.", name=person.name))
    return redirect(_address(employee_id))


def _token(nonce: str) -> str:
    return library().phones.token_of(browser_session().need_sid(), nonce)


def _address(employee_id: int) -> str:
    return url_for("admin.employee", employee_id=employee_id)

"""Orders for overtime: ordering, the worker's consent, approving; the list that the law asks for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from flask import abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from ...attendance.overtime.model import Order, Ordered
from ...attendance.overtime.texts import STATES, describe_finding
from ...kernel.i18n import N_, _
from ..library import library
from . import filled, forms
from .blueprint import blueprint, done
from .filled import shows_again
from .people_choice import people_to_choose, seen_code, seen_ids

_BEFORE, _AFTER = timedelta(days=31), timedelta(days=62)


@blueprint.get("/overtime")
def overtime() -> str:
    """List the orders of a period, and ask for another one."""
    today = library().desk.work_date()
    first = forms.arg_date("from", today - _BEFORE)
    last = max(first, forms.arg_date("to", today + _AFTER))
    ids = seen_ids()
    orders = [each for each in library().overtime.orders(first, last)[::-1] if ids is None or each.employee_id in ids]
    names = {each.code: each.name for each in orders}
    found = library().overtime.findings(first, last)
    return render_template(
        "admin/overtime.html",
        orders=orders,
        findings=[
            (names[code], describe_finding(each)) for code, caps in found.items() if code in names for each in caps
        ],
        first=first,
        last=last,
        today=today,
        people=people_to_choose(),
        chosen=forms.arg_text("code"),
        states=STATES,
    )


@blueprint.post("/overtime")
@shows_again(overtime)
def order_overtime() -> Response:
    """Order overtime."""
    day = filled.day("date", N_("date"))
    minutes = 60 * filled.number("hours", N_("hours")) + filled.number("minutes", N_("minutes"))
    with filled.at("code"):
        code = seen_code()
        library().get_employee(code)
    with filled.at("hours"):
        ordered = library().overtime.order(code, day, minutes, reason=forms.text("reason"))
    done(_("Overtime is ordered for {name} on {date}.", name=ordered.order.name, date=day))
    _tell_caps(ordered)
    return redirect(_address(ordered.order))


@blueprint.post("/overtime/<int:order_id>/consent")
@shows_again(lambda order_id: overtime())  # noqa: ARG005 - the view's arguments
def consent_to_overtime(order_id: int) -> Response:
    """Note that the worker agrees."""
    return _say(order_id, library().overtime.consent, _("The consent is noted."))


@blueprint.post("/overtime/<int:order_id>/approve")
@shows_again(lambda order_id: overtime())  # noqa: ARG005 - the view's arguments
def approve_overtime(order_id: int) -> Response:
    """Approve an order."""
    return _say(order_id, library().overtime.approve, _("The order is approved."))


@blueprint.post("/overtime/<int:order_id>/cancel")
@shows_again(lambda order_id: overtime())  # noqa: ARG005 - the view's arguments
def cancel_overtime(order_id: int) -> Response:
    """Take an order back."""
    return _say(order_id, library().overtime.cancel, _("The order is taken back."))


def _say(order_id: int, what: Callable[[int], Ordered], told: str) -> Response:
    if (ids := seen_ids()) is not None:
        today = library().desk.work_date()
        year = timedelta(days=366)
        known = {each.id: each.employee_id for each in library().overtime.orders(today - year, today + year)}
        if known.get(order_id) not in ids:
            abort(404)
    said = what(order_id)
    done(told)
    return redirect(_address(said.order))


def _address(order: Order) -> str:
    today = library().desk.work_date()
    first, last = min(order.work_date, today - _BEFORE), max(order.work_date, today + _AFTER)
    return url_for("admin.overtime", **{"from": first.isoformat(), "to": last.isoformat()})  # type: ignore[arg-type]


def _tell_caps(ordered: Ordered) -> None:
    for finding in ordered.findings:
        flash(describe_finding(finding), "warning")

"""Requests for leave: the list, deciding, asking, their attachments; balances, and kinds."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...attendance.leave.letters import MOST_BYTES
from ...attendance.leave.model import (
    BulkLeave,
    LeaveAsk,
    LeaveRequest,
    Letter,
    RequestState,
    days_text,
    parse_days,
)
from ...attendance.leave.texts import ENTRIES, STATES, STEPS
from ...attendance.rules.model import DayStatus, Portion
from ...attendance.rules.ruleset import LeaveKind
from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_, _, describe_error
from ..library import library
from . import filled, forms
from .access import ROUTES, current_user, may
from .blueprint import blueprint, done
from .filled import shows_again
from .people_choice import own_department, people_to_choose, refuse_unseen, seen_code, seen_ids
from .words import describe_leave_status

_BEFORE, _AFTER = timedelta(days=31), timedelta(days=183)
_PORTIONS: Final = {portion.value: portion for portion in Portion}
_KIND_STATUSES: Final = (DayStatus.LEAVE, DayStatus.EXCUSED, DayStatus.SICK, DayStatus.DUTY)
_TYPES: Final = {".pdf": "application/pdf", ".png": "image/png"}
_MOST_TOLD: Final = 5


@blueprint.get("/leave/requests")
def leave_requests() -> str:
    """List requests that wait, and those of a period."""
    today = library().desk.work_date()
    first = forms.arg_date("from", today - _BEFORE)
    last = max(first, forms.arg_date("to", today + _AFTER))
    ids = seen_ids()
    waiting = library().leave_book.requests(states=(RequestState.REQUESTED,))
    decided = library().leave_book.requests(
        states=tuple(state for state in RequestState if state is not RequestState.REQUESTED), first=first, last=last
    )
    return render_template(
        "admin/leave_requests.html",
        first=first,
        last=last,
        today=today,
        waiting=[each for each in waiting if ids is None or each.employee_id in ids],
        decided=[each for each in decided if ids is None or each.employee_id in ids],
        kinds=[(kind.code, kind.label) for kind in library().leave_book.kinds() if kind.is_active],
        departments=_departments(),
        people=people_to_choose(),
        may_enter=_may_enter(),
        chosen=forms.arg_text("code"),
        states=STATES,
        days_text=days_text,
    )


@blueprint.get("/leave/requests/<int:request_id>")
def leave_request(request_id: int) -> str:
    """Show one request with its steps and attachments."""
    found = _seen(request_id)
    return render_template("admin/leave_request.html", one=found, states=STATES, steps=STEPS, days_text=days_text)


@blueprint.post("/leave/requests")
@shows_again(leave_requests)
def ask_for_leave() -> Response:
    """Ask for leave for somebody, or enter what is approved at once."""
    portion = _PORTIONS.get(forms.text("portion"))
    if portion is None:
        abort(400)
    first = filled.day("first", N_("first day"))
    last = filled.day_if_any("last", N_("last day")) or first
    with filled.at("letter"):
        letter = _read_letter()
    ask = LeaveAsk(forms.text("kind"), first, last, portion, forms.text("note"), letter)
    at_once = filled.ticked("at_once")
    if at_once and not _may_enter():
        abort(403)
    if department := forms.text("department"):
        if not at_once:
            with filled.at("department"):
                raise InvalidInputError(N_("For a department, leave is entered as approved: tick the box."))
        _tell_bulk(library().leave_book.add_for_department(department, ask))
        return redirect(url_for("admin.leave_requests"))
    with filled.at("code"):
        if not forms.text("code"):
            raise InvalidInputError(N_("Say whom it is for."))
        code = seen_code()
    book = library().leave_book
    made = book.add(code, ask) if at_once else book.request(code, ask)
    done(_("{name}: {kind}, {days} days.", name=made.name, kind=made.label, days=days_text(made.half_days)))
    return redirect(url_for("admin.leave_request", request_id=made.id))


@blueprint.post("/leave/requests/<int:request_id>/approve")
@shows_again(leave_request)
def approve_leave(request_id: int) -> Response:
    """Approve a request: one step."""
    _seen(request_id)
    approved = library().leave_book.approve(request_id, reason=forms.text("reason"))
    if approved.state is RequestState.APPROVED:
        done(_("The leave of {name} is approved.", name=approved.name))
    else:
        done(_("One approval is given; somebody else gives the next one."))
    return redirect(url_for("admin.leave_requests"))


@blueprint.post("/leave/requests/<int:request_id>/reject")
@shows_again(leave_request)
def reject_leave(request_id: int) -> Response:
    """Refuse a request."""
    _seen(request_id)
    with filled.at("reason"):
        if not forms.text("reason"):
            raise InvalidInputError(N_("The {field} is empty."), field=N_("reason"))
    rejected = library().leave_book.reject(request_id, reason=forms.text("reason"))
    done(_("The request of {name} is rejected.", name=rejected.name))
    return redirect(url_for("admin.leave_requests"))


@blueprint.post("/leave/requests/<int:request_id>/withdraw")
@shows_again(leave_request)
def withdraw_leave(request_id: int) -> Response:
    """Take a request back, and give back what it took."""
    _seen(request_id)
    withdrawn = library().leave_book.withdraw(request_id, reason=forms.text("reason"))
    done(_("The request of {name} is withdrawn.", name=withdrawn.name))
    return redirect(url_for("admin.leave_requests"))


@blueprint.get("/leave/requests/<int:request_id>/letters/<int:number>")
def leave_letter(request_id: int, number: int) -> Response:
    """Send an attachment; the audit trail is told."""
    _seen(request_id)
    letters = library().leave_book.open_letters(request_id)
    if not 1 <= number <= len(letters):
        abort(404)
    letter = letters[number - 1]
    ending = letter.name[letter.name.rfind(".") :].lower()
    answer = Response(letter.content, content_type=_TYPES.get(ending, "image/jpeg"))
    answer.headers["Content-Disposition"] = f'attachment; filename="letter-{request_id}-{number}{ending}"'
    return answer


@blueprint.get("/leave/balances")
def leave_balances() -> str:
    """Show the balances of somebody with their ledger."""
    return _balances(forms.arg_text("code"))


@blueprint.post("/leave/balances/grant")
@shows_again(lambda: _balances(forms.text("code")))
def grant_leave() -> Response:
    """Give somebody days."""
    with filled.at("days"):
        days = parse_days(forms.text("days"))
    expires = filled.day_if_any("expires", N_("date"))
    code, kind = forms.text("code"), forms.text("kind")
    library().leave_book.grant(
        code, kind, days, expires=expires, carried=filled.ticked("carried"), note=forms.text("note")
    )
    done(_("Days given: {days}.", days=days_text(days)))
    return redirect(url_for("admin.leave_balances", code=code))


@blueprint.post("/leave/balances/adjust")
@shows_again(lambda: _balances(forms.text("code")))
def adjust_leave() -> Response:
    """Add days to a balance or take some away, with a reason."""
    with filled.at("days"):
        days = parse_days(forms.text("days"))
    code = forms.text("code")
    library().leave_book.adjust(code, forms.text("kind"), days, reason=forms.text("reason"))
    done(_("The balance is adjusted by {days} days.", days=days_text(days)))
    return redirect(url_for("admin.leave_balances", code=code))


@blueprint.get("/leave/kinds")
def leave_kinds() -> str:
    """List the kinds of leave, and ask for one of the firm's own."""
    return render_template(
        "admin/leave_kinds.html",
        kinds=library().leave_book.kinds(),
        statuses=[(status.value, describe_leave_status(status)) for status in _KIND_STATUSES],
        status_words={status: describe_leave_status(status) for status in _KIND_STATUSES},
        accounts=_accounts(),
    )


@blueprint.post("/leave/kinds")
@shows_again(leave_kinds)
def put_leave_kind() -> Response:
    """Add a kind of the firm, or change one."""
    if forms.text("status") not in {status.value for status in _KIND_STATUSES}:
        abort(400)
    account = forms.text("account")
    kind = LeaveKind(
        forms.text("code"),
        forms.text("label"),
        DayStatus(forms.text("status")),
        account=forms.text("code").lower() if account == "own" else account,
        most_days=filled.number("most_days", N_("number of days")) or None,
        calendar=filled.ticked("calendar"),
        counts_as_work=filled.ticked("counts_as_work"),
        is_active=filled.ticked("is_active"),
    )
    try:
        stored = library().leave_book.put_kind(kind)
    except InvalidInputError as error:
        with filled.at("label" if error.params.get("field") == "name" else "code"):
            raise
    done(_("The kind of leave “{label}” is stored.", label=stored.label))
    return redirect(url_for("admin.leave_kinds"))


def _balances(code: str) -> str:
    person = library().get_employee(code) if code else None
    if person is not None:
        refuse_unseen(person.id)
    limited = {kind.account for kind in library().leave_book.kinds() if kind.account}
    return render_template(
        "admin/leave_balances.html",
        person=person,
        code=code,
        balances=library().leave_book.balances(person.code) if person is not None else (),
        kinds=[(kind.code, kind.label) for kind in library().leave_book.kinds() if kind.code in limited],
        people=people_to_choose(),
        entries=ENTRIES,
        days_text=days_text,
        may_grant=_may_enter(),
        today=library().desk.work_date(),
    )


def _seen(request_id: int) -> LeaveRequest:
    """Return a request of somebody whom the user may see. Raises NotFoundError."""
    found = library().leave_book.get(request_id)
    refuse_unseen(found.employee_id)
    return found


def _may_enter() -> bool:
    user = current_user()
    return user is not None and may(user, ROUTES["admin.grant_leave"], "POST")


def _departments() -> list[tuple[str, str]]:
    if own_department() or not _may_enter():
        return []
    return [(each.code, each.name) for each in library().departments.list_departments()]


def _accounts() -> list[tuple[str, str]]:
    return [(kind.code, kind.label) for kind in library().leave_book.kinds() if kind.account == kind.code]


def _read_letter() -> Letter | None:
    given = request.files.get("letter")
    if given is None or not given.filename:
        return None
    with given.stream as stream:
        return Letter(given.filename.replace("\\", "/").rpartition("/")[2], stream.read(MOST_BYTES + 1))


def _tell_bulk(bulk: BulkLeave) -> None:
    done(_("Leave was entered for {count} people.", count=len(bulk.added)))
    for _code, name, error in bulk.refused[:_MOST_TOLD]:
        flash(f"{name}: {' '.join(describe_error(error))}".strip(), "warning")
    if len(bulk.refused) > _MOST_TOLD:
        flash(_("And {count} more.", count=len(bulk.refused) - _MOST_TOLD), "warning")

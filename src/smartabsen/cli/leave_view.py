"""Leave, as scripts and people see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ..attendance.leave.model import (
    FULL_DAY,
    BulkLeave,
    Entry,
    LeaveBalance,
    LeaveRequest,
    LeaveStep,
    LedgerEntry,
    Recounted,
    RequestState,
    days_text,
)
from ..attendance.rules.model import Portion
from ..attendance.rules.ruleset import LeaveKind
from ..kernel.domain import Employee
from ..kernel.errors import PartlyDoneError
from ..kernel.i18n import N_, _, describe_error
from .answer import Answer, Json
from .output import Column, Output

STATES: Final[Mapping[RequestState, str]] = {
    RequestState.REQUESTED: N_("requested"),
    RequestState.APPROVED: N_("approved"),
    RequestState.REJECTED: N_("rejected"),
    RequestState.WITHDRAWN: N_("withdrawn"),
}
ENTRIES: Final[Mapping[Entry, str]] = {
    Entry.GRANT: N_("granted"),
    Entry.CARRY: N_("carried over"),
    Entry.ADJUST: N_("adjusted"),
    Entry.TAKE: N_("taken"),
    Entry.EXPIRE: N_("expired"),
}
STEPS: Final[Mapping[str, str]] = {
    "approve": N_("approved"),
    "reject": N_("rejected"),
    "withdraw": N_("withdrawn"),
    "add": N_("entered"),
    "recount": N_("counted again"),
}


def request(value: LeaveRequest) -> Json:
    """A request."""
    return {
        "id": value.id,
        "code": value.code,
        "name": value.name,
        "kind": value.kind,
        "label": value.label,
        "from": value.first.isoformat(),
        "to": value.last.isoformat(),
        "half": None if value.portion is Portion.FULL else value.portion.value,
        "days": value.half_days / FULL_DAY,
        "state": value.state.value,
        "steps_wanted": value.steps_wanted,
        "steps_done": value.steps_done,
        "note": value.note,
        "asked_by": value.asked_by,
        "asked_at": value.asked_at.isoformat(),
        "steps": [_step(each) for each in value.steps],
        "letters": list(value.letters),
    }


def request_answer(value: LeaveRequest) -> Answer:
    """The answer of a command about one request."""

    def show(out: Output) -> None:
        show_requests(out, (value,))
        for step in value.steps:
            place = _("in the place of {name}", name=step.in_place_of) if step.in_place_of else ""
            out.line(" ".join(filter(None, (f"{step.at:%Y-%m-%d}", _(STEPS[step.decision]), step.actor, place))))
        for name in value.letters:
            out.line(_("Attachment: {name}", name=name))
        left = value.steps_wanted - value.steps_done
        if value.state is RequestState.REQUESTED and left:
            out.note(_("Approvals that it still needs: {count}.", count=left))

    return Answer(data=request(value), show=show)


def show_requests(out: Output, values: Sequence[LeaveRequest]) -> None:
    """Print requests."""
    columns = (
        Column(_("Number"), number=True),
        Column(_("Code"), whole=True),
        Column(_("Name")),
        Column(_("Kind")),
        Column(_("From"), whole=True),
        Column(_("To"), whole=True),
        Column(_("Days"), number=True),
        Column(_("State"), whole=True),
    )
    rows = [
        (
            str(each.id),
            each.code,
            each.name,
            each.label,
            str(each.first),
            str(each.last),
            days_text(each.half_days),
            _state(each),
        )
        for each in values
    ]
    out.table(columns, rows, empty=_("No requests for leave."))


def bulk_answer(value: BulkLeave) -> Answer:
    """The answer of leave that was entered for many."""
    refused = [
        {"code": code, "name": name, "error": error.code, "message": describe_error(error)[0]}
        for code, name, error in value.refused
    ]

    def show(out: Output) -> None:
        show_requests(out, value.added)
        for each in refused:
            out.warn(f"{each['code']} {each['name']}: {each['message']}")

    failure = None
    if refused:
        count, everybody = len(refused), len(refused) + len(value.added)
        failure = PartlyDoneError(N_("Refused: {count} of {all} people."), count=count, all=everybody)
    return Answer.of({"requests": [request(each) for each in value.added], "refused": refused}, show, failure)


def balance(value: LeaveBalance) -> Json:
    """What somebody has left of one account."""
    return {
        "kind": value.account,
        "label": value.label,
        "days": value.half_days / FULL_DAY,
        "held": value.held / FULL_DAY,
        "free": value.free / FULL_DAY,
        "entries": [_entry(each) for each in value.entries],
    }


def balance_answer(code: str, value: LeaveBalance) -> Answer:
    """The answer of a command that changed a balance; ``id`` is the ledger's newest row."""
    facts = {"code": code, "id": max((each.id for each in value.entries), default=None), **balance(value)}
    return Answer(data=facts, show=lambda out: _show_balance(out, value))


def balances(employee: Employee, values: Sequence[LeaveBalance]) -> Json:
    """What somebody has left, by account."""
    return {"code": employee.code, "name": employee.name, "balances": [balance(each) for each in values]}


def show_balances(out: Output, employee: Employee, values: Sequence[LeaveBalance]) -> None:
    """Print what somebody has left, with the ledger."""
    out.line(f"{employee.name} ({employee.code})")
    if not values:
        out.note(_("Nothing was granted."))
    for each in values:
        _show_balance(out, each)


def expired(values: Sequence[tuple[str, str, int]]) -> Json:
    """What expired."""
    return {"expired": [{"code": code, "kind": kind, "days": halves / FULL_DAY} for code, kind, halves in values]}


def show_expired(out: Output, values: Sequence[tuple[str, str, int]]) -> None:
    """Print what expired."""
    columns = (Column(_("Code"), whole=True), Column(_("Kind")), Column(_("Days"), number=True))
    rows = [(code, kind, days_text(halves)) for code, kind, halves in values]
    out.table(columns, rows, empty=_("Nothing has expired."))


def recounted(values: Sequence[Recounted]) -> Json:
    """Requests whose days changed."""
    changed = [{**request(each.request), "given_back": each.given_back / FULL_DAY} for each in values]
    return {"changed": changed}


def show_recounted(out: Output, values: Sequence[Recounted]) -> None:
    """Print requests whose days changed."""
    show_requests(out, [each.request for each in values])
    for each in values:
        told = _("{name}: days given back: {days}.", name=each.request.name, days=days_text(each.given_back))
        out.line(told)


def kind(value: LeaveKind) -> Json:
    """A kind of leave."""
    return {
        "kind": value.code,
        "label": value.label,
        "status": value.status.value,
        "account": value.account or None,
        "most_days": value.most_days,
        "extended_days": value.extended_days,
        "calendar": value.calendar,
        "counts_as_work": value.counts_as_work,
        "right": value.right,
        "paid": value.paid,
        "article": value.article,
        "active": value.is_active,
    }


def show_kinds(out: Output, values: Sequence[LeaveKind]) -> None:
    """Print kinds of leave."""
    columns = (
        Column(_("Kind"), whole=True),
        Column(_("Name")),
        Column(_("Status"), whole=True),
        Column(_("Balance"), whole=True),
        Column(_("Right")),
        Column(_("Article")),
    )
    rows = [(each.code, each.label, each.status.value, each.account, each.right, each.article) for each in values]
    out.table(columns, rows)


def _show_balance(out: Output, value: LeaveBalance) -> None:
    left = _("{label}: days left: {days}", label=value.label, days=days_text(value.half_days))
    if value.held:
        left += " " + _("(held for requests: {held})", held=days_text(value.held))
    out.line(left, "bold")
    columns = (
        Column(_("Date"), whole=True),
        Column(_("What"), whole=True),
        Column(_("Days"), number=True),
        Column(_("Until"), whole=True),
        Column(_("Note")),
    )
    rows = [
        (str(each.day), _(ENTRIES[each.entry]), days_text(each.half_days), str(each.expires_on or ""), each.note)
        for each in value.entries
    ]
    out.table(columns, rows)


def _state(value: LeaveRequest) -> str:
    told = _(STATES[value.state])
    if value.state is RequestState.REQUESTED and value.steps_done:
        told += f" ({value.steps_done}/{value.steps_wanted})"
    return told


def _step(value: LeaveStep) -> Json:
    return {
        "decision": value.decision,
        "actor": value.actor,
        "in_place_of": value.in_place_of or None,
        "reason": value.reason,
        "at": value.at.isoformat(),
    }


def _entry(value: LedgerEntry) -> Json:
    return {
        "id": value.id,
        "entry": value.entry.value,
        "days": value.half_days / FULL_DAY,
        "date": value.day.isoformat(),
        "expires": None if value.expires_on is None else value.expires_on.isoformat(),
        "request": value.request_id,
        "note": value.note,
        "actor": value.actor,
    }

"""Periods, as scripts and people see them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..attendance.close.model import Adjustment, Found, Period, PeriodCheck, PeriodProblem, Reopening
from ..attendance.close.profiles import Profile
from ..attendance.close.texts import PROBLEMS
from ..attendance.rules.exceptions import LABELS
from ..kernel.errors import IntegrityError
from ..kernel.i18n import N_, _
from . import data
from .answer import Answer
from .data import Json
from .output import Column, Output, yes_no


def period(value: Period) -> Json:
    """A period that was closed."""
    return {
        "month": str(value.month),
        "closed": value.is_closed,
        "closed_by": value.closed_by,
        "closed_at": data.instant(value.closed_at),
        "hash": value.hash,
        "rulesets": list(value.rulesets),
    }


def show_closed(out: Output, value: Period) -> None:
    """Print that a month is closed."""
    out.line(_("{month} is closed.", month=value.month), "green")
    out.line(_("Hash: {hash}", hash=value.hash))
    out.line(_("For payroll: smartabsen period export {month} --profile xlsx", month=value.month))


def show_periods(out: Output, values: Sequence[Period]) -> None:
    """Print months."""
    columns = (
        Column(_("Month"), whole=True),
        Column(_("Closed"), whole=True),
        Column(_("By")),
        Column(_("Hash")),
    )
    rows = [(str(each.month), yes_no(each.is_closed), each.closed_by, each.hash[:12]) for each in values]
    out.table(columns, rows, empty=_("No month was closed yet."))


def checked(value: PeriodCheck) -> Answer:
    """The answer of a check; exit code 1 where something stands in the way, or was changed."""
    is_closed = value.period is not None and value.period.is_closed
    is_good = not value.problems if is_closed else value.can_close
    found: Json = {
        "month": str(value.month),
        "closed": is_closed,
        "can_close": value.can_close and not is_closed,
        "over": value.is_over,
        "people": value.people,
        "days": value.days,
        "exceptions": [_exception(each) for each in value.found],
        "unfinished": [{"code": code, "date": day.isoformat()} for code, day in value.unfinished],
        "unpayable": [{"code": code, "date": day.isoformat()} for code, day in value.unpayable],
        "adjustments": [_adjustment(each) for each in value.adjustments],
        "problems": [problem(each) for each in value.problems],
    }
    return Answer(data=found, show=lambda out: _show(out, value, is_closed=is_closed), exit_code=0 if is_good else 1)


def problem(value: PeriodProblem) -> Json:
    """One thing that is not as it was closed."""
    return {
        "kind": value.kind.value,
        "month": str(value.month),
        "code": value.code,
        "date": value.work_date.isoformat() if value.work_date else None,
        "profile": value.profile,
        "text": describe(value),
    }


def show_problems(out: Output, values: Sequence[PeriodProblem]) -> None:
    """Print what of closed months is not as it was closed."""
    for each in values:
        out.line(describe(each), "red")
    if not values:
        out.line(_("Closed months: as they were closed."), "green")


def failure(values: Sequence[PeriodProblem]) -> IntegrityError | None:
    """Return the error of closed months that are not as they were closed."""
    if not values:
        return None
    return IntegrityError(
        N_("Closed months are not as they were closed: {count} problems."),
        hint=N_("Keep the database as it is, and compare it with the latest backup."),
        count=len(values),
    )


def describe(value: PeriodProblem) -> str:
    """Return a sentence about what is not as it was closed."""
    return _(
        PROBLEMS[value.kind], month=value.month, code=value.code, date=value.work_date or "", profile=value.profile
    )


def wish(value: Reopening) -> Json:
    """A wish to open a month again."""
    return {
        "id": value.id,
        "month": str(value.month),
        "reason": value.reason,
        "asked_by": value.asked_by,
        "asked_at": data.instant(value.asked_at),
        "confirmed_by": value.confirmed_by or None,
    }


def show_wish(out: Output, value: Reopening) -> None:
    """Print what became of a wish."""
    if value.confirmed_by:
        out.line(_("{month} is open again.", month=value.month), "green")
        return
    out.line(_("Request {id} to open {month} again. Another person confirms it:", id=value.id, month=value.month))
    out.line(f"smartabsen period reopen {value.month} --confirm {value.id}")


def show_export(out: Output, path: Path, profile: Profile) -> None:
    """Print where an export lies."""
    out.note(_("Written: {path}", path=path))
    if not profile.checked:
        out.warn(_("Compare the columns with the receiver's own template before the first upload."))


def _show(out: Output, value: PeriodCheck, *, is_closed: bool) -> None:
    for each in value.problems:
        out.line(describe(each), "red")
    if is_closed:
        if not value.problems:
            out.line(_("{month} is closed, and everything is as it was closed.", month=value.month), "green")
        return
    columns = (
        Column(_("Date"), whole=True),
        Column(_("Code"), whole=True),
        Column(_("Name")),
        Column(_("Exception")),
        Column(_("Blocks"), whole=True),
    )
    rows = [
        (str(each.exception.work_date), each.code, each.name, _(LABELS[each.exception.kind]), yes_no(each.blocks))
        for each in value.found
    ]
    out.table(columns, rows, empty=_("No exceptions."))
    for code, day in value.unfinished:
        out.line(_("{code}, {date}: the day is not over yet.", code=code, date=day), "red")
    for code, day in value.unpayable:
        text = _("{code}, {date}: the overtime passes the last step of the law; see the policy past_tiers.",
                 code=code, date=day)  # fmt: skip
        out.line(text, "red")
    for adjusted in value.adjustments:
        out.line(
            _("Adjustment of {date}, {code} {name}.", date=adjusted.work_date, code=adjusted.code, name=adjusted.name)
        )
    if not value.is_over:
        out.line(_("{month} is not over yet.", month=value.month), "yellow")
    elif value.can_close:
        out.line(_("{month} can be closed: smartabsen period close {month}", month=value.month), "green")
    else:
        count = len(value.blocking) + len(value.unfinished) + len(value.unpayable)
        out.line(_("{month} cannot be closed: {count} things are open.", month=value.month, count=count), "red")


def _exception(value: Found) -> Json:
    found = value.exception
    return {
        "code": value.code,
        "name": value.name,
        "kind": found.kind.value,
        "severity": found.severity.value,
        "blocks": value.blocks,
        "date": found.work_date.isoformat(),
        "of_week": found.is_of_week,
        "minutes": found.minutes,
        "punch": found.punch_id,
        "suggested_out": data.instant(found.suggested_out) if found.suggested_out else None,
    }


def _adjustment(value: Adjustment) -> Json:
    return {
        "code": value.code,
        "name": value.name,
        "month": str(value.month),
        "date": value.work_date.isoformat(),
        "status_before": value.before.get("status"),
        "status_after": value.after.get("status"),
        "minutes": dict(value.minutes),
    }

"""Who works when: patterns that are assigned, single dates of a month in a grid, and the month as a sheet."""

from __future__ import annotations

import base64
import binascii
import calendar
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from flask import abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...attendance.rules.model import PlannedDay
from ...attendance.schedule.model import OFF, Person, ScopeKind
from ...attendance.schedule.roster import RosterView
from ...attendance.schedule.texts import times_in_words
from ...kernel.errors import InvalidInputError, NotFoundError
from ...kernel.i18n import N_, _
from ...kernel.messages import fill
from ..library import library
from . import filled, forms
from .blueprint import blueprint, done
from .filled import shows_again
from .people_choice import own_department, people_to_choose

_PEOPLE: Final = 50
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_SHEET_BYTES: Final = 340_000
"""A sheet waits in the page while its verdicts are looked at, so it is bound by what one field of a form may hold."""
_KINDS: Final = {kind.value: kind for kind in ScopeKind}


@dataclass(frozen=True, slots=True)
class Cell:
    """A person's date in the grid.

    Attributes:
        text: Code of the shift; ``OFF`` on a day off, empty where nothing is planned.
        kind: ``work``, ``off``, ``holiday`` or ``none``.
        is_decided: Whether somebody decided this date alone.
    """

    day: date
    text: str
    kind: str
    is_decided: bool
    title: str


@blueprint.get("/roster")
def roster() -> str:
    """Show a month as a grid of people and days."""
    return _page(_month(forms.arg_text("month")))


@blueprint.post("/roster/day")
@shows_again(lambda: _page(_month(forms.text("date")[:7])))
def set_roster_day() -> Response:
    """Decide what a person works on one date, or take that back."""
    day = filled.day("date", N_("date"))
    code, shift, reason = forms.text("code"), forms.text("shift"), forms.text("reason")
    if shift:
        change = library().roster.set_day(code, day, shift, reason=reason)
    else:
        change = library().roster.clear_day(code, day, reason=reason)
    after = change.after.shift.code if change.after.shift else _("day off")
    done(_("{name}, {date}: {after}.", name=change.person.name, date=day, after=after))
    return redirect(url_for("admin.roster", month=f"{day:%Y-%m}", department=forms.text("department") or None))


@blueprint.get("/roster/export.xlsx")
def export_roster() -> Response:
    """Send the month as a sheet, to be filled in and read back."""
    month = _month(forms.arg_text("month"))
    kind, code = _scope()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"roster-{month:%Y-%m}.xlsx")
        library().roster_grid.export(path, month, kind=kind, code=code)
        response = Response(path.read_bytes(), content_type=_XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{path.name}"'
    return response


@blueprint.post("/roster/check")
@shows_again(lambda: _page(_month(forms.text("month"))))
def check_roster_sheet() -> Response:
    """Show what a sheet would change; nothing is written."""
    month, reason = _month(forms.text("month")), forms.text("reason")
    with filled.at("reason"):
        if not reason:
            raise InvalidInputError(N_("The {field} is empty."), field=N_("reason"))
    with filled.at("sheet"):
        given = request.files.get("sheet")
        if given is None or not given.filename:
            raise InvalidInputError(N_("Choose a file."))
        with given.stream as stream:
            content = stream.read(MOST_SHEET_BYTES + 1)
        return _show_verdicts(month, given.filename, content, reason, dry_run=True)


@blueprint.post("/roster/import")
@shows_again(lambda: _page(_month(forms.text("month"))))
def import_roster_sheet() -> Response:
    """Read a sheet whose verdicts were looked at."""
    month = _month(forms.text("month"))
    try:
        content = base64.b64decode(request.form.get("content", ""), validate=True)
    except binascii.Error:
        abort(400)
    return _show_verdicts(month, forms.text("name"), content, forms.text("reason"), dry_run=False)


@blueprint.get("/assignments")
def assignments() -> str:
    """List who has which pattern from this month on, and ask for another one."""
    today = library().desk.work_date()
    first = today.replace(day=1)
    view = library().roster.view(first, first + timedelta(days=365))
    return render_template(
        "admin/assignments.html",
        assignments=view.assignments,
        patterns=[(each.code, each.code) for each in library().shifts.list_patterns()],
        sites=[(each.code, f"{each.name} ({each.code})") for each in library().sites.list_sites()],
        departments=[(each.code, f"{each.name} ({each.code})") for each in library().departments.list_departments()],
        people=people_to_choose(),
        today=today,
        first=first,
    )


@blueprint.post("/assignments")
@shows_again(assignments)
def assign_pattern() -> Response:
    """Assign a pattern."""
    kind = _KINDS.get(forms.text("kind"))
    if kind is None:
        abort(400)
    first, last = filled.day("first", N_("first day")), filled.day_if_any("last", N_("last day"))
    code = forms.text(kind.value)
    with filled.at(kind.value):
        if not code:
            raise InvalidInputError(N_("Say whom it is for."))
    assigned = library().roster.assign(kind, code, forms.text("pattern"), first, last)
    pattern = assigned.assignment.pattern
    done(_("{code}: {pattern} from {first}.", code=assigned.code, pattern=pattern, first=first))
    return redirect(url_for("admin.assignments"))


@blueprint.post("/assignments/end")
@shows_again(assignments)
def end_assignment() -> Response:
    """Let an assignment end on a date."""
    last = filled.day("last", N_("last day"))
    with filled.at("last"):
        ended = library().roster.end(filled.number("number", N_("number")), last)
    done(_("{code}: {pattern} until {last}.", code=ended.code, pattern=ended.assignment.pattern, last=last))
    return redirect(url_for("admin.assignments"))


def _show_verdicts(month: date, name: str, content: bytes, reason: str, *, dry_run: bool) -> Response:
    if len(content) > MOST_SHEET_BYTES:
        raise InvalidInputError(N_("The sheet is too large: import one department at a time."))
    ending = Path(name).suffix.lower()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"sheet{ending if ending in ('.xlsx', '.csv') else ''}")
        path.write_bytes(content)
        report = library().roster_grid.import_file(path, month, reason=reason, dry_run=dry_run)
    page = render_template(
        "admin/roster_verdicts.html",
        month=month,
        report=report,
        name=name[-100:],
        reason=reason,
        content=base64.b64encode(content).decode("ascii"),
        details=[fill(row.detail, row.params) for row in report.rows],
        count={verdict: sum(row.verdict.value == verdict for row in report.rows) for verdict in _VERDICTS},
    )
    return make_response(page)


_VERDICTS: Final = ("changed", "unchanged", "rejected")


def _page(month: date) -> str:
    kind, code = _scope()
    days = tuple(month + timedelta(days=number) for number in range(calendar.monthrange(month.year, month.month)[1]))
    view = library().roster.view(days[0], days[-1], kind=kind, code=code)
    search = forms.arg_text("search").casefold()
    people = [each for each in view.people if search in f"{each.name} {each.code}".casefold()]
    pages = max(1, -(-len(people) // _PEOPLE))
    page = min(forms.arg_page(), pages)
    shown = people[(page - 1) * _PEOPLE : page * _PEOPLE]
    decided = {(each.employee_id, each.work_date): each.reason for each in view.days}
    known = library().shifts.list_shifts()
    chosen = forms.arg_text("code") or forms.text("code")
    return render_template(
        "admin/roster.html",
        month=month,
        days=days,
        rows=[(person, _cells(view, person, days, decided)) for person in shown],
        total=len(people),
        page=page,
        pages=pages,
        search=forms.arg_text("search"),
        department="" if own_department() else code,
        departments=() if own_department() else library().departments.list_departments(),
        shifts=[(each.code, times_in_words(each.current.shift)) for each in known],
        shift_options=[(OFF, _("day off")), *((each.code, each.code) for each in known)],
        chosen_day=forms.arg_text("day"),
        chosen=next((each for each in view.people if each.code == chosen), None),
        today=library().desk.work_date(),
        before=month - timedelta(days=1),
        after=days[-1] + timedelta(days=1),
    )


def _cells(
    view: RosterView, person: Person, days: tuple[date, ...], decided: Mapping[tuple[int, date], str]
) -> list[Cell]:
    return [_cell(view.book.plan(person.id, day), decided.get((person.id, day))) for day in days]


def _cell(plan: PlannedDay, reason: str | None) -> Cell:
    title = " · ".join(
        filter(None, (times_in_words(plan.shift) if plan.shift else "", plan.holiday, plan.pattern, reason or ""))
    )
    if plan.shift is not None:
        return Cell(plan.work_date, plan.shift.code, "work", reason is not None, title)
    if plan.holiday:
        return Cell(plan.work_date, OFF, "holiday", reason is not None, title)
    if plan.is_planned:
        return Cell(plan.work_date, OFF, "off", reason is not None, title)
    return Cell(plan.work_date, "", "none", reason is not None, title)


def _scope() -> tuple[ScopeKind | None, str]:
    """Return whose plans are shown: those of a department that is chosen, or of the one that the user may see."""
    code = own_department() or forms.arg_text("department") or forms.text("department")
    return (ScopeKind.DEPARTMENT, code) if code else (None, "")


def _month(given: str) -> date:
    if not given:
        return library().desk.work_date().replace(day=1)
    try:
        return date.fromisoformat(f"{given[:7]}-01")
    except ValueError as error:
        raise NotFoundError(N_("There is no month “{given}”."), given=given[:20]) from error

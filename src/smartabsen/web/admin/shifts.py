"""Shifts with their versions, patterns and presets."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from ...attendance.rules.model import Shift, Span
from ...attendance.schedule.model import Replacement, ShiftVersion
from ...attendance.schedule.rules_cycles import show_cycle
from ...attendance.schedule.rules_times import read_clock, read_length, show_clock, show_length, span_of
from ...attendance.schedule.service import ShiftHistory
from ...attendance.schedule.texts import WEEKDAYS, breaks_in_words, times_in_words
from ...kernel.codes import code_key
from ...kernel.dates import FIRST_DAY
from ...kernel.errors import InvalidInputError, NotFoundError
from ...kernel.i18n import N_, _
from ..library import library
from . import filled, forms
from .blueprint import blueprint, done
from .filled import shows_again

SPANS: Final = 3
"""Stretches of work that a form has room for, and as many breaks."""
REPLACEMENTS: Final = 4
NEW: Final = Shift("", "", ())


@blueprint.get("/shifts")
def shifts() -> str:
    """List shifts, and ask for a new one."""
    return render_template(
        "admin/shifts.html",
        shifts=library().shifts.list_shifts(),
        first_day=FIRST_DAY,
        today=library().desk.work_date(),
        shift=NEW,
        spans=SPANS,
        **_words(),
    )


@blueprint.post("/shifts")
@shows_again(shifts)
def add_shift() -> Response:
    """Add a shift."""
    wanted = _read_shift(Shift(forms.text("code"), "", ()))
    valid_from = filled.day_if_any("valid_from", N_("date")) or FIRST_DAY
    added = library().shifts.add_shift(wanted, valid_from=valid_from)
    done(_("The shift {code} was added: {times}.", code=added.code, times=times_in_words(added)))
    return redirect(url_for("admin.shifts"))


@blueprint.get("/shifts/one")
def shift() -> str:
    """Show a shift with its versions, and let it be changed from a date on."""
    return _shift_page(forms.arg_text("code"))


@blueprint.post("/shifts/one")
@shows_again(lambda: _shift_page(forms.text("code")))
def change_shift() -> Response:
    """Give a shift other times from a date on."""
    valid_from = filled.day("valid_from", N_("date"))
    known = library().shifts.get_shift(forms.text("code"))
    with filled.at("valid_from"):
        changed = library().shifts.change_shift(_read_shift(known.on(valid_from)), valid_from=valid_from)
    done(_("{code} from {date} on: {times}.", code=changed.code, date=valid_from, times=times_in_words(changed)))
    return redirect(url_for("admin.shift", code=changed.code))


@blueprint.post("/shifts/remove")
@shows_again(shifts)
def remove_shift() -> Response:
    """Remove a shift that nothing names."""
    library().shifts.remove_shift(forms.text("code"))
    done(_("The shift {code} is removed.", code=forms.text("code")))
    return redirect(url_for("admin.shifts"))


@blueprint.get("/patterns")
def patterns() -> str:
    """List patterns, and ask for a new one."""
    return render_template(
        "admin/patterns.html",
        patterns=library().shifts.list_patterns(),
        shifts=library().shifts.list_shifts(),
        show_cycle=show_cycle,
        **_words(),
    )


@blueprint.post("/patterns")
@shows_again(patterns)
def add_pattern() -> Response:
    """Add a pattern."""
    starts = filled.day_if_any("starts", N_("date"))
    code, cycle, name = forms.text("code"), forms.text("cycle"), forms.text("name")
    try:
        added = library().shifts.add_pattern(code, cycle, name=name, starts=starts)
    except (InvalidInputError, NotFoundError) as error:
        about_code = error.params.get("field") == "code" or error.params.get("code") == code
        with filled.at("code" if about_code else "cycle"):
            raise
    done(_("The pattern {code} was added.", code=added.code))
    return redirect(url_for("admin.patterns"))


@blueprint.post("/patterns/remove")
@shows_again(patterns)
def remove_pattern() -> Response:
    """Remove a pattern that was never assigned."""
    library().shifts.remove_pattern(forms.text("code"))
    done(_("The pattern {code} is removed.", code=forms.text("code")))
    return redirect(url_for("admin.patterns"))


@blueprint.get("/presets")
def presets() -> str:
    """List presets, and ask for a new one."""
    return render_template(
        "admin/presets.html",
        presets=library().shifts.list_presets(),
        shift_options=[(each.code, each.code) for each in library().shifts.list_shifts()],
        weekday_options=[(number, _(name)) for number, name in enumerate(WEEKDAYS)],
        weekdays=[_(name) for name in WEEKDAYS],
        replacements=REPLACEMENTS,
    )


@blueprint.post("/presets")
@shows_again(presets)
def add_preset() -> Response:
    """Put other shifts in place of those of patterns, between two dates."""
    first, last = filled.day("first", N_("first day")), filled.day("last", N_("last day"))
    wanted = []
    for number in range(1, REPLACEMENTS + 1):
        before, instead = forms.text(f"shift-{number}"), forms.text(f"instead-{number}")
        weekday = forms.text(f"weekday-{number}")
        if bool(before) != bool(instead):
            with filled.at(f"instead-{number}" if before else f"shift-{number}"):
                raise InvalidInputError(N_("Choose both: the usual shift, and the one in its place."))
        if before:
            day = int(weekday) if weekday.isdecimal() and len(weekday) == 1 else None
            wanted.append(Replacement(before, instead, day))
    added = library().shifts.add_preset(forms.text("code"), first, last, wanted, name=forms.text("name"))
    done(_("{code} holds from {first} to {last}.", code=added.code, first=added.first, last=added.last))
    return redirect(url_for("admin.presets"))


@blueprint.post("/presets/move")
@shows_again(presets)
def move_preset() -> Response:
    """Let a preset begin and end on other dates."""
    first, last = filled.day("first", N_("first day")), filled.day("last", N_("last day"))
    with filled.at("last"):
        moved = library().shifts.move_preset(forms.text("code"), first=first, last=last)
    done(_("{code} holds from {first} to {last}.", code=moved.code, first=moved.first, last=moved.last))
    return redirect(url_for("admin.presets"))


@blueprint.post("/presets/remove")
@shows_again(presets)
def remove_preset() -> Response:
    """Remove a preset."""
    library().shifts.remove_preset(forms.text("code"))
    done(_("The preset {code} is removed.", code=forms.text("code")))
    return redirect(url_for("admin.presets"))


def _shift_page(code: str) -> str:
    known = next((each for each in library().shifts.list_shifts() if code_key(each.code) == code_key(code)), None)
    if known is None:
        abort(404)
    today = library().desk.work_date()
    return render_template(
        "admin/shift.html", known=known, shift=_newest(known), today=today, spans=SPANS, first_day=FIRST_DAY, **_words()
    )


def _newest(known: ShiftHistory) -> Shift:
    newest: ShiftVersion = known.versions[-1]
    return newest.shift


def _words() -> dict[str, object]:
    return {
        "times": times_in_words,
        "breaks": breaks_in_words,
        "show_clock": show_clock,
        "show_length": show_length,
        "is_over_midnight": lambda shift: bool(shift.spans) and shift.spans[-1].end > 24 * 60,
    }


def _read_shift(shift: Shift) -> Shift:
    """Return a shift as the form describes it."""
    spans = _read_spans("start", "end")
    lengths: dict[str, int | None] = {}
    for name in ("flexible_day", "flexible_week"):
        with filled.at(name):
            lengths[name] = read_length(forms.text(name)) if forms.text(name) else None
    return replace(
        shift,
        name=forms.text("name"),
        spans=spans,
        breaks=_read_spans("break-start", "break-end"),
        opens_before=filled.number("opens_before", N_("window before"), default=NEW.opens_before),
        closes_after=filled.number("closes_after", N_("window after"), default=NEW.closes_after),
        grace_in=filled.number("grace_in", N_("grace at the arrival")),
        grace_out=filled.number("grace_out", N_("grace at the departure")),
        rounding=filled.number("rounding", N_("rounding"), default=1),
        early_counts=filled.ticked("early_counts"),
        break_is_taken=filled.ticked("break_is_taken"),
        flexible_day=lengths["flexible_day"],
        flexible_week=lengths["flexible_week"],
    )


def _read_spans(start: str, end: str) -> tuple[Span, ...]:
    found = []
    for number in range(1, SPANS + 1):
        begins, ends = forms.text(f"{start}-{number}"), forms.text(f"{end}-{number}")
        if not begins and not ends:
            continue
        if begins and ends:
            with filled.at(f"{start}-{number}"):
                first = read_clock(begins)
            with filled.at(f"{end}-{number}"):
                found.append(span_of(first, read_clock(ends)))
            continue
        with filled.at(f"{end}-{number}" if begins else f"{start}-{number}"):
            raise InvalidInputError(N_("Give both: when it starts, and when it ends."))
    return tuple(found)

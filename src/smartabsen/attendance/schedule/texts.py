"""What people read of shifts and the calendar."""

from __future__ import annotations

from typing import Final

from ...kernel.i18n import N_
from ..rules.model import DayKind, Shift
from .model import CalendarKind
from .rules_times import show_length, show_span

CALENDAR_KINDS: Final = {
    CalendarKind.PUBLIC: N_("public holiday"),
    CalendarKind.JOINT: N_("joint leave"),
    CalendarKind.COMPANY: N_("holiday of the company"),
    CalendarKind.SCHOOL: N_("school holiday"),
}
DAY_KINDS: Final = {
    DayKind.WORKDAY: N_("work day"),
    DayKind.REST_DAY: N_("day off"),
    DayKind.HOLIDAY: N_("holiday"),
    DayKind.SHORTEST_DAY: N_("holiday on the shortest day"),
}
WEEKDAYS: Final = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)


def times_in_words(shift: Shift) -> str:
    """Return when a shift is worked: ``08:00-17:00``, ``06:00-10:00 17:00-21:00``, ``40:00/7`` for a flexible week."""
    parts = [show_span(span) for span in shift.spans]
    if shift.flexible_day is not None:
        parts.append(f"{show_length(shift.flexible_day)}/1")
    if shift.flexible_week is not None:
        parts.append(f"{show_length(shift.flexible_week)}/7")
    return " ".join(parts)


def breaks_in_words(shift: Shift) -> str:
    """Return the planned breaks of a shift."""
    return " ".join(show_span(span) for span in shift.breaks)


def shift_in_words(shift: Shift) -> str:
    """Return everything that counts of a shift, for the audit trail."""
    parts = [
        times_in_words(shift),
        f"break {breaks_in_words(shift)}" if shift.breaks else "",
        f"window {shift.opens_before}/{shift.closes_after}",
        f"grace {shift.grace_in}/{shift.grace_out}",
        f"rounding {shift.rounding}" if shift.rounding != 1 else "",
        "early counts" if shift.early_counts else "",
        "" if shift.break_is_taken else "break as recorded",
    ]
    return ", ".join(part for part in parts if part)

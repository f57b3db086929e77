"""Cycles of shifts: how they are written, and which shift they have on a date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_
from .model import NEAREST_FIRST, OFF, Assignment, Pattern, Scope, Step

LONGEST: Final = 366
MONDAY: Final = date(2000, 1, 3)
"""A Monday from which cycles of whole weeks are counted where nothing else is said."""


def read_cycle(text: str) -> tuple[Step, ...]:
    """Return the steps of ``PAGI:5,OFF:2``; a step without a number is one day.

    Raises:
        InvalidInputError: It cannot be read, or is longer than a year.
    """
    steps = tuple(_read_step(part, text) for part in text.split(","))
    days = sum(step.days for step in steps)
    if days > LONGEST:
        raise InvalidInputError(N_("A cycle has at most {most} days; this one has {days}."), most=LONGEST, days=days)
    if all(step.shift is None for step in steps):
        raise InvalidInputError(N_("The cycle “{given}” has no shift."), given=text)
    return steps


def _read_step(part: str, text: str) -> Step:
    code, colon, count = (each.strip() for each in part.rpartition(":")) if ":" in part else (part.strip(), "", "1")
    if not code or not count.isdecimal() or not 1 <= int(count) <= LONGEST or (colon and not code):
        raise InvalidInputError(
            N_("“{given}” is no cycle: write shifts with their days, as PAGI:5,OFF:2."), given=text[:100]
        )
    return Step(None if code.upper() == OFF else code, int(count))


def show_cycle(steps: Iterable[Step]) -> str:
    """Return steps as they are written: ``PAGI:5,OFF:2``."""
    return ",".join(f"{step.shift or OFF}:{step.days}" for step in steps)


def shift_in_cycle(pattern: Pattern, work_date: date, *, assigned_from: date) -> str | None:
    """Return the code of the shift that a pattern has on a date, None on a day off.

    Args:
        assigned_from: First date of the assignment: a cycle without an anchor begins on it unless it has whole weeks.
    """
    starts = pattern.starts or (assigned_from if pattern.length % 7 else MONDAY)
    place = (work_date - starts).days % pattern.length
    for step in pattern.steps:
        if place < step.days:
            return step.shift
        place -= step.days
    raise AssertionError("a place in a cycle lies in one of its steps")


def newest_in_force(assignments: Sequence[Assignment], work_date: date) -> Assignment | None:
    """Return the assignment that counts on a date: of those in force the one with the newest first date."""
    found = [each for each in assignments if each.covers(work_date)]
    return max(found, key=lambda each: (each.first, each.id)) if found else None


def scopes_of(employee_id: int, *, department_id: int | None, site_id: int | None) -> tuple[Scope, ...]:
    """Return where assignments of a person are looked for, the nearest first."""
    ids = dict(zip(NEAREST_FIRST, (employee_id, department_id, site_id), strict=True))
    return tuple(Scope(kind, row_id) for kind, row_id in ids.items() if row_id is not None)

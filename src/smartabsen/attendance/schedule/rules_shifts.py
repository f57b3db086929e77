"""What a shift may be, and which of its versions counts on a date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_, Message
from ..rules.model import Shift
from .model import ShiftVersion
from .rules_times import DAY, breaks_in, in_order

MOST_WINDOW: Final = 720
"""Minutes before and after a shift in which a punch can belong to it."""
MOST_GRACE: Final = 240
MOST_ROUNDING: Final = 60


def check_shift(shift: Shift) -> Shift:
    """Return a shift with its spans and breaks in their places.

    A span that starts before the previous one ended lies on the next day; so does a break that fits only there.

    Raises:
        InvalidInputError: It has neither spans nor hours, or a number is out of range.
    """
    if not shift.spans and shift.flexible_day is None and shift.flexible_week is None:
        raise InvalidInputError(
            N_("The shift {code} has no working time."),
            hint=N_("Give --start and --end, --span, --flexible-day or --flexible-week."),
            code=shift.code,
        )
    if shift.flexible_day is not None and shift.flexible_day > DAY:
        raise InvalidInputError(N_("A day has no more than 24 hours."))
    limits: tuple[tuple[int, int, int, Message | str], ...] = (
        (shift.opens_before, 0, MOST_WINDOW, N_("window before")),
        (shift.closes_after, 0, MOST_WINDOW, N_("window after")),
        (shift.grace_in, 0, MOST_GRACE, N_("grace at the arrival")),
        (shift.grace_out, 0, MOST_GRACE, N_("grace at the departure")),
        (shift.rounding, 1, MOST_ROUNDING, N_("rounding")),
    )
    for value, least, most, field in limits:
        if not least <= value <= most:
            raise InvalidInputError(
                N_("The {field} is {value} minutes: from {least} to {most} are taken."),
                field=field,
                value=value,
                least=least,
                most=most,
            )
    spans = in_order(shift.spans)
    return replace(shift, spans=spans, breaks=breaks_in(shift.breaks, spans))


def version_on(versions: Sequence[ShiftVersion], work_date: date) -> Shift | None:
    """Return the shift as it is on a date: its newest version that is valid from then or earlier.

    Args:
        versions: Of one shift, the oldest first. Before the first one that one counts: a date was planned with the
            shift, so it has times.
    """
    found = versions[0].shift if versions else None
    for version in versions:
        if version.valid_from > work_date:
            break
        found = version.shift
    return found

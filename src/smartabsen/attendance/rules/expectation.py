"""What a day asks of a person after leave has covered its part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .assignment import Instance
from .intervals import Interval, common, gaps, merged, total, without
from .model import LeaveOnDay, Portion

_BREAK_NEAR_MIDDLE: Final = 90 * 60
"""Seconds from the middle of a day within which a break divides it into morning and afternoon."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected.

    Attributes:
        minutes: Planned minutes, breaks not among them.
        leave_minutes: Of them, covered by leave that is no work.
        duty_minutes: Of them, covered by work elsewhere.
        due: When the rest is expected, in seconds; empty without planned spans.
        segments: The same by span of the shift, each from its first to its last second, breaks among them.
        is_covered: Whether leave covers all of it.
    """

    minutes: int
    leave_minutes: int
    duty_minutes: int
    due: tuple[Interval, ...]
    segments: tuple[Interval, ...]
    is_covered: bool

    @property
    def end(self) -> int | None:
        """When the last of it ends; None where nothing is due at a time."""
        return self.segments[-1][1] if self.segments else None


def expectation_of(own: Instance, leave: Sequence[LeaveOnDay]) -> Expectation:
    """Return what a planned day asks, given approved leave."""
    shift = own.plan.shift
    if shift is None:
        return Expectation(0, 0, 0, (), (), any(each.portion is Portion.FULL for each in leave))
    if shift.open_end is not None:
        # How long it is nobody knows.
        return Expectation(0, 0, 0, (), (), any(each.portion is Portion.FULL for each in leave))
    if not own.spans:
        return _flexible(shift.flexible_day or 0, leave)
    due = without(own.spans, own.breaks)
    minutes = total(due) // 60
    if not leave:
        return Expectation(minutes, 0, 0, tuple(due), own.spans, False)
    middle = middle_of(own)
    away = merged(_covered(own, each, middle) for each in leave if not each.counts_as_work)
    on_duty = without(merged(_covered(own, each, middle) for each in leave if each.counts_as_work), away)
    rest = without(without(due, away), on_duty)
    segments = tuple((parts[0][0], parts[-1][1]) for each in own.spans if (parts := common(rest, [each])))
    return Expectation(
        minutes, total(common(due, away)) // 60, total(common(due, on_duty)) // 60, tuple(rest), segments, not rest
    )


def _flexible(asked: int, leave: Sequence[LeaveOnDay]) -> Expectation:
    whole = [each for each in leave if each.portion is Portion.FULL][:1]
    parts = {each.portion: each for each in whole or leave}
    minutes = {portion: asked if portion is Portion.FULL else asked // 2 for portion in parts}
    if len(parts) == 2:
        minutes[Portion.AFTERNOON] = asked - minutes[Portion.MORNING]
    on_duty = sum(count for portion, count in minutes.items() if parts[portion].counts_as_work)
    return Expectation(asked, sum(minutes.values()) - on_duty, on_duty, (), (), bool(whole) or len(parts) == 2)


def middle_of(own: Instance) -> int:
    """Return where the morning of a shift ends: at the pause next to its middle, else at half of its minutes."""
    due = without(own.spans, own.breaks)
    half = total(due) // 2
    middle = own.end
    for begin, end in due:
        if half <= end - begin:
            middle = begin + half
            break
        half -= end - begin
    pauses = [*own.breaks, *gaps(own.spans)]
    nearest = min(pauses, key=lambda each: min(abs(each[0] - middle), abs(each[1] - middle)), default=None)
    if nearest is not None and min(abs(nearest[0] - middle), abs(nearest[1] - middle)) <= _BREAK_NEAR_MIDDLE:
        return nearest[0]
    return middle


def _covered(own: Instance, leave: LeaveOnDay, middle: int) -> Interval:
    if leave.portion is Portion.MORNING:
        return own.start, middle
    return (middle if leave.portion is Portion.AFTERNOON else own.start), own.end

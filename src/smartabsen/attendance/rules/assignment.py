"""Which punch belongs to which shift: the nearest one, and one that was begun first while its window is open.

A punch stores no shift, so a changed roster needs no changed punch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .instants import DAY_MINUTES, date_of, second_at, second_of
from .intervals import Interval, gaps, merged
from .model import PlannedDay, PunchAt, Terms
from .pairing import Anchors, is_begun

_LOOSE_CLOSES_AFTER: Final = 240
"""Minutes after midnight until which work that began on a day without fixed hours can end."""
_LOOSE_LONGEST: Final = 16 * 3600
"""Seconds after which a punch no longer ends such work."""
_LOOSE_AFTER: Final = 3600
"""Seconds after the end of a night from which a punch is rather work on the day off that follows."""

Timed = tuple[int, PunchAt]
"""A punch with its whole second."""


@dataclass(frozen=True, slots=True)
class Instance:
    """What was planned on one date, in seconds.

    Attributes:
        spans: When work is expected; empty on a day off and for a flexible shift.
        breaks: Planned breaks.
        start: Of the first span; midnight where there is none.
        end: Of the last span; the next midnight where there is none.
        opens: From when on a punch belongs to it.
        closes: Until when one does.
        ends_by: Until when work that began can end: later than ``closes`` only without spans.
    """

    plan: PlannedDay
    spans: tuple[Interval, ...]
    breaks: tuple[Interval, ...]
    start: int
    end: int
    opens: int
    closes: int
    ends_by: int

    @property
    def anchors(self) -> Anchors:
        """Where arrivals and departures are to be expected."""
        return Anchors(
            arrivals=(*(begin for begin, _ in self.spans), *(end for _, end in self.breaks if self.spans)),
            departures=(*(end for _, end in self.spans), *(begin for begin, _ in self.breaks if self.spans)),
            pauses=tuple(merged((*gaps(self.spans), *self.breaks))) if self.spans else (),
        )

    def distance(self, second: int) -> int:
        """Return how far an instant is from the planned time; 0 within it."""
        return max(self.start - second, second - self.end, 0)


@dataclass(frozen=True, slots=True)
class Given:
    """The punches of one day.

    Attributes:
        kept: Those that count, in order.
        repeats: Those that repeat the one before.
        outside: Those of the date that belong to no shift.
    """

    kept: tuple[Timed, ...]
    repeats: tuple[Timed, ...]
    outside: tuple[Timed, ...]


def instance_of(plan: PlannedDay) -> Instance:
    """Return a planned day in seconds."""
    shift, zone, day = plan.shift, plan.zone, plan.work_date
    breaks: tuple[Interval, ...] = ()
    if shift is not None:
        breaks = tuple((second_at(zone, day, each.start), second_at(zone, day, each.end)) for each in shift.breaks)
        if shift.spans:
            spans = tuple((second_at(zone, day, each.start), second_at(zone, day, each.end)) for each in shift.spans)
            start, end = spans[0][0], spans[-1][1]
            # Without a known end the day ends it, and its last second belongs to it.
            closes = end + 60 * shift.closes_after - (shift.open_end is not None)
            return Instance(plan, spans, breaks, start, end, start - 60 * shift.opens_before, closes, closes)
    start, end = second_at(zone, day, 0), second_at(zone, day, DAY_MINUTES)
    # The last second of the day belongs to it, the next midnight to the next one.
    return Instance(plan, (), breaks, start, end - 1, start, end - 1, end - 1 + 60 * _LOOSE_CLOSES_AFTER)


def assign(punches: Sequence[PunchAt], instances: Sequence[Instance], terms: Terms, wanted: Instance) -> Given:
    """Give each punch to an instance, and return what the wanted one got.

    Args:
        punches: In any order.
        instances: Of consecutive dates, in order; ``wanted`` is one of them.
    """
    timed = sorted(((second_of(punch.at), punch) for punch in punches), key=lambda each: (each[0], each[1].id))
    kept: dict[int, list[Timed]] = {index: [] for index in range(len(instances))}
    repeats: list[Timed] = []
    outside: list[Timed] = []
    target = instances.index(wanted)
    same_s = 60 * terms.same_punch
    last_second, last_index = None, None
    for each in timed:
        second = each[0]
        is_repeat = last_second is not None and second - last_second <= same_s
        last_second = second
        if is_repeat:
            if last_index == target:
                repeats.append(each)
            continue
        last_index = _owner(second, instances, kept, terms)
        if last_index is not None:
            kept[last_index].append(each)
        elif date_of(wanted.plan.zone, second) == wanted.plan.work_date:
            outside.append(each)
    return Given(tuple(kept[target]), tuple(repeats), tuple(outside))


def _owner(second: int, instances: Sequence[Instance], kept: dict[int, list[Timed]], terms: Terms) -> int | None:
    open_ones = [index for index, each in enumerate(instances) if each.opens <= second <= each.closes]
    if len(open_ones) == 1 and (instances[open_ones[0]].spans or not kept[max(open_ones[0] - 1, 0)]):
        return open_ones[0]
    fixed = [index for index in open_ones if instances[index].spans]
    for index, each in enumerate(instances):
        if not kept[index] or not each.opens <= second <= each.ends_by:
            continue
        if not each.spans:
            is_too_long = second - kept[index][-1][0] > _LOOSE_LONGEST
            if is_too_long or (second > each.closes and fixed):
                continue
        if is_begun([at for at, _ in kept[index]], each.anchors, 60 * terms.min_departure):
            return index
    # A shift with hours goes before a day without: who comes before midnight for a shift that begins after it.
    near = [index for index in fixed if second <= instances[index].end + _LOOSE_AFTER]
    return min(near or open_ones, key=lambda index: (instances[index].distance(second), index), default=None)

"""Which punch is an arrival and which a departure: no kiosk asks, so order and the planned hours decide.

The first punch is an arrival. Of two, the second is a departure. With more, the reading that fits best is taken: people
who punch twice when they come or go are as frequent as people who punch their breaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .intervals import Interval, common, total

_FAR: Final = 120
"""Minutes from a planned arrival or departure beyond which it makes no difference how far."""
_TWICE: Final = 70
"""What a second arrival or departure in a row costs, in minutes of distance."""
_UNENDED: Final = 30
"""What it costs that the last punch is an arrival."""
_SHORT: Final = 30
"""Minutes of work shorter than which an arrival and a departure are rather the same punched twice."""
_LONG_GAP: Final = 120
"""Minutes of unplanned absence beyond which it is rather none."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """Where a shift expects arrivals and departures, and the pauses between, in seconds; all empty without hours."""

    arrivals: tuple[int, ...] = ()
    departures: tuple[int, ...] = ()
    pauses: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Presence:
    """When somebody was there.

    Attributes:
        stretches: From each arrival to its departure.
        open_since: The last arrival where no departure follows on it, else None.
    """

    stretches: tuple[Interval, ...]
    open_since: int | None


def presence_of(seconds: Sequence[int], anchors: Anchors, min_departure_s: int) -> Presence:
    """Return when somebody was there.

    Args:
        seconds: Of the punches, in order, without repetitions; at least one.
        min_departure_s: Seconds after the first one from which another can be a departure.
    """
    stretches: list[Interval] = []
    since: int | None = None
    for second, is_arrival in zip(seconds, _directions(seconds, anchors, min_departure_s), strict=True):
        if is_arrival:
            since = second if since is None else since
        elif since is not None:
            stretches.append((since, second))
            since = None
        else:
            # A further departure: the last one counts.
            stretches[-1] = (stretches[-1][0], second)
    return Presence(tuple(stretches), since)


def is_begun(seconds: Sequence[int], anchors: Anchors, min_departure_s: int) -> bool:
    """Whether work was begun and not ended by these punches."""
    return not seconds or _directions(seconds, anchors, min_departure_s)[-1]


def _directions(seconds: Sequence[int], anchors: Anchors, min_departure_s: int) -> list[bool]:
    """Return for each punch whether it is an arrival."""
    if len(seconds) == 1:
        return [True]
    if len(seconds) == 2:
        return [True, seconds[1] - seconds[0] < min_departure_s]
    # For both readings of the punch before: the least cost so far and the way there.
    best: dict[bool, tuple[int, list[bool]]] = {True: (0, [True])}
    for index in range(1, len(seconds)):
        second, before = seconds[index], seconds[index - 1]
        following: dict[bool, tuple[int, list[bool]]] = {}
        for is_arrival in (False, True):
            if not is_arrival and second - seconds[0] < min_departure_s:
                continue
            own = _distance_in(second, anchors) if is_arrival else _distance_out(second, anchors)
            cost, way = min(
                (cost + own + _step(before, second, was_arrival, is_arrival, anchors), way)
                for was_arrival, (cost, way) in best.items()
            )
            following[is_arrival] = (cost, [*way, is_arrival])
        best = following
    return min(best.items(), key=lambda each: each[1][0] + (_UNENDED if each[0] else 0))[1][1]


def _distance_in(second: int, anchors: Anchors) -> int:
    """Return how far an arrival is from a planned one; who comes before the first is early, however much."""
    if not anchors.arrivals or second <= anchors.arrivals[0]:
        return 0
    return min(_FAR, min(abs(second - each) // 60 for each in anchors.arrivals))


def _distance_out(second: int, anchors: Anchors) -> int:
    """Return how far a departure is from a planned one; who goes after the last one stayed longer, however much."""
    if not anchors.departures or second >= max(anchors.departures):
        return 0
    return min(_FAR, min(abs(second - each) // 60 for each in anchors.departures))


def _step(before: int, second: int, was_arrival: bool, is_arrival: bool, anchors: Anchors) -> int:
    if was_arrival is is_arrival:
        return _TWICE
    minutes = (second - before) // 60
    if was_arrival:
        return max(0, 2 * (_SHORT - minutes))
    if not anchors.arrivals:
        return 0
    unplanned = minutes - total(common([(before, second)], anchors.pauses)) // 60
    return max(0, (unplanned - _LONG_GAP) // 2)

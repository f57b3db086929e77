"""Stretches of time as sorted lists of (begin, end) that do not overlap: sums, intersections, differences."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Interval: TypeAlias = tuple[int, int]
Intervals: TypeAlias = Sequence[Interval]


def total(intervals: Intervals) -> int:
    """Return how long they are together."""
    return sum(end - begin for begin, end in intervals)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Return stretches in any order as a sorted list; those that touch or overlap become one, empty ones go."""
    found: list[Interval] = []
    for begin, end in sorted(intervals):
        if end <= begin:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def common(one: Intervals, other: Intervals) -> list[Interval]:
    """Return what lies in both."""
    return [
        (max(begin, start), min(end, stop))
        for begin, end in one
        for start, stop in other
        if max(begin, start) < min(end, stop)
    ]


def without(one: Intervals, other: Intervals) -> list[Interval]:
    """Return what lies in ``one`` and not in ``other``."""
    rest = list(one)
    for start, stop in other:
        rest = [
            part
            for begin, end in rest
            for part in ((begin, min(end, start)), (max(begin, stop), end))
            if part[0] < part[1]
        ]
    return rest


def gaps(intervals: Intervals) -> list[Interval]:
    """Return what lies between one and the next."""
    return [(before[1], after[0]) for before, after in itertools.pairwise(intervals) if before[1] < after[0]]

"""Geometry of the charts: numbers in, shapes out, for SVG that the templates write. Pure.

Every chart stands beside a table with the same numbers; it has a title for screen readers and no text that is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ...attendance.desk import NO_LETTER, LateWeek, MonthGrid, QuarterHour

_HEIGHT: Final = 180.0
_WIDTH: Final = 720.0
_LEFT: Final = 34.0
"""Room for numbers of two digits on the vertical axis; longer ones get more."""
_DIGIT: Final = 9.0
"""Width of a digit with the space that it needs, at the font size of the style sheet."""
_TOP: Final = 10.0
_BOTTOM: Final = 26.0
_GAP: Final = 0.24
_MAX_BAR: Final = 46.0
_MOST_LABELS: Final = 12


@dataclass(frozen=True, slots=True)
class Block:
    """A coloured part of a bar; ``kind`` is its class in the style sheet."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with stacked bars.

    Attributes:
        blocks: The bars.
        lines: Heights of the grid's lines.
        ticks: Numbers on the vertical axis.
        labels: Texts below the bars.
    """

    width: float
    height: float
    left: float
    blocks: tuple[Block, ...]
    lines: tuple[float, ...]
    ticks: tuple[Label, ...]
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, and parts from the bottom up as pairs of class and number."""

    label: str
    parts: tuple[tuple[str, int], ...]


def stack(bars: Sequence[Bar]) -> Chart:
    """Lay out stacked bars side by side."""
    most = max((sum(number for _, number in bar.parts) for bar in bars), default=0)
    top, step = _scale(most)
    left = max(_LEFT, 10.0 + _DIGIT * len(str(top)))
    inner = _HEIGHT - _TOP - _BOTTOM
    slot = (_WIDTH - left) / max(1, len(bars))
    width = min(slot * (1 - _GAP), _MAX_BAR)
    every = max(1, -(-len(bars) // _MOST_LABELS))
    blocks: list[Block] = []
    labels: list[Label] = []
    for place, bar in enumerate(bars):
        centre = left + slot * (place + 0.5)
        y = _TOP + inner
        for kind, number in bar.parts:
            height = inner * number / top
            if number:
                y -= height
                blocks.append(Block(_round(centre - width / 2), _round(y), _round(width), _round(height), kind))
        if place % every == 0:
            labels.append(Label(_round(centre), _HEIGHT - 8, bar.label))
    levels = range(0, top + 1, step)
    heights = [_round(_TOP + inner * (1 - level / top)) for level in levels]
    ticks = tuple(Label(left - 8, y + 4, str(level)) for level, y in zip(levels, heights, strict=True))
    return Chart(_WIDTH, _HEIGHT, left, tuple(blocks), tuple(heights), ticks, tuple(labels))


def bar_chart(quarters: Sequence[QuarterHour], *, clock: Callable[[datetime], str]) -> Chart:
    """Lay out arrivals by quarter-hour; ``clock`` writes the times."""
    return stack([Bar(clock(each.start), (("H", each.on_time), ("T", each.late))) for each in quarters])


def week_chart(weeks: Sequence[LateWeek]) -> Chart:
    """Lay out late minutes by week."""
    return stack([Bar(f"{each.monday.day}/{each.monday.month}", (("T", each.late_minutes),)) for each in weeks])


def day_chart(grid: MonthGrid) -> Chart:
    """Lay out the days of a month: how many of all people, on all pages, have which letter."""
    return stack([Bar(str(day.day), parts) for day, parts in zip(grid.days, grid.counts, strict=True)])


def letter_class(letter: str) -> str:
    """Return the class of a cell with a letter."""
    return {"": "future", NO_LETTER: "none"}.get(letter, letter)


def _scale(most: int) -> tuple[int, int]:
    """Return the top of the axis and the step between its lines: at most five of 1, 2 or 5 times a power of 10."""
    magnitude = 1
    while True:
        for factor in (1, 2, 5):
            step = factor * magnitude
            if step * 5 >= most:
                return max(step, -(-most // step) * step), step
        magnitude *= 10


def _round(number: float) -> float:
    return round(number, 2)

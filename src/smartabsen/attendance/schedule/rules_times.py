"""Times of day and lengths of time as people type them, in minutes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_
from ..rules.model import Span

DAY: Final = 1_440
LONGEST: Final = 10_080
"""Minutes of a week: no length of time here is longer."""
_CLOCK: Final = re.compile(r"(\d{1,2})[:.](\d{2})")
_LENGTH: Final = re.compile(r"(\d{1,3})[:.](\d{2})|(\d{1,3})")
_RANGE: Final = re.compile(r"\s*([\d:.]+)\s*[-–]\s*([\d:.]+)\s*")


def read_clock(text: str) -> int:
    """Return a time of day as minutes from midnight; 24:00 is the end of the day.

    Raises:
        InvalidInputError: It is none.
    """
    found = _CLOCK.fullmatch(text.strip())
    minutes = int(found[1]) * 60 + int(found[2]) if found else -1
    if found is None or int(found[2]) > 59 or minutes > DAY:
        raise InvalidInputError(N_("“{given}” is no time of day: write 08:00."), given=text[:40])
    return minutes


def read_length(text: str) -> int:
    """Return a length of time as minutes: ``40:00`` and ``40`` are forty hours.

    Raises:
        InvalidInputError: It is none, is zero, or is longer than a week.
    """
    found = _LENGTH.fullmatch(text.strip())
    minutes = 0
    if found is not None and int(found[2] or 0) < 60:
        minutes = int(found[1] or found[3]) * 60 + int(found[2] or 0)
    if not 0 < minutes <= LONGEST:
        raise InvalidInputError(
            N_("“{given}” is no length of time: write 7:30 for seven and a half hours."), given=text
        )
    return minutes


def read_range(text: str) -> Span:
    """Return ``06:00-10:00`` as a span; one that ends before it starts ends on the next day.

    Raises:
        InvalidInputError: It is none, or has no length.
    """
    found = _RANGE.fullmatch(text)
    if found is None:
        raise InvalidInputError(N_("“{given}” is no span of time: write 08:00-17:00."), given=text[:40])
    return span_of(read_clock(found[1]), read_clock(found[2]))


def span_of(start: int, end: int) -> Span:
    """Return the span between two times of day; one that ends before it starts ends on the next day.

    Raises:
        InvalidInputError: It has no length, or starts at 24:00.
    """
    if start == end or start >= DAY:
        raise InvalidInputError(
            N_("The span {start}-{end} has no length."), start=show_clock(start), end=show_clock(end)
        )
    return Span(start, end if end > start else end + DAY)


def in_order(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return spans one after another: one that starts before the previous one ended lies on the next day.

    Raises:
        InvalidInputError: They take more than a day from the first start to the last end.
    """
    placed: list[Span] = []
    for span in spans:
        later = placed and span.start < placed[-1].end
        placed.append(Span(span.start + DAY, span.end + DAY) if later else span)
    if placed and (placed[-1].end - placed[0].start > DAY or any(b.start < a.end for a, b in pairwise(placed))):
        raise InvalidInputError(N_("The spans of a shift overlap, or take more than 24 hours."))
    return tuple(placed)


def breaks_in(breaks: Sequence[Span], spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return breaks where they lie in the spans, on the next day where only that fits, in order.

    Raises:
        InvalidInputError: One lies in none of the spans, or two overlap.
    """
    placed = []
    for pause in breaks:
        both = (pause, Span(pause.start + DAY, pause.end + DAY))
        found = [one for one in both if any(s.start <= one.start and one.end <= s.end for s in spans)]
        if not found:
            raise InvalidInputError(
                N_("The break {span} does not lie in the working time of the shift."), span=show_span(pause)
            )
        placed.append(found[0])
    placed.sort(key=lambda one: one.start)
    if any(b.start < a.end for a, b in pairwise(placed)):
        raise InvalidInputError(N_("The breaks of a shift overlap."))
    return tuple(placed)


def show_clock(minutes: int) -> str:
    """Return minutes from midnight as a time of day; beyond 24:00 as that of the next day."""
    within = minutes if minutes == DAY else minutes % DAY
    return f"{within // 60:02d}:{within % 60:02d}"


def show_span(span: Span) -> str:
    """Return a span as ``22:00-06:00``."""
    return f"{show_clock(span.start)}-{show_clock(span.end)}"


def show_length(minutes: int) -> str:
    """Return a length of time as ``7:30``."""
    return f"{minutes // 60}:{minutes % 60:02d}"

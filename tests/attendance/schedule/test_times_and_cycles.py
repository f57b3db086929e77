"""Spans, shifts and cycles as people write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from smartabsen import InvalidInputError
from smartabsen.attendance.rules.model import Shift, Span
from smartabsen.attendance.schedule.model import Assignment, Pattern, Scope, ScopeKind, ShiftVersion, Step
from smartabsen.attendance.schedule.rules_cycles import newest_in_force, read_cycle, shift_in_cycle, show_cycle
from smartabsen.attendance.schedule.rules_shifts import check_shift, version_on
from smartabsen.attendance.schedule.rules_times import in_order, read_clock, read_length, read_range, show_span

STARTS = date(2026, 11, 2)


def shift(*spans: str, **kwargs: object) -> Shift:
    return check_shift(replace(Shift("X", "", tuple(map(read_range, spans))), **kwargs))  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "minutes"), [("08:00", 480), ("8.05", 485), ("24:00", 1440), ("00:00", 0)])
def test_a_time_of_day_is_read(text: str, minutes: int) -> None:
    """With a colon or a full stop, as Indonesians write it."""
    assert read_clock(text) == minutes


@pytest.mark.parametrize("text", ["", "8", "25:00", "08:60", "24:01", "08:00:00", "pagi"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(InvalidInputError):
        read_clock(text)


@pytest.mark.parametrize(("text", "minutes"), [("40:00", 2400), ("40", 2400), ("7:30", 450)])
def test_a_length_of_time_is_read_in_hours(text: str, minutes: int) -> None:
    """As ``--flexible-week 40:00``."""
    assert read_length(text) == minutes


def test_a_span_over_midnight_ends_on_the_next_day() -> None:
    """22:00-06:00 is eight hours, and 20:00-24:00 ends at midnight."""
    assert read_range("22:00-06:00") == Span(1320, 1800)
    assert read_range("20:00-24:00") == Span(1200, 1440)
    assert show_span(read_range("22:00-06:00")) == "22:00-06:00"


def test_a_span_that_starts_before_the_previous_one_ended_lies_on_the_next_day() -> None:
    """20:00-24:00 and 00:00-04:00 are one shift, as is 06:00-10:00 and 17:00-21:00."""
    assert shift("20:00-24:00", "00:00-04:00").spans == (Span(1200, 1440), Span(1440, 1680))
    assert shift("06:00-10:00", "17:00-21:00").spans == (Span(360, 600), Span(1020, 1260))


@pytest.mark.parametrize("spans", [("06:00-10:00", "08:00-12:00"), ("08:00-17:00", "07:00-09:00"), ("08:00-08:00",)])
def test_a_shift_of_more_than_a_day_is_refused(spans: tuple[str, ...]) -> None:
    """A span that overlaps the previous one would end on the next day, more than 24 hours after the start."""
    with pytest.raises(InvalidInputError):
        shift(*spans)


def test_a_break_lies_in_the_working_time() -> None:
    """That of a night on the next day; one outside of every span is refused."""
    assert shift("22:00-06:00", breaks=(Span(120, 150),)).breaks == (Span(1560, 1590),)
    assert shift("08:00-17:00", breaks=(Span(720, 780),)).breaks == (Span(720, 780),)
    with pytest.raises(InvalidInputError):
        shift("08:00-12:00", "13:00-17:00", breaks=(Span(720, 780),))


def test_a_shift_needs_working_time() -> None:
    """Spans, or hours of a day or a week."""
    assert shift(flexible_week=2400).spans == ()
    with pytest.raises(InvalidInputError):
        shift()
    with pytest.raises(InvalidInputError):
        shift("08:00-17:00", closes_after=5000)


@given(st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 240)), max_size=5))
def test_spans_in_order_never_overlap_and_fit_into_a_day(parts: list[tuple[int, int]]) -> None:
    """Or they are refused."""
    try:
        placed = in_order([Span(start, start + length) for start, length in parts])
    except InvalidInputError:
        return
    assert all(a.end <= b.start for a, b in pairwise(placed))
    assert not placed or placed[-1].end - placed[0].start <= 1440


def test_a_cycle_is_read_and_shown() -> None:
    """A step without a number is a day; off is written in any case."""
    steps = read_cycle("PAGI:5, off:2")
    assert steps == (Step("PAGI", 5), Step(None, 2))
    assert show_cycle(steps) == "PAGI:5,OFF:2"
    assert read_cycle("P,S,OFF") == (Step("P", 1), Step("S", 1), Step(None, 1))


@pytest.mark.parametrize("text", ["", "PAGI:0", "PAGI:x", ":5", "PAGI:400", "OFF:7", "PAGI:5,,OFF:2"])
def test_what_is_no_cycle_is_refused(text: str) -> None:
    """A cycle of days off only is none either."""
    with pytest.raises(InvalidInputError):
        read_cycle(text)


def test_a_cycle_of_whole_weeks_begins_on_mondays() -> None:
    """Whatever day the assignment begins on."""
    office = Pattern("K", "", read_cycle("PAGI:5,OFF:2"))
    week = [
        shift_in_cycle(office, date(2026, 11, 30) + timedelta(n), assigned_from=date(2026, 11, 11)) for n in range(7)
    ]
    assert week == ["PAGI"] * 5 + [None] * 2


def test_another_cycle_begins_with_its_anchor_or_its_assignment() -> None:
    """Two nights, one day off."""
    steps = read_cycle("MALAM:2,OFF:1")
    anchored, free = Pattern("A", "", steps, STARTS), Pattern("F", "", steps)
    days = [STARTS + timedelta(n) for n in range(3)]
    assert [shift_in_cycle(anchored, day, assigned_from=date(2026, 12, 1)) for day in days] == ["MALAM", "MALAM", None]
    assert [shift_in_cycle(free, day, assigned_from=days[1]) for day in days[1:]] == ["MALAM", "MALAM"]


steps = st.lists(st.builds(Step, st.sampled_from(["A", "B", None]), st.integers(1, 9)), min_size=1, max_size=6)


@given(steps, st.integers(-2000, 2000), st.integers(-5, 5))
def test_a_cycle_repeats_and_follows_its_steps(parts: list[Step], offset: int, times: int) -> None:
    """Also before its anchor."""
    pattern = Pattern("K", "", tuple(parts), STARTS)
    written = [step.shift for step in parts for _ in range(step.days)]
    day = STARTS + timedelta(days=offset)
    found = shift_in_cycle(pattern, day, assigned_from=STARTS)
    assert found == written[offset % len(written)]
    assert found == shift_in_cycle(pattern, day + timedelta(days=times * pattern.length), assigned_from=STARTS)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.one_of(st.none(), st.integers(0, 60))), max_size=8), st.integers(0, 90)
)
def test_of_several_assignments_in_force_the_newest_first_date_counts(
    ranges: list[tuple[int, int | None]], offset: int
) -> None:
    """None counts that has not begun or has ended."""
    day = STARTS + timedelta(days=offset)
    known = [
        Assignment(
            number,
            Scope(ScopeKind.SITE, 1),
            "K",
            STARTS + timedelta(days=first),
            None if length is None else STARTS + timedelta(days=first + length),
        )
        for number, (first, length) in enumerate(ranges)
    ]
    found = newest_in_force(known, day)
    in_force = [each for each in known if each.first <= day and (each.last is None or day <= each.last)]
    assert (found is None) == (not in_force)
    assert found is None or all((each.first, each.id) <= (found.first, found.id) for each in in_force)


def test_a_changed_shift_leaves_dates_before_alone() -> None:
    """Each date has the version that was in force on it."""
    old, new = shift("08:00-17:00"), shift("07:30-16:30")
    versions = (ShiftVersion(old, date(2000, 1, 1)), ShiftVersion(new, date(2026, 11, 16)))
    assert version_on(versions, date(2026, 11, 15)) is old
    assert version_on(versions, date(2026, 11, 16)) is new
    assert version_on(versions[1:], date(2026, 11, 1)) is new
    assert version_on((), date(2026, 11, 1)) is None

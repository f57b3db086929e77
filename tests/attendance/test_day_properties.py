"""What holds for every day, whatever was punched."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings, strategies as st

from smartabsen.attendance.rules.day import judge_day
from smartabsen.attendance.rules.model import DayInputs, DayKind, Minutes, PunchAt

from .days import FRIDAY, NIGHT, OFFICE, at, inputs, order, plan, shift

SHIFTS = [
    OFFICE,
    NIGHT,
    shift("06:00-10:00", "17:00-21:00", early_counts=True),
    shift("08:00-12:00", "13:00-17:00", grace_in=10, grace_out=10),
    shift("20:00-24:00", "24:00-28:00"),
    shift("08:00-17:00", breaks=["12:00-13:00"], break_is_taken=False),
    replace(OFFICE, rounding=15, early_counts=True),
    replace(shift(), flexible_day=480),
    None,
]
DAYS = [
    plan(FRIDAY, each, kind=kind)
    for each in SHIFTS
    for kind in (DayKind.WORKDAY, DayKind.HOLIDAY)
    if each is not None or kind is DayKind.HOLIDAY
]


@st.composite
def days(draw: st.DrawFn) -> DayInputs:
    """Return a day of any kind with up to eight punches from midnight until the end of the next day."""
    seconds = draw(st.lists(st.integers(0, 2 * 86400), max_size=8, unique=True))
    midnight = at(FRIDAY, "00:00")
    made = tuple(PunchAt(number, midnight + timedelta(seconds=each)) for number, each in enumerate(seconds, 1))
    one = draw(st.sampled_from(DAYS))
    found = inputs(planned=one, after=draw(st.sampled_from(SHIFTS)), before=draw(st.sampled_from(SHIFTS)))
    return replace(found, punches=made, orders=(order(draw(st.integers(0, 300))),))


@given(days(), st.randoms())
@settings(max_examples=300, deadline=None)
def test_the_order_of_punches_does_not_matter(day: DayInputs, shuffler: random.Random) -> None:
    """They come from several kiosks, late, and in any order."""
    mixed = list(day.punches)
    shuffler.shuffle(mixed)
    assert judge_day(replace(day, punches=tuple(mixed))) == judge_day(day)


@given(days())
@settings(max_examples=500, deadline=None)
def test_minutes_of_kinds_add_up_to_the_span(day: DayInputs) -> None:
    """From arrival to departure each minute is work, break or counts for nothing."""
    found = judge_day(day)
    if found.clock_in is None or found.clock_out is None:
        return
    whole = (found.clock_out - found.clock_in) // timedelta(minutes=1)
    parts = (Minutes.WORKED, Minutes.BREAK, Minutes.UNCOUNTED)
    assert sum(found.count(each) for each in parts) == whole
    assert found.count(Minutes.OVERTIME_APPROVED) <= found.count(Minutes.OVERTIME) <= found.count(Minutes.WORKED)
    assert found.count(Minutes.MISSING) <= found.count(Minutes.EXPECTED)
    assert all(count > 0 for count in found.minutes.values())


@given(days())
@settings(max_examples=300, deadline=None)
def test_each_punch_belongs_to_one_day_at_most(day: DayInputs) -> None:
    """The day and the next one, judged apart, never claim the same punch; neither loses one of its own window."""
    later = DayInputs(
        plan=day.after,
        before=day.plan,
        after=plan(FRIDAY + timedelta(days=2), None),
        punches=day.punches,
        terms=day.terms,
        now=day.now,
    )
    assert not set(judge_day(day).punch_ids) & set(judge_day(later).punch_ids)

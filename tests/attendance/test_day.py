"""What the rules make of a day: late, early, missing, breaks, overtime, leave, days off, flexible hours, reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from smartabsen.attendance.rules.day import judge_day
from smartabsen.attendance.rules.model import DayKind, DayStatus, Minutes, Portion, PunchAt, Shift, Terms
from smartabsen.attendance.rules.reasons import describe_reason
from smartabsen.attendance.rules.week import judge_week
from smartabsen.kernel.i18n import use_language

from .days import (
    FRIDAY,
    NIGHT,
    OFFICE,
    TERMS,
    annual,
    at,
    clock,
    inputs,
    judged,
    on_duty,
    order,
    plan,
    rules_of,
    shift,
    times,
)

GRACE = shift("08:00-17:00", breaks=["12:00-13:00"], grace_in=10, grace_out=5)
SPLIT = shift("06:00-10:00", "17:00-21:00", code="PECAH")
FLEXIBLE = replace(shift(code="BEBAS"), flexible_day=480)
FLEXIBLE_WEEK = replace(shift(code="PEKAN"), flexible_week=2400)


@pytest.mark.parametrize(
    ("came", "status", "late", "missing"),
    [
        ("08:00:59", DayStatus.PRESENT, 0, 0),
        ("08:10", DayStatus.PRESENT, 0, 0),
        ("08:10:01", DayStatus.LATE, 10, 10),
        ("08:25", DayStatus.LATE, 25, 25),
        ("13:30", DayStatus.LATE, 330, 270),
        ("17:30", DayStatus.LATE, 570, 480),
    ],
)
def test_who_exceeds_the_grace_is_late_from_the_start(came: str, status: DayStatus, late: int, missing: int) -> None:
    """Whole minutes, the grace among them; the break is not missing."""
    found = judged(came, "18:00", planned=GRACE)
    assert (found.status, found.count(Minutes.LATE), found.count(Minutes.MISSING)) == (status, late, missing)


def test_a_second_without_grace_is_late_by_no_minute() -> None:
    """As the clock of the kiosk shows it."""
    found = judged("08:00:01", "17:00")
    assert (found.status, found.count(Minutes.LATE)) == (DayStatus.LATE, 0)
    assert judged("08:00:00", "17:00").status is DayStatus.PRESENT


@pytest.mark.parametrize(("left", "early", "missing"), [("16:55", 0, 0), ("16:54", 6, 6), ("11:00", 360, 300)])
def test_leaving_early_is_measured_the_same_way(left: str, early: int, missing: int) -> None:
    """Grace, then all of it."""
    found = judged("08:00", left, planned=GRACE)
    assert (found.count(Minutes.EARLY), found.count(Minutes.MISSING)) == (early, missing)


@pytest.mark.parametrize(
    ("texts", "worked", "pause", "missing"),
    [
        (("08:00", "12:00", "13:00", "17:00"), 480, 60, 0),
        (("08:00", "12:00", "12:40", "17:00"), 500, 40, 0),
        (("08:00", "12:00", "13:10", "17:00"), 470, 70, 10),
        (("08:00", "10:00", "11:00", "17:00"), 480, 60, 0),
        (("08:00", "12:20", "12:30", "17:00"), 510, 30, 0),
        (("08:00", "17:00"), 480, 60, 0),
    ],
)
def test_recorded_breaks_count_and_else_the_planned_one(
    texts: tuple[str, ...], worked: int, pause: int, missing: int
) -> None:
    """A few minutes of break are completed to the half hour of the law; a longer break is missing."""
    found = judged(*texts)
    assert [found.count(each) for each in (Minutes.WORKED, Minutes.BREAK, Minutes.MISSING)] == [worked, pause, missing]
    assert found.count(Minutes.OVERTIME) == 0


def test_a_night_without_a_planned_break_says_that_one_is_due() -> None:
    """Unless the firm takes the least one off."""
    assert "break.due" in rules_of(judged("22:00", "+1 06:00", planned=NIGHT))
    taken = judged("22:00", "+1 06:00", planned=NIGHT, terms=replace(TERMS, break_by_law=True))
    assert (taken.count(Minutes.WORKED), taken.count(Minutes.BREAK), taken.count(Minutes.MISSING)) == (450, 30, 0)
    assert "break.due" not in rules_of(judged("22:00", "+1 02:00", planned=shift("22:00-02:00")))


def test_a_split_shift_has_its_pause_between_the_spans() -> None:
    """Neither late nor missing for seven hours at home; late for the second span as for the first."""
    found = judged("06:00", "10:00", "17:00", "21:00", planned=SPLIT)
    assert [found.count(each) for each in (Minutes.WORKED, Minutes.BREAK, Minutes.MISSING)] == [480, 420, 0]
    late = judged("06:00", "10:00", "17:20", "21:00", planned=SPLIT)
    assert (late.status, late.count(Minutes.LATE), late.count(Minutes.MISSING)) == (DayStatus.LATE, 20, 20)
    half = judged("17:00", "21:00", planned=SPLIT)
    assert (half.status, half.count(Minutes.LATE), half.count(Minutes.MISSING)) == (DayStatus.LATE, 660, 240)


@pytest.mark.parametrize("kind", [DayKind.REST_DAY, DayKind.HOLIDAY, DayKind.SHORTEST_DAY])
def test_work_on_a_day_off_is_overtime_of_its_kind(kind: DayKind) -> None:
    """All of it; the result says which."""
    found = judged("08:00", "16:00", planned=plan(FRIDAY, None, kind=kind), orders=(order(480),))
    assert (found.status, found.kind) == (DayStatus.PRESENT, kind)
    assert found.count(Minutes.OVERTIME) == found.count(Minutes.OVERTIME_APPROVED) == 480
    assert found.count(Minutes.EXPECTED) == 0


def test_a_shift_on_a_holiday_is_expected_and_all_of_it_is_overtime() -> None:
    """The roster put somebody there: who does not come is absent."""
    rostered = plan(FRIDAY, OFFICE, kind=DayKind.HOLIDAY, holiday="Hari Raya")
    found = judged("08:30", "17:00", planned=rostered)
    assert (found.status, found.count(Minutes.OVERTIME), found.count(Minutes.LATE)) == (DayStatus.LATE, 450, 30)
    assert judged(planned=rostered).status is DayStatus.ABSENT


def test_overtime_that_is_too_short_does_not_count() -> None:
    """By the policy of the firm, and it says so."""
    found = judged("08:00", "17:20", terms=replace(TERMS, overtime_least=30))
    assert (found.count(Minutes.OVERTIME), found.count(Minutes.UNCOUNTED)) == (0, 20)
    assert "overtime.least" in rules_of(found)


def test_rounding_cuts_worked_time_down() -> None:
    """In steps of the shift."""
    found = judged("08:07", "17:20", planned=replace(OFFICE, rounding=15))
    assert (found.count(Minutes.WORKED), found.count(Minutes.OVERTIME), found.count(Minutes.UNCOUNTED)) == (480, 15, 13)


def test_who_is_exempt_has_overtime_that_is_not_paid() -> None:
    """The clause is the article."""
    found = judged("08:00", "19:00", terms=replace(TERMS, exempt="PP pasal 12"), orders=(order(120),))
    assert (found.count(Minutes.OVERTIME), found.count(Minutes.OVERTIME_APPROVED)) == (120, 0)
    assert "overtime.exempt" in rules_of(found)


def test_four_hours_of_overtime_bring_food_and_more_break_the_cap() -> None:
    """Art. 29 and 26; the cap is none on a day off."""
    four = judged("08:00", "21:00", orders=(order(240),))
    assert "overtime.food" in rules_of(four)
    assert "overtime.cap-day" not in rules_of(four)
    long = replace(OFFICE, closes_after=400)
    assert "overtime.cap-day" in rules_of(judged("08:00", "22:00", planned=long))
    assert "overtime.cap-day" not in rules_of(judged("08:00", "22:00", planned=None))


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"now": "07:00"}, DayStatus.PENDING),
        ({}, DayStatus.ABSENT),
        ({"planned": None}, DayStatus.OFF),
        ({"leave": (annual(),)}, DayStatus.LEAVE),
        ({"leave": (annual(),), "now": "07:00"}, DayStatus.LEAVE),
        ({"planned": None, "leave": (annual(),)}, DayStatus.OFF),
        ({"leave": (on_duty(),)}, DayStatus.DUTY),
        ({"leave": (annual(Portion.MORNING),), "now": "07:00"}, DayStatus.PENDING),
        ({"leave": (annual(Portion.MORNING),)}, DayStatus.ABSENT),
        ({"leave": (annual(Portion.MORNING), annual(Portion.AFTERNOON))}, DayStatus.LEAVE),
        ({"leave": (on_duty(Portion.MORNING),)}, DayStatus.DUTY),
        ({"terms": Terms("id-2021", employed=False)}, DayStatus.OFF),
        ({"planned": plan(FRIDAY, OFFICE, is_planned=False)}, DayStatus.OFF),
        ({"planned": plan(FRIDAY, None, is_planned=False)}, DayStatus.OFF),
        ({"planned": plan(FRIDAY, None, is_planned=False), "leave": (annual(),)}, DayStatus.LEAVE),
    ],
)
def test_nobody_came(more: dict[str, object], status: DayStatus) -> None:
    """Leave, off and holiday before both; half of a leave excuses half."""
    assert judged(**more).status is status


def test_work_elsewhere_counts_as_work() -> None:
    """The whole day, and half of it with the other half at the site."""
    whole = judged(leave=(on_duty(),))
    assert [whole.count(each) for each in (Minutes.WORKED, Minutes.LEAVE, Minutes.MISSING)] == [480, 0, 0]
    half = judged("13:00", "17:00", leave=(on_duty(Portion.MORNING),))
    assert [half.count(each) for each in (Minutes.WORKED, Minutes.LEAVE, Minutes.MISSING)] == [480, 0, 0]
    assert half.status is DayStatus.PRESENT


def test_who_comes_on_a_day_of_leave_keeps_it_and_gets_the_times() -> None:
    """A punch does not undo somebody's decision."""
    found = judged("09:00", "11:00", leave=(annual(),))
    assert (found.status, times(found)) == (DayStatus.LEAVE, ("09:00", "11:00"))
    assert [found.count(each) for each in (Minutes.LATE, Minutes.EARLY, Minutes.MISSING)] == [0, 0, 0]


def test_half_a_day_divides_at_the_break_near_the_middle_or_at_half_of_the_minutes() -> None:
    """Who has the morning off is late after the break; at night without a break, after two."""
    late = judged("13:20", "17:00", leave=(annual(Portion.MORNING),))
    assert (late.status, late.count(Minutes.LATE), late.count(Minutes.MISSING)) == (DayStatus.LATE, 20, 20)
    night = judged("+1 02:00", "+1 06:00", planned=NIGHT, leave=(annual(Portion.MORNING),))
    assert (night.status, night.count(Minutes.LEAVE), night.count(Minutes.MISSING)) == (DayStatus.PRESENT, 240, 0)


def test_joint_leave_is_leave_unless_somebody_works() -> None:
    """Worked, it is an ordinary day; not worked, a day of leave."""
    joint = plan(FRIDAY, None, kind=DayKind.WORKDAY, holiday="Cuti bersama", joint_leave=True, usual_shift=OFFICE)
    away = judged(planned=joint)
    assert (away.status, away.count(Minutes.LEAVE)) == (DayStatus.LEAVE, 480)
    worked = judged("08:10", "17:00", planned=joint)
    assert (worked.status, worked.count(Minutes.LATE), worked.count(Minutes.OVERTIME)) == (DayStatus.LATE, 10, 0)
    assert judged(planned=replace(joint, usual_shift=None)).status is DayStatus.OFF


def test_a_flexible_day_asks_for_minutes_whenever_they_are_worked() -> None:
    """Nobody is late; what lacks is missing, what exceeds is overtime."""
    assert judged("10:30", "18:30", planned=FLEXIBLE).status is DayStatus.PRESENT
    short = judged("10:30", "17:30", planned=FLEXIBLE)
    assert [short.count(each) for each in (Minutes.WORKED, Minutes.MISSING, Minutes.OVERTIME)] == [420, 60, 0]
    long = judged("06:00", "16:00", planned=FLEXIBLE)
    assert [long.count(each) for each in (Minutes.WORKED, Minutes.MISSING, Minutes.OVERTIME)] == [600, 0, 120]
    half = judged("06:00", "10:00", planned=FLEXIBLE, leave=(annual(Portion.AFTERNOON),))
    assert [half.count(each) for each in (Minutes.WORKED, Minutes.MISSING, Minutes.LEAVE)] == [240, 0, 240]
    assert judged(planned=FLEXIBLE, now="23:59").status is DayStatus.PENDING
    assert judged(planned=FLEXIBLE, now="+1 00:00").status is DayStatus.ABSENT


def test_a_flexible_week_is_judged_by_its_sum() -> None:
    """40 hours in four long days are enough; leave fills its part."""
    monday = date(2026, 11, 9)

    def week(*texts: tuple[str, ...], leave_on: int | None = None) -> Sequence[int]:
        days = [
            judged(
                *text,
                day=monday + timedelta(days=number),
                planned=FLEXIBLE_WEEK,
                leave=(annual(),) if number == leave_on else (),
            )
            for number, text in enumerate(texts)
        ]
        assert not any(day.count(Minutes.LATE) for day in days)
        assert not any(day.status is DayStatus.ABSENT for day in days)
        found = judge_week(days, flexible_week=2400)
        return found.worked, found.leave, found.missing, found.overtime

    ten, eight = ("07:00", "17:00"), ("09:00", "17:00")
    assert week(ten, ten, ten, ten, ()) == (2400, 0, 0, 0)
    assert week(eight, eight, eight, (), ()) == (1440, 0, 960, 0)
    assert week(eight, eight, eight, eight, (), leave_on=4) == (1920, 480, 0, 0)
    assert week(ten, ten, ten, ten, eight) == (2880, 0, 0, 480)


def test_a_punch_outside_of_every_window_counts_for_nothing_and_is_shown() -> None:
    """Somebody came at three in the morning."""
    found = judged("03:00", "08:00", "17:00")
    assert (times(found), found.outside_ids, found.punch_ids) == (("08:00", "17:00"), (1,), (2, 3))
    assert "punch.outside" in rules_of(found)


def test_a_break_that_was_punched_and_not_ended_yet_shows_no_departure_after_it() -> None:
    """Who came back from lunch is there; who forgets to go has no departure."""
    there = judged("08:00", "12:00", "13:00", now="15:00")
    assert (times(there), there.is_final) == (("08:00", ""), False)
    assert judged("08:00", "12:00", now="12:30").count(Minutes.WORKED) == 240


def test_a_second_departure_after_overtime_ends_the_day() -> None:
    """Who went to eat and came back has the pause as a break, beside the planned one."""
    found = judged("08:00", "17:00", "18:30", "20:30")
    assert (times(found), found.count(Minutes.OVERTIME), found.count(Minutes.BREAK)) == (("08:00", "20:30"), 120, 150)


def test_who_is_called_before_midnight_for_a_shift_after_it_comes_for_that_shift() -> None:
    """The day off before has no part in it."""
    early = shift("00:30-08:30", code="DINI")
    found = judged("-1 23:50", "08:31", planned=early)
    assert (times(found), found.status) == (("-1 23:50", "08:31"), DayStatus.PRESENT)
    day_off = judged("23:50", "+1 08:31", planned=None, after=early)
    assert day_off.punch_ids == ()


def test_hours_of_the_clock_hold_where_clocks_are_changed() -> None:
    """A night in Berlin in October has nine hours on the wall clock's eight; work starts at its reading."""
    autumn = date(2026, 10, 24)
    planned = plan(autumn, NIGHT, zone="Europe/Berlin")
    found = judged("22:00", "+1 06:00", day=autumn, planned=planned)
    assert (found.status, found.count(Minutes.WORKED)) == (DayStatus.PRESENT, 540)
    morning = plan(date(2026, 10, 25), OFFICE, zone="Europe/Berlin")
    assert judged("08:00", "17:00", day=date(2026, 10, 25), planned=morning).status is DayStatus.PRESENT


def test_an_instant_without_a_zone_is_refused() -> None:
    """Nobody guesses a zone."""
    naive = replace(inputs(), punches=(PunchAt(1, at(FRIDAY, "08:00").replace(tzinfo=None)),))
    with pytest.raises(ValueError, match="time zone"):
        judge_day(naive)


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_reason_is_a_sentence_with_all_its_places_filled(language: str) -> None:
    """In both languages, for a day on which much happened."""
    long = replace(OFFICE, closes_after=400, early_counts=True)
    results = [
        judged("06:00", "07:30", "08:20", "08:21", "12:00", "12:10", "23:00", planned=long, orders=(order(250),)),
        judged("08:00", "23:00", planned=long, leave=(annual(Portion.AFTERNOON),)),
        judged("10:00", "11:00", planned=FLEXIBLE),
        judged("10:00", "11:00", planned=FLEXIBLE_WEEK),
        judged(now="07:00"),
        judged(),
        judged(planned=plan(FRIDAY, None, holiday="Hari Raya", kind=DayKind.HOLIDAY)),
        judged("08:00"),
    ]
    with use_language(language):
        texts = [describe_reason(reason) for result in results for reason in result.reasons]
    assert texts
    assert not [text for text in texts if "{" in text or not text.endswith(".")]


Step = tuple[str, str, bool]
IN_TIME: list[Step] = [("00:00", "Belum", False), ("21:50", "Hadir", False), ("+1 10:00", "Hadir", True)]
LATE: list[Step] = [("00:00", "Belum", False), ("22:05", "Terlambat", False), ("+1 10:00", "Terlambat", True)]
WALK: list[tuple[str, str, Shift | None, dict[str, object], list[Step]]] = [
    ("comes in time", "21:50 +1 06:03", NIGHT, {}, IN_TIME),
    ("comes late", "22:05 +1 06:03", NIGHT, {}, LATE),
    ("never comes", "", NIGHT, {}, [("00:00", "Belum", False), ("+1 10:00", "Alpa", True)]),
    ("is on leave", "", NIGHT, {"leave": (annual(),)}, [("00:00", "Cuti", False), ("+1 10:00", "Cuti", True)]),
    ("is off", "", None, {}, [("00:00", "Libur", False), ("+1 00:00", "Libur", True)]),
]


@pytest.mark.parametrize(
    ("texts", "planned", "more", "steps"), [each[1:] for each in WALK], ids=[each[0] for each in WALK]
)
def test_a_walk_minute_by_minute_through_a_night(
    texts: str, planned: Shift | None, more: dict[str, object], steps: list[Step]
) -> None:
    """From midnight until noon of the next day each instant has the status of the last step before it."""
    known = texts.replace("+1 ", "+1_").split()
    for minute in range(36 * 60):
        day, rest = divmod(minute, 1440)
        now = f"{'+1 ' if day else ''}{rest // 60:02d}:{rest % 60:02d}"
        so_far = [each.replace("_", " ") for each in known if _minute(each.replace("_", " ")) <= minute]
        found = judged(*so_far, planned=planned, before=NIGHT, after=NIGHT, now=now, **more)
        expected = next(step for step in reversed(steps) if _minute(step[0]) <= minute)
        assert (now, found.status.value, found.is_final) == (now, *expected[1:])


def _minute(text: str) -> int:
    ahead, _, wall = text.rpartition(" ")
    return 1440 * int(ahead or 0) + clock(wall)

"""The cases that broke comparable systems, by their numbers in the contract, as far as one day shows them."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from smartabsen.attendance.rules.exceptions import exceptions_of
from smartabsen.attendance.rules.model import DayKind, DayStatus, Minutes, Portion

from .days import FRIDAY, NIGHT, OFFICE, annual, judged, order, plan, rules_of, shift, times

LONG_NIGHT = shift("18:00-07:00", code="MALAM")
EVENING = shift("14:00-20:00", code="SORE")
LATE_SHIFT = shift("15:00-23:30", code="SIANG", closes_after=120)
NOVEMBER_14 = date(2026, 11, 14)


def test_case_1_a_departure_in_the_morning_closes_the_night_and_not_the_evening_of_that_day() -> None:
    """Night 18:00-07:00 on the 13th, evening 14:00-20:00 on the 14th."""
    night = judged("17:55", "+1 07:10", planned=LONG_NIGHT, after=EVENING)
    assert times(night) == ("17:55", "+1 07:10")
    evening = judged("-1 17:55", "07:10", day=NOVEMBER_14, planned=EVENING, before=LONG_NIGHT, now="12:00")
    assert (evening.status, evening.punch_ids) == (DayStatus.PENDING, ())


def test_case_1_holds_where_the_evening_follows_too() -> None:
    """The punches of the evening go to the evening."""
    evening = judged("-1 17:55", "07:10", "13:50", "20:05", day=NOVEMBER_14, planned=EVENING, before=LONG_NIGHT)
    assert (times(evening), evening.punch_ids) == (("13:50", "20:05"), (3, 4))


@pytest.mark.parametrize(("now", "status"), [("+1 01:29", DayStatus.PENDING), ("+1 01:30", DayStatus.ABSENT)])
def test_case_2_nobody_is_absent_before_the_window_closes(now: str, status: DayStatus) -> None:
    """Shift 15:00-23:30, whose window closes at 01:30."""
    assert judged(planned=LATE_SHIFT, now=now).status is status


@pytest.mark.parametrize(("now", "status"), [("20:59", DayStatus.PENDING), ("21:00", DayStatus.ABSENT)])
def test_case_3_absent_is_told_on_the_day_itself(now: str, status: DayStatus) -> None:
    """The office's window closes four hours after its end."""
    assert judged(now=now).status is status


def test_case_4_a_day_off_is_not_absent() -> None:
    """However often somebody is saved: the plan decides."""
    assert judged(planned=None).status is DayStatus.OFF


def test_case_5_a_shift_that_changes_while_it_runs_is_judged_by_its_new_times() -> None:
    """The punch stores no shift, so nothing rots."""
    longer = shift("08:00-18:00", breaks=["12:00-13:00"])
    assert judged("08:00", "17:00").count(Minutes.EARLY) == 0
    changed = judged("08:00", "17:00", planned=longer)
    assert (changed.count(Minutes.EARLY), changed.count(Minutes.EXPECTED)) == (60, 540)


def test_case_6_coming_early_is_no_overtime_unless_the_shift_says_so() -> None:
    """An hour before the start."""
    early = judged("07:00", "17:00")
    assert (early.count(Minutes.OVERTIME), early.count(Minutes.WORKED), early.count(Minutes.UNCOUNTED)) == (0, 480, 60)
    counts = judged("07:00", "17:00", planned=shift("08:00-17:00", breaks=["12:00-13:00"], early_counts=True))
    assert (counts.count(Minutes.OVERTIME), counts.count(Minutes.WORKED)) == (60, 540)


@pytest.mark.parametrize("zone", ["Asia/Jayapura", "Asia/Makassar", "Asia/Jakarta"])
def test_case_7_spans_around_midnight_are_eight_hours_without_overtime(zone: str) -> None:
    """Planned 20-24 and 0-4, wherever the site is and whatever zone the program runs in."""
    around = shift("20:00-24:00", "24:00-28:00")
    found = judged(
        "20:00",
        "+1 04:00",
        planned=plan(FRIDAY, around, zone=zone),
        before=plan(FRIDAY.replace(day=12), around, zone=zone),
    )
    counts = [found.count(kind) for kind in (Minutes.EXPECTED, Minutes.WORKED, Minutes.OVERTIME, Minutes.MISSING)]
    assert counts == [480, 480, 0, 0]
    assert found.status is DayStatus.PRESENT


def test_case_8_a_new_punch_does_not_reset_approved_overtime() -> None:
    """The order decides, not the order of events."""
    before = judged("08:00", "19:00", orders=(order(120),))
    after = judged("08:00", "19:00", "20:00", orders=(order(120),))
    assert before.count(Minutes.OVERTIME_APPROVED) == after.count(Minutes.OVERTIME_APPROVED) == 120
    assert after.count(Minutes.OVERTIME) == 180


def test_case_9_overtime_before_and_after_are_two_blocks() -> None:
    """06:00-20:00 against 08-12 and 13-17."""
    two = shift("08:00-12:00", "13:00-17:00", early_counts=True)
    found = judged("06:00", "20:00", planned=two)
    blocks = {reason.rule: reason.minutes for reason in found.reasons if reason.rule.startswith("overtime.")}
    assert (blocks["overtime.before"], blocks["overtime.after"]) == (120, 180)
    counts = [found.count(kind) for kind in (Minutes.OVERTIME, Minutes.WORKED, Minutes.BREAK)]
    assert counts == [300, 780, 60]


@pytest.mark.parametrize(
    ("portion", "came", "left"), [(Portion.MORNING, "12:58", "17:00"), (Portion.AFTERNOON, "08:00", "12:01")]
)
def test_case_10_half_a_day_of_leave_and_the_other_half_worked_misses_nothing(
    portion: Portion, came: str, left: str
) -> None:
    """Neither late nor early nor missing."""
    found = judged(came, left, leave=(annual(portion),))
    assert found.status is DayStatus.PRESENT
    assert [found.count(kind) for kind in (Minutes.LATE, Minutes.EARLY, Minutes.MISSING)] == [0, 0, 0]
    assert (found.count(Minutes.LEAVE), found.count(Minutes.WORKED)) == (240, 240)


def test_case_11_the_arrival_of_the_next_morning_does_not_close_yesterday() -> None:
    """The day stays without departure, and the shift suggests one."""
    yesterday = judged("07:55", "+1 07:58", after=OFFICE)
    assert times(yesterday) == ("07:55", "")
    assert "departure.missing" in rules_of(yesterday)
    assert yesterday.suggested_out is not None
    assert yesterday.suggested_out.astimezone(ZoneInfo("Asia/Jakarta")).strftime("%H:%M") == "17:00"
    today = judged("-1 07:55", "07:58", before=OFFICE, now="10:00")
    assert times(today) == ("07:58", "")


def test_case_11_holds_for_nights() -> None:
    """The next evening's arrival does not close the night before."""
    night = judged("21:55", "+1 21:57", planned=NIGHT, after=NIGHT)
    assert times(night) == ("21:55", "")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("07:50", "08:10", "17:00", "17:20"), ("07:50", "17:20")),
        (("07:58", "08:00", "17:00", "17:02"), ("07:58", "17:00")),
        (("07:58", "08:00", "17:01"), ("07:58", "17:01")),
    ],
)
def test_case_12_in_in_out_out_and_repeats(texts: tuple[str, ...], expected: tuple[str, str]) -> None:
    """No break of eight hours comes of it, and who punches twice came once."""
    found = judged(*texts)
    assert times(found) == expected
    assert (found.count(Minutes.MISSING), found.count(Minutes.BREAK)) == (0, 60)


def test_case_13_a_holiday_over_leave_is_a_holiday_and_leaves_leave_untouched() -> None:
    """What the ledger gives back follows from this."""
    found = judged(planned=plan(FRIDAY, None, kind=DayKind.HOLIDAY, holiday="Hari Raya"), leave=(annual(),))
    assert (found.status, found.count(Minutes.LEAVE)) == (DayStatus.OFF, 0)


def test_case_17_a_night_into_a_holiday_is_a_work_day() -> None:
    """The night belongs to the date that it begins on."""
    holiday = plan(NOVEMBER_14, None, kind=DayKind.HOLIDAY, holiday="Hari Raya")
    night = judged("21:55", "+1 06:05", planned=NIGHT, after=holiday)
    assert (night.count(Minutes.WORKED), night.count(Minutes.OVERTIME), night.kind) == (485, 5, DayKind.WORKDAY)
    day = judged("-1 21:55", "06:05", day=NOVEMBER_14, planned=holiday, before=NIGHT)
    assert (day.status, day.punch_ids) == (DayStatus.OFF, ())


def test_case_17_a_night_out_of_a_holiday_is_work_on_the_holiday() -> None:
    """All of it is overtime of that kind, although part lies on a work day."""
    night = judged("22:00", "+1 06:00", planned=plan(FRIDAY, NIGHT, kind=DayKind.HOLIDAY), after=OFFICE)
    assert (night.count(Minutes.OVERTIME), night.kind) == (480, DayKind.HOLIDAY)
    unplanned = judged("22:00", "+1 02:00", planned=plan(FRIDAY, None, kind=DayKind.HOLIDAY), after=OFFICE)
    assert (times(unplanned), unplanned.count(Minutes.OVERTIME)) == (("22:00", "+1 02:00"), 240)


def test_case_18_another_plan_of_a_past_day_gives_another_result_from_the_same_punches() -> None:
    """Nothing of the old plan is left in it."""
    assert judged("14:00", "22:00").status is DayStatus.LATE
    assert judged("14:00", "22:00", planned=shift("14:00-22:00", code="SORE")).status is DayStatus.PRESENT


def test_case_19_leave_approved_late_changes_alpa() -> None:
    """The day that was Alpa is leave."""
    assert judged().status is DayStatus.ABSENT
    assert judged(leave=(annual(),)).status is DayStatus.LEAVE


def test_case_20_a_person_who_moves_to_another_zone_is_judged_by_each_site() -> None:
    """The last day in Jakarta, the first in Makassar: 08:00 there is 07:00 in Jakarta."""
    moved = plan(NOVEMBER_14, OFFICE, zone="Asia/Makassar")
    last = judged("08:00", "17:00", after=moved)
    first = judged("08:00", "17:30", day=NOVEMBER_14, planned=moved, before=OFFICE)
    assert (last.status, last.count(Minutes.WORKED)) == (DayStatus.PRESENT, 480)
    assert (first.status, first.count(Minutes.OVERTIME)) == (DayStatus.PRESENT, 30)
    assert judged("07:30", "17:00", planned=plan(FRIDAY, OFFICE, zone="Asia/Makassar")).status is DayStatus.PRESENT


def test_five_hours_of_overtime_without_an_order_are_shown_and_not_paid() -> None:
    """Belum disetujui, never lost, and an order later pays them; the two are never added."""
    open_ones = judged("08:00", "22:00", planned=shift("08:00-17:00", breaks=["12:00-13:00"], closes_after=360))
    assert (open_ones.count(Minutes.OVERTIME), open_ones.count(Minutes.OVERTIME_APPROVED)) == (300, 0)
    assert "overtime.unapproved" in rules_of(open_ones)
    late = shift("08:00-17:00", breaks=["12:00-13:00"], closes_after=360)
    for ordered, paid in ((order(300), 300), (order(400), 300), (order(300, has_consent=False), 0)):
        found = judged("08:00", "22:00", planned=late, orders=(ordered,))
        assert (found.count(Minutes.OVERTIME), found.count(Minutes.OVERTIME_APPROVED)) == (300, paid)


def test_nine_hours_with_an_hour_of_break_are_no_overtime() -> None:
    """Recorded or not; unless the shift says that the break is work."""
    for texts in (("08:00", "17:00"), ("08:00", "12:00", "13:00", "17:00")):
        found = judged(*texts)
        assert (found.count(Minutes.WORKED), found.count(Minutes.BREAK), found.count(Minutes.OVERTIME)) == (480, 60, 0)
    through = judged("08:00", "17:00", planned=shift("08:00-17:00", breaks=["12:00-13:00"], break_is_taken=False))
    assert (through.count(Minutes.WORKED), through.count(Minutes.OVERTIME)) == (540, 60)


def test_joint_leave_worked_by_schedule_is_an_ordinary_day() -> None:
    """No holiday multipliers: its kind is a work day."""
    found = judged("08:00", "17:00", planned=plan(FRIDAY, OFFICE, holiday="Cuti bersama"))
    assert (found.kind, found.count(Minutes.OVERTIME), found.count(Minutes.WORKED)) == (DayKind.WORKDAY, 0, 480)


def test_a_forgotten_departure_has_a_suggestion_in_its_exception() -> None:
    """One click confirms it."""
    (found,) = exceptions_of(judged("08:00"), today=FRIDAY)
    assert (found.kind.value, found.severity.value) == ("forgotten-departure", "critical")
    assert found.suggested_out is not None

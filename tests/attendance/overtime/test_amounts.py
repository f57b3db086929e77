"""What overtime is worth: golden figures, exact fractions, and formulas that others get wrong."""

from __future__ import annotations

import random
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings, strategies as st

from smartabsen.attendance.policy.rulesets import find_ruleset, get_ruleset, ruleset_on
from smartabsen.attendance.rules.model import DayKind
from smartabsen.attendance.rules.overtime import (
    HourRounding,
    OvertimeTerms,
    PastTiers,
    Wage,
    amount_of_period,
    decimal_text,
    explain,
    parse_hours,
    split,
    units_of,
    wage_base,
)
from smartabsen.kernel.errors import InvalidInputError, NotFoundError

LAW = ruleset_on(date(2026, 11, 1))
WORKDAY, REST, HOLIDAY, SHORTEST = DayKind.WORKDAY, DayKind.REST_DAY, DayKind.HOLIDAY, DayKind.SHORTEST_DAY


def monthly(basic: int, fixed: int = 0, variable: int = 0, minimum: int = 0) -> Wage:
    return Wage(Fraction(basic), Fraction(fixed), Fraction(variable), minimum=Fraction(minimum))


def daily(wage: int) -> Wage:
    return Wage(daily=Fraction(wage))


def terms(week: int = 5, rounding: str = "exact", past: str = "refuse") -> OvertimeTerms:
    return OvertimeTerms(LAW, week, HourRounding(rounding), PastTiers(past))


GOLDEN = [
    (monthly(5_000_000), 5, WORKDAY, "1", "exact", "1.5", 43_353),
    (monthly(4_000_000), 5, WORKDAY, "3", "exact", "5.5", 127_168),
    (monthly(5_000_000), 5, WORKDAY, "4", "exact", "7.5", 216_763),
    (monthly(5_000_000), 6, WORKDAY, "1:30", "exact", "2.5", 72_254),
    (monthly(4_000_000), 5, HOLIDAY, "5", "exact", "10", 231_214),
    (monthly(5_000_000), 5, HOLIDAY, "8", "exact", "16", 462_428),
    (monthly(5_000_000), 5, HOLIDAY, "10", "exact", "23", 664_740),
    (monthly(5_000_000), 5, HOLIDAY, "10", "floor", "23", 664_723),
    (monthly(5_000_000), 6, HOLIDAY, "7", "exact", "14", 404_624),
    (monthly(4_000_000), 6, HOLIDAY, "7", "exact", "14", 323_699),
    (monthly(5_000_000), 6, HOLIDAY, "9", "exact", "21", 606_936),
    (monthly(5_000_000), 6, HOLIDAY, "9", "floor", "21", 606_921),
    (monthly(5_000_000), 6, SHORTEST, "8", "exact", "21", 606_936),
    (monthly(5_000_000), 6, SHORTEST, "8", "floor", "21", 606_921),
    (monthly(3_000_000, 1_000_000, 2_000_000), 5, WORKDAY, "3", "exact", "5.5", 143_064),
    (daily(150_000), 6, WORKDAY, "2", "exact", "3.5", 75_867),
    (daily(150_000), 5, WORKDAY, "2", "exact", "3.5", 63_728),
]


@pytest.mark.parametrize(("wage", "week", "kind", "hours", "rounding", "units", "amount"), GOLDEN)
def test_golden_figures_of_the_law_and_of_the_ministry(
    wage: Wage, week: int, kind: DayKind, hours: str, rounding: str, units: str, amount: int
) -> None:
    """PP 35/2021 art. 31 to 33; the ministry cuts the hour's wage to whole rupiah."""
    found = explain(parse_hours(hours), kind, wage, terms(week, rounding))
    assert (decimal_text(found.units), found.amount) == (units, amount)
    assert found.ruleset == "id-2021"


def test_a_rest_day_is_paid_as_a_holiday() -> None:
    """The law gives both the same steps, except the shortest day."""
    for week in (5, 6):
        assert split(Fraction(10), REST, terms(week)) == split(Fraction(10), HOLIDAY, terms(week))


def test_each_step_names_its_hours_and_article() -> None:
    """Ten hours on a holiday in a week of five days: 8 twice, one three times, one four times."""
    parts = split(Fraction(10), HOLIDAY, terms(5))
    assert [(part.from_hour, part.to_hour, part.multiplier) for part in parts] == [(0, 8, 2), (8, 9, 3), (9, 10, 4)]
    assert {part.article for part in parts} == {"PP 35/2021 art. 31(3)"}
    assert split(Fraction(2), WORKDAY, terms(6))[0].article == "PP 35/2021 art. 31(1)"
    assert split(Fraction(2), SHORTEST, terms(6))[0].article == "PP 35/2021 art. 31(2)b"


@pytest.mark.parametrize(
    ("week", "kind", "last", "units"), [(5, HOLIDAY, 12, 31), (6, HOLIDAY, 11, 29), (6, SHORTEST, 9, 25)]
)
def test_hours_past_the_last_step_are_refused_or_paid_four_times(
    week: int, kind: DayKind, last: int, units: int
) -> None:
    """Never silently: the firm says which."""
    assert units_of(split(Fraction(last), kind, terms(week))) == units
    with pytest.raises(InvalidInputError, match=f"past {last} hours"):
        split(Fraction(last + 1), kind, terms(week))
    parts = split(Fraction(last + 1), kind, terms(week, past="4x"))
    assert (units_of(parts), parts[-1].from_hour, parts[-1].multiplier) == (units + 4, last, 4)
    assert "past_tiers" in parts[-1].article


def test_a_work_day_has_no_last_step() -> None:
    """Further hours count twice, however many: the cap is a finding, not a lost hour."""
    assert units_of(split(Fraction(9), WORKDAY, terms())) == Fraction("17.5")


def test_a_week_of_five_days_has_no_shortest_day() -> None:
    """The law knows it in a week of six only."""
    with pytest.raises(InvalidInputError, match="week of 5 days"):
        split(Fraction(1), SHORTEST, terms(5))
    with pytest.raises(InvalidInputError, match="5 or 6"):
        split(Fraction(1), WORKDAY, terms(7))


@pytest.mark.parametrize(
    ("wage", "week", "base"),
    [
        (monthly(3_000_000, 1_000_000, 2_000_000), 5, 4_500_000),
        # Exactly 75 %: basic and fixed, not raised; and not everything, which a published calculator takes.
        (monthly(3_000_000, 0, 1_000_000), 5, 3_000_000),
        (monthly(4_000_000, 1_000_000, 500_000), 5, 5_000_000),
        (monthly(2_000_000, minimum=3_500_000), 5, 3_500_000),
        (monthly(4_000_000, minimum=3_500_000), 5, 4_000_000),
        (Wage(daily=Fraction(100_000), minimum=Fraction(2_800_000)), 6, 2_800_000),
    ],
)
def test_the_base_is_what_the_law_says(wage: Wage, week: int, base: int) -> None:
    """75 % of everything where basic and fixed are less, and at least the minimum wage."""
    assert wage_base(wage, terms(week)).amount == base


@pytest.mark.parametrize(
    "wage", [Wage(), monthly(-1), Wage(basic=Fraction(1), daily=Fraction(1)), Wage(daily=Fraction(-5))]
)
def test_a_wage_that_is_none_is_refused(wage: Wage) -> None:
    """Negative, missing, or by day and by month at once."""
    with pytest.raises(InvalidInputError):
        wage_base(wage, terms())


@pytest.mark.parametrize(
    ("text", "hours"), [("3", 3), ("1.5", Fraction(3, 2)), ("1,5", Fraction(3, 2)), ("1:30", Fraction(3, 2)), ("0", 0)]
)
def test_hours_are_read_as_people_write_them(text: str, hours: Fraction) -> None:
    """Exactly, with no float in between."""
    assert parse_hours(text) == hours
    assert parse_hours("0:20") == Fraction(1, 3)


@pytest.mark.parametrize("text", ["", "x", "-1", "1:60", "1:5", "25", "1e3", "1.5.2", "24:01"])
def test_hours_that_are_none_are_refused(text: str) -> None:
    """Also those that do not fit into a day."""
    with pytest.raises(InvalidInputError):
        parse_hours(text)


def first_hours_at_one_and_a_half(hours: Fraction, many: int) -> Fraction:
    """1.5 times for the first ``many`` hours: wrong."""
    return min(hours, Fraction(many)) * Fraction(3, 2) + max(hours - many, Fraction(0)) * 2


@pytest.mark.parametrize("many", [2, 4])
def test_one_and_a_half_holds_for_the_first_hour_only(many: int) -> None:
    """Code in public gives it to the first two or four hours."""
    ours = units_of(split(Fraction(3), WORKDAY, terms()))
    assert ours > first_hours_at_one_and_a_half(Fraction(3), many)


def test_the_caps_are_those_of_2021() -> None:
    """Code in public keeps the 3 and 14 hours of 2003."""
    assert (LAW.caps.day_minutes, LAW.caps.week_minutes) == (4 * 60, 18 * 60) != (3 * 60, 14 * 60)
    assert LAW.caps.not_counted == {REST, HOLIDAY, SHORTEST}


@pytest.mark.parametrize("flat", [Fraction(3, 2), Fraction(2)])
def test_one_multiplier_for_all_is_wrong(flat: Fraction) -> None:
    """On work days and on holidays alike."""
    for kind, hours in ((WORKDAY, Fraction(3)), (HOLIDAY, Fraction(10))):
        assert units_of(split(hours, kind, terms())) != flat * hours


def test_seven_hours_twice_are_not_everybodys() -> None:
    """In a week of five days the eighth hour of a holiday counts twice, on the shortest day the sixth three times."""
    assert units_of(split(Fraction(8), HOLIDAY, terms(5))) == 16
    assert units_of(split(Fraction(8), HOLIDAY, terms(6))) == 17
    assert units_of(split(Fraction(8), SHORTEST, terms(6))) == 21


def test_absence_does_not_raise_the_wage_of_an_hour() -> None:
    """It is divided by 173, never by the days that were paid."""
    hour = explain(Fraction(1), WORKDAY, monthly(4_000_000), terms()).hour_wage
    assert hour == Fraction(4_000_000, 173)
    for paid_days in (21, 15):
        assert hour != Fraction(4_000_000, paid_days * 8)


def test_a_period_is_rounded_once() -> None:
    """Three days of 14,450.87 each are 43,353; rounded by day they would be 43,353 only by luck."""
    day = explain(Fraction(1, 3), WORKDAY, monthly(5_000_000), terms())
    assert amount_of_period([day] * 3) == 43_353
    cent = explain(Fraction(1, 60), WORKDAY, monthly(4_000_000), terms())
    assert amount_of_period([cent] * 30) == 17_341 != 30 * cent.amount


# --- fractions written independently of the program: hour by hour, from the text of the law -----------------------

MULTIPLIERS = {
    (5, WORKDAY): [Fraction(3, 2)] + [Fraction(2)] * 23,
    (6, WORKDAY): [Fraction(3, 2)] + [Fraction(2)] * 23,
    (6, HOLIDAY): [Fraction(2)] * 7 + [Fraction(3)] + [Fraction(4)] * 3,
    (6, REST): [Fraction(2)] * 7 + [Fraction(3)] + [Fraction(4)] * 3,
    (6, SHORTEST): [Fraction(2)] * 5 + [Fraction(3)] + [Fraction(4)] * 3,
    (5, HOLIDAY): [Fraction(2)] * 8 + [Fraction(3)] + [Fraction(4)] * 3,
    (5, REST): [Fraction(2)] * 8 + [Fraction(3)] + [Fraction(4)] * 3,
}


def by_hand(
    minutes: int, table: list[Fraction], pay: tuple[int, int, int], minimum: int, rounding: str
) -> tuple[Fraction, int]:
    units = Fraction(0)
    for minute in range(minutes):
        units += table[minute // 60] / 60
    basic, fixed, variable = map(Fraction, pay)
    base = basic + fixed
    if base * 4 < 3 * (basic + fixed + variable):
        base = Fraction(3, 4) * (basic + fixed + variable)
    hour = (base if base > minimum else Fraction(minimum)) / 173
    if rounding == "floor":
        hour = Fraction(hour.numerator // hour.denominator)
    elif rounding == "half_up":
        hour = Fraction((2 * hour.numerator + hour.denominator) // (2 * hour.denominator))
    total = units * hour
    return total, (2 * total.numerator + total.denominator) // (2 * total.denominator)


def test_a_thousand_random_cases_are_those_of_fractions_written_by_hand() -> None:
    """Any wage, any minutes, both weeks, all kinds of days and roundings."""
    dice = random.Random(35_2021)
    for _ in range(1_000):
        (week, kind), table = dice.choice(list(MULTIPLIERS.items()))
        minutes = dice.randrange(0, 60 * len(table) + 1)
        pay = (dice.randrange(1, 20_000_000), dice.choice([0, dice.randrange(5_000_000)]), dice.randrange(6_000_000))
        minimum = dice.choice([0, 0, dice.randrange(6_000_000)])
        rounding = dice.choice(["exact", "floor", "half_up"])
        exact, amount = by_hand(minutes, table, pay, minimum, rounding)
        found = explain(Fraction(minutes, 60), kind, monthly(*pay, minimum=minimum), terms(week, rounding))
        assert (found.exact, found.amount) == (exact, amount)
        assert abs(found.amount - exact) < 1


@settings(max_examples=200, deadline=None)
@given(
    minutes=st.integers(0, 24 * 60 - 1),
    more=st.integers(0, 120),
    basic=st.integers(1, 50_000_000),
    key=st.sampled_from(list(MULTIPLIERS)),
    rounding=st.sampled_from(list(HourRounding)),
)
def test_more_hours_never_give_less_money(
    minutes: int, more: int, basic: int, key: tuple[int, DayKind], rounding: HourRounding
) -> None:
    """And the amount is within a rupiah of the exact one."""
    week, kind = key
    law = OvertimeTerms(LAW, week, rounding, PastTiers.FOUR_TIMES)
    less = explain(Fraction(minutes, 60), kind, monthly(basic), law)
    longer = explain(Fraction(min(minutes + more, 1440), 60), kind, monthly(basic), law)
    assert less.amount <= longer.amount
    assert abs(less.amount - less.exact) < 1
    assert sum((part.to_hour - part.from_hour for part in less.parts), Fraction(0)) == Fraction(minutes, 60)


def test_the_law_has_a_date() -> None:
    """Before it there is none, and that is said."""
    assert find_ruleset(date(2021, 2, 1)) is None
    assert ruleset_on(date(2021, 2, 2)) is get_ruleset("id-2021")
    with pytest.raises(InvalidInputError, match="holds from 2021-02-02"):
        ruleset_on(date(2020, 12, 31))
    with pytest.raises(NotFoundError, match="id-2021"):
        get_ruleset("id-1999")


def test_the_laws_list_of_leave_is_shipped() -> None:
    """With its days and articles."""
    kinds = {kind.code: kind for kind in LAW.leave}
    days = {code: kinds[code].most_days for code in ("menikah", "menikahkan-anak", "khitan-anak", "baptis-anak")}
    assert days == {"menikah": 3, "menikahkan-anak": 2, "khitan-anak": 2, "baptis-anak": 2}
    assert (kinds["keluarga-meninggal"].most_days, kinds["serumah-meninggal"].most_days) == (2, 1)
    assert (kinds["isteri-melahirkan"].most_days, kinds["isteri-melahirkan"].extended_days) == (2, 5)
    assert kinds["cuti-bersama"].account == kinds["tahunan"].account == "tahunan"
    assert kinds["dinas-luar"].counts_as_work and kinds["wfh"].counts_as_work
    assert (LAW.rest.after_minutes, LAW.rest.minutes, LAW.food_from_minutes) == (240, 30, 240)
    assert (dict(LAW.day_minutes), LAW.week_minutes) == ({5: 480, 6: 420}, 2400)

"""What the days of a month come to, by hand-made results."""

from __future__ import annotations

from datetime import UTC, date, datetime

from smartabsen.attendance.month.model import PersonDays, Sign
from smartabsen.attendance.month.rules import (
    absence_of,
    dates_of,
    department_recaps,
    late_most,
    person_recap,
    sign_row,
)
from smartabsen.attendance.month.texts import SIGNS
from smartabsen.attendance.rules.model import DayKind, DayResult, DayStatus, Minutes

FIRST = date(2026, 11, 1)


def day(number: int, status: DayStatus, *, kind: DayKind = DayKind.WORKDAY, **minutes: int) -> DayResult:
    """Return the result of a day of November; who is present or late came at 08:00."""
    work_date = FIRST.replace(day=number)
    came = status in (DayStatus.PRESENT, DayStatus.LATE)
    return DayResult(
        work_date=work_date,
        status=status,
        clock_in=datetime(2026, 11, number, 1, tzinfo=UTC) if came else None,
        clock_out=None,
        punch_ids=(),
        minutes={Minutes(name): count for name, count in minutes.items()},
        reasons=(),
        kind=kind,
        shift="",
        is_final=True,
        ruleset="id-2021",
    )


def person(code: str, *days: DayResult, department: str = "", employed: range = range(1, 31)) -> PersonDays:
    """Return a sample person with days."""
    dates = frozenset(FIRST.replace(day=number) for number in employed)
    number = int(code[1:])
    return PersonDays(number, code, f"Contoh {number}", department, dates, {each.work_date: each for each in days})


def test_day_off_holiday_alpa_and_a_day_outside_the_employment_have_a_sign_each() -> None:
    """None of the four looks like another one, and the legend names them all."""
    somebody = person(
        "E1",
        day(1, DayStatus.OFF, kind=DayKind.REST_DAY),
        day(2, DayStatus.OFF, kind=DayKind.HOLIDAY),
        day(3, DayStatus.ABSENT),
        employed=range(1, 4),
    )

    row = sign_row(somebody, dates_of(FIRST, date(2026, 11, 4)))

    assert row.signs == (Sign.OFF, Sign.HOLIDAY, Sign.ABSENT, Sign.OUTSIDE)
    assert set(SIGNS) == set(Sign)
    assert len({sign.value for sign in Sign}) == len(Sign)


def test_every_status_has_a_sign() -> None:
    """A new status without one would be an error in the page."""
    for status in DayStatus:
        assert sign_row(person("E1", day(1, status)), (FIRST,)).signs[0] in SIGNS


def test_the_sum_of_departments_is_the_sum_of_people() -> None:
    """People without a department come last and are counted."""
    people = [
        person_recap(person("E1", day(2, DayStatus.LATE, late=15, worked=465), department="TOKO")),
        person_recap(person("E2", day(2, DayStatus.PRESENT, worked=480), day(3, DayStatus.ABSENT), department="TOKO")),
        person_recap(person("E3", day(2, DayStatus.ABSENT))),
    ]

    shop, nobody = department_recaps(people)

    assert (shop.department, shop.people, nobody.department, nobody.people) == ("TOKO", 2, "", 1)
    assert shop.recap.days == {DayStatus.LATE: 1, DayStatus.PRESENT: 1, DayStatus.ABSENT: 1}
    assert shop.recap.minutes == {Minutes.LATE: 15, Minutes.WORKED: 945}
    assert nobody.recap.count(DayStatus.ABSENT) == 1


def test_who_is_late_most_differs_by_days_and_by_minutes() -> None:
    """Two short delays are more days, one long delay is more minutes; who was never late is not named."""
    often = person("E1", day(2, DayStatus.LATE, late=5), day(3, DayStatus.LATE, late=5))
    long = person("E2", day(2, DayStatus.LATE, late=60))
    recaps = [person_recap(each) for each in (often, long, person("E3", day(2, DayStatus.PRESENT)))]

    assert [each.code for each in late_most(recaps, by="days")] == ["E1", "E2"]
    assert [each.code for each in late_most(recaps, by="minutes")] == ["E2", "E1"]


def test_who_never_came_is_among_those_with_alpa() -> None:
    """Days after the last one of the employment are no Alpa."""
    never = absence_of(person("E1", *(day(number, DayStatus.ABSENT) for number in (2, 3, 4)), employed=range(1, 4)))
    once = absence_of(person("E2", day(2, DayStatus.PRESENT), day(3, DayStatus.ABSENT)))

    assert never is not None
    assert never.never_came
    assert never.dates == (date(2026, 11, 2), date(2026, 11, 3))
    assert once is not None
    assert not once.never_came
    assert absence_of(person("E3", day(2, DayStatus.PRESENT))) is None

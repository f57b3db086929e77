"""Forty people and a November of nights, Saturdays, a holiday, leave, leavers and forgotten departures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from smartabsen.attendance.rules.day import judge_day
from smartabsen.attendance.rules.exceptions import exceptions_of
from smartabsen.attendance.rules.model import DayInputs, DayKind, DayResult, LeaveOnDay, PlannedDay, PunchAt

from .days import NIGHT, OFFICE, TERMS, annual, at, plan, shift

MONTH = [date(2026, 11, day) for day in range(1, 31)]
HOLIDAY = date(2026, 11, 11)
CLOSED = date(2026, 12, 5)
SHOP = shift("08:00-16:00", breaks=["12:00-13:00"], code="TOKO")
SATURDAY = shift("08:00-13:00", code="SABTU")

# What a reviewer adds up by hand. November 2026 has 21 days from Monday to Friday (20 without the holiday on Wednesday
# the 11th), 4 Saturdays and 5 Sundays; 22 nights begin on a Sunday to a Thursday.
#   office  20 people, 07:55-17:05 on 20 days: 480 worked + 5 overtime; person n comes at 08:20 on the first n%4.
#   shop    10 people, six days: 20 x 420 + 4 x 300, punctual; one has leave from the 16th to the 21st (5 x 420 + 300),
#           another one works on the holiday from 08:00 to 12:00.
#   night    6 people, 21:55-06:05 on 22 dates: 480 worked + 5 overtime; all 485 of the night that begins on the holiday
#           are overtime; all forget the departure of the 3rd; one comes at 22:10 on the 2nd.
#   leaver   2 people who left on the 16th: 9 days of 480.
#   never    2 people who never came: 20 days of 480 are missing.
TABLE = """
group   Hadir Terlambat Cuti Alpa Libur worked   late missing overtime leave forgotten
office    370        30    0    0   200 193400    600     600     2000     0         0
shop      235         0    6    0    59  93840      0       0      240  2400         0
night     131         1    0    0    48  61100     10      10     3510     0         6
leaver     18         0    0    0    42   8640      0       0        0     0         0
never       0         0    0   40    20      0      0   19200        0     0         0
"""


def planned(group: str, day: date) -> PlannedDay:
    """Return what a group does on a date."""
    weekday = day.weekday()
    if group == "night":
        kind = DayKind.HOLIDAY if day == HOLIDAY else DayKind.WORKDAY
        return plan(day, NIGHT, kind=kind) if weekday in (6, 0, 1, 2, 3) else plan(day, None)
    if day == HOLIDAY:
        return plan(day, None, kind=DayKind.HOLIDAY, holiday="Contoh")
    if group == "shop":
        return plan(day, SATURDAY if weekday == 5 else SHOP if weekday < 5 else None)
    return plan(day, OFFICE if weekday < 5 else None)


def punched(group: str, number: int, day: date) -> tuple[str, ...]:
    """Return what a person punches for a date."""
    own = planned(group, day).shift
    if group == "shop" and number == 1 and day == HOLIDAY:
        return ("08:00", "12:00")
    if own is None or group == "never":
        return ()
    if group == "office":
        working = [each for each in MONTH if planned(group, each).shift is not None]
        return ("08:20" if working.index(day) < number % 4 else "07:55", "17:05")
    if group == "shop":
        if number == 0 and 16 <= day.day <= 21:
            return ()
        return ("08:00", "13:00" if day.weekday() == 5 else "16:00")
    if group == "night":
        came = "22:10" if number == 0 and day.day == 2 else "21:55"
        return (came,) if day.day == 3 else (came, "+1 06:05")
    return ("08:00", "17:00") if day.day < 16 else ()


def people() -> Iterator[tuple[str, int]]:
    """Yield all forty."""
    for group, count in (("office", 20), ("shop", 10), ("night", 6), ("leaver", 2), ("never", 2)):
        yield from ((group, number) for number in range(count))


def results(group: str, number: int) -> Iterator[DayResult]:
    """Judge a month of one person, from all punches of the days around."""
    made = [PunchAt(0, at(day, text)) for day in MONTH for text in punched(group, number, day)]
    known = [replace(punch, id=index) for index, punch in enumerate(made, 1)]
    one = timedelta(days=1)
    for day in MONTH:
        near = [each for each in known if at(day - one, "00:00") <= each.at < at(day + 2 * one, "00:00")]
        on_leave = group == "shop" and number == 0 and 16 <= day.day <= 21
        leave: tuple[LeaveOnDay, ...] = (annual(),) if on_leave else ()
        yield judge_day(
            DayInputs(
                plan=planned(group, day),
                before=planned(group, day - one),
                after=planned(group, day + one),
                punches=tuple(near),
                terms=replace(TERMS, employed=not (group == "leaver" and day.day >= 16)),
                now=at(CLOSED, "12:00"),
                leave=leave,
            )
        )


@pytest.mark.parametrize("row", TABLE.split("\n")[2:-1])
def test_a_month_of_forty_people_equals_the_sum_by_hand(row: str) -> None:
    """Days by status, and minutes of each kind."""
    group, *numbers = row.split()
    names = TABLE.split("\n")[1].split()[1:]
    days = [day for each, number in people() if each == group for day in results(each, number)]
    found: Counter[str] = Counter(day.status.value for day in days)
    for day in days:
        found.update({kind.value: count for kind, count in day.minutes.items()})
        found.update(each.kind.value for each in exceptions_of(day, today=CLOSED))
    found["forgotten"] = found["forgotten-departure"]
    assert {name: found[name] for name in names} == dict(zip(names, map(int, numbers), strict=True))

"""Corrections as tables: which punches of a day count, and what the day becomes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from smartabsen.attendance.rules import Rules, standing
from smartabsen.kernel.domain import Punch, PunchMethod, Status

OFFICE = Rules(time(8, 0), 0, "Asia/Jakarta", time(4, 0), cooldown_s=60, min_work_minutes=60)
MONDAY = date(2026, 11, 2)
FACE, CORRECTION, VOID = PunchMethod.FACE, PunchMethod.CORRECTION, PunchMethod.VOID


def punch(number: int, clock: str, method: PunchMethod = FACE, supersedes: int | None = None) -> Punch:
    at = datetime.fromisoformat(f"2026-11-02 {clock}").replace(tzinfo=ZoneInfo("Asia/Jakarta")).astimezone(UTC)
    return Punch(number, 7, at, MONDAY, method, "kiosk", f"key-{number}", supersedes=supersedes)


@pytest.mark.parametrize(
    ("punches", "counting", "expected"),
    [
        # (status, minutes late, minutes worked), None for no day
        ([punch(1, "08:30"), punch(2, "17:00")], [1, 2], (Status.LATE, 30, 510)),
        ([punch(1, "08:30"), punch(2, "07:55", CORRECTION, 1)], [2], (Status.PRESENT, 0, 0)),
        ([punch(1, "08:30"), punch(2, "17:00"), punch(3, "07:55", CORRECTION, 1)], [2, 3], (Status.PRESENT, 0, 545)),
        ([punch(1, "07:55"), punch(2, "09:00", CORRECTION, 1)], [2], (Status.LATE, 60, 0)),
        # A correction of a correction: the last one decides.
        (
            [punch(1, "08:30"), punch(2, "07:00", CORRECTION, 1), punch(3, "08:10", CORRECTION, 2)],
            [3],
            (Status.LATE, 10, 0),
        ),
        # A forgotten departure.
        ([punch(1, "08:00"), punch(2, "16:00", CORRECTION)], [1, 2], (Status.PRESENT, 0, 480)),
        # Taken out: the only one, one of two, and taken out after a correction.
        ([punch(1, "08:30"), punch(2, "08:30", VOID, 1)], [], None),
        ([punch(1, "07:00"), punch(2, "08:30"), punch(3, "07:00", VOID, 1)], [2], (Status.LATE, 30, 0)),
        ([punch(1, "08:30"), punch(2, "07:00", CORRECTION, 1), punch(3, "07:00", VOID, 2)], [], None),
        # Brought back: a correction of the void.
        ([punch(1, "08:30"), punch(2, "08:30", VOID, 1), punch(3, "08:05", CORRECTION, 2)], [3], (Status.LATE, 5, 0)),
        # Somebody who comes back after everything was taken out.
        ([punch(1, "08:30"), punch(2, "08:30", VOID, 1), punch(3, "10:00")], [3], (Status.LATE, 120, 0)),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_day_is_derived_from_the_punches_that_no_other_one_supersedes(
    punches: list[Punch], counting: list[int], expected: tuple[Status, int, int] | None, backwards: bool
) -> None:
    """Whatever the order in which they are given; the superseded ones are there and do not count."""
    given = punches[::-1] if backwards else punches

    day = OFFICE.derive_day(given)

    assert sorted(one.id for one in standing(given)) == counting
    assert (None if day is None else (day.status, day.late_minutes, day.worked_minutes)) == expected


@pytest.mark.parametrize(
    ("rules", "clock", "expected"),
    [
        (OFFICE, time(8, 0), "2026-11-02 08:00"),
        (OFFICE, time(4, 0), "2026-11-02 04:00"),
        (OFFICE, time(3, 59), "2026-11-03 03:59"),
        (OFFICE, time(0, 30), "2026-11-03 00:30"),
    ],
)
def test_a_clock_time_of_a_work_date_is_one_instant(rules: Rules, clock: time, expected: str) -> None:
    """Before the start of the day it is the next morning, so that the instant counts for the same work date."""
    at = rules.instant(MONDAY, clock)

    assert at.astimezone(ZoneInfo(rules.zone)).strftime("%Y-%m-%d %H:%M") == expected
    assert rules.work_date(at) == MONDAY

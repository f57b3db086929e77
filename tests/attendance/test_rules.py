"""The rules of attendance, as tables: instants in UTC and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from smartabsen.attendance.rules import Rules
from smartabsen.kernel.domain import Punch, PunchMethod, Status

OFFICE = Rules(
    start=time(8, 0),
    grace_minutes=0,
    zone="Asia/Jakarta",
    day_starts_at=time(4, 0),
    cooldown_s=60,
    min_work_minutes=60,
)
WITH_GRACE = replace(OFFICE, grace_minutes=10)
NIGHT = replace(OFFICE, start=time(22, 0), day_starts_at=time(12, 0))
AFTER_MIDNIGHT = replace(OFFICE, start=time(0, 30), day_starts_at=time(20, 0))
MONDAY = date(2026, 11, 2)


def local(text: str, zone: str = "Asia/Jakarta") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def punch(at: datetime, *, work_date: date = MONDAY, number: int = 1) -> Punch:
    return Punch(number, 7, at, work_date, PunchMethod.FACE, "kiosk", f"key-{number}")


@pytest.mark.parametrize(
    ("rules", "zone", "wall", "expected"),
    [
        (OFFICE, "Asia/Jakarta", "2026-11-02 08:00", MONDAY),
        (OFFICE, "Asia/Jakarta", "2026-11-02 23:59:59", MONDAY),
        (OFFICE, "Asia/Jakarta", "2026-11-03 00:00:01", MONDAY),
        (OFFICE, "Asia/Jakarta", "2026-11-03 03:59:59.999999", MONDAY),
        (OFFICE, "Asia/Jakarta", "2026-11-03 04:00", date(2026, 11, 3)),
        (OFFICE, "Asia/Jakarta", "2026-12-01 01:00", date(2026, 11, 30)),
        (OFFICE, "Asia/Jakarta", "2027-01-01 01:00", date(2026, 12, 31)),
        (OFFICE, "Asia/Jakarta", "2028-03-01 03:00", date(2028, 2, 29)),
        (OFFICE, "Asia/Makassar", "2026-11-02 05:00", MONDAY),
        (OFFICE, "Asia/Jayapura", "2026-11-02 05:00", MONDAY),
        (OFFICE, "Europe/Berlin", "2026-03-29 02:30", date(2026, 3, 28)),
        (NIGHT, "Asia/Jakarta", "2026-11-03 06:00", MONDAY),
        (NIGHT, "Asia/Jakarta", "2026-11-03 12:00", date(2026, 11, 3)),
    ],
)
def test_a_punch_counts_for_the_work_date_of_its_site(rules: Rules, zone: str, wall: str, expected: date) -> None:
    """The work date begins at day_starts_at on the site's clock, over the ends of months, years and summer time."""
    assert replace(rules, zone=zone).work_date(local(wall, zone)) == expected


def test_one_instant_has_different_work_dates_in_different_zones() -> None:
    """20:30 UTC is before the start of the day in Jakarta and after it in Jayapura."""
    at = datetime(2026, 11, 1, 20, 30, tzinfo=UTC)

    dates = [replace(OFFICE, zone=f"Asia/{city}").work_date(at) for city in ("Jakarta", "Makassar", "Jayapura")]

    assert dates == [date(2026, 11, 1), MONDAY, MONDAY]


@pytest.mark.parametrize(
    ("rules", "wall", "status", "late_minutes"),
    [
        (OFFICE, "2026-11-02 07:59:59", Status.PRESENT, 0),
        (OFFICE, "2026-11-02 08:00:00", Status.PRESENT, 0),
        (OFFICE, "2026-11-02 08:00:00.999", Status.PRESENT, 0),
        (OFFICE, "2026-11-02 08:00:01", Status.LATE, 0),
        (OFFICE, "2026-11-02 08:00:59", Status.LATE, 0),
        (OFFICE, "2026-11-02 08:01:00", Status.LATE, 1),
        (OFFICE, "2026-11-03 00:30:00", Status.LATE, 990),
        (WITH_GRACE, "2026-11-02 08:10:00", Status.PRESENT, 0),
        (WITH_GRACE, "2026-11-02 08:10:01", Status.LATE, 10),
        (NIGHT, "2026-11-02 21:55:00", Status.PRESENT, 0),
        (NIGHT, "2026-11-03 00:00:00", Status.LATE, 120),
        (AFTER_MIDNIGHT, "2026-11-03 00:29:59", Status.PRESENT, 0),
        (AFTER_MIDNIGHT, "2026-11-03 00:31:00", Status.LATE, 1),
    ],
)
def test_late_is_an_arrival_after_start_and_grace(rules: Rules, wall: str, status: Status, late_minutes: int) -> None:
    """One second after start and grace is late; the minutes count from the start of work."""
    at = local(wall)

    day = rules.derive_day([punch(at, work_date=rules.work_date(at))])

    assert (day.status, day.late_minutes, day.work_date) == (status, late_minutes, MONDAY)


@pytest.mark.parametrize(
    ("walls", "clock_out", "worked"),
    [
        (["08:00:00"], None, 0),
        (["08:00:00", "08:59:59"], None, 0),
        (["08:00:00", "09:00:00"], "09:00:00", 60),
        (["08:00:00.9", "09:00:00.1"], "09:00:00.1", 60),
        (["17:05:00", "08:00:00", "12:00:00"], "17:05:00", 545),
    ],
)
def test_the_last_punch_is_the_departure_when_it_is_late_enough(
    walls: list[str], clock_out: str | None, worked: int
) -> None:
    """A departure is the last punch, in whatever order they come, if it is min_work_minutes after the first."""
    punches = [punch(local(f"2026-11-02 {wall}"), number=number) for number, wall in enumerate(walls, start=1)]

    day = OFFICE.derive_day(punches)

    assert day.clock_in == min(one.at for one in punches)
    assert (day.clock_out, day.worked_minutes) == (local(f"2026-11-02 {clock_out}") if clock_out else None, worked)


@pytest.mark.parametrize(
    ("seconds", "stands"), [(0, True), (59.999, True), (60, False), (-30, True), (-59.999, True), (-60, False)]
)
def test_a_punch_stands_for_its_cooldown_in_both_directions(seconds: float, stands: bool) -> None:
    """An attempt within the cooldown is answered with the punch that stands, also after the clock was set back."""
    previous = punch(local("2026-11-02 08:00"))

    found = OFFICE.standing_punch([previous], previous.at + timedelta(seconds=seconds))

    assert found == (previous if stands else None)


def test_the_nearest_of_two_punches_stands() -> None:
    """Between two punches that are both within the cooldown, the nearer one answers."""
    before, after = punch(local("2026-11-02 08:00:00"), number=1), punch(local("2026-11-02 08:01:10"), number=2)

    assert OFFICE.standing_punch([before, after], local("2026-11-02 08:00:40")) == after


def test_without_a_cooldown_every_attempt_is_a_punch() -> None:
    """A cooldown of 0 lets even the same instant through."""
    previous = punch(local("2026-11-02 08:00"))

    assert replace(OFFICE, cooldown_s=0).standing_punch([previous], previous.at) is None


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_zone_with_summer_time_counts_real_minutes(day: date) -> None:
    """On days of 23 and 25 hours, also with a start that the clock skips or shows twice, real time is counted."""
    rules = replace(OFFICE, zone="Europe/Berlin", start=time(2, 30), day_starts_at=time(0, 0))
    start = rules.start_of(day)

    derived = rules.derive_day([punch(start + timedelta(minutes=5), work_date=day)])
    evening = datetime.combine(day, time(23, 0), tzinfo=ZoneInfo("Europe/Berlin"))
    worked = rules.derive_day([punch(start, work_date=day), punch(evening, work_date=day, number=2)]).worked_minutes

    assert (derived.status, derived.late_minutes) == (Status.LATE, 5)
    assert worked == (evening.astimezone(UTC) - start) // timedelta(minutes=1)


def test_a_naive_instant_is_refused() -> None:
    """A time without a zone would silently mean the machine's own."""
    with pytest.raises(ValueError, match="time zone"):
        OFFICE.work_date(datetime(2026, 11, 2, 8, 0))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    "punches", [[], [punch(local("2026-11-02 08:00")), punch(local("2026-11-03 08:00"), work_date=date(2026, 11, 3))]]
)
def test_a_day_needs_the_punches_of_one_date(punches: list[Punch]) -> None:
    """No punches, or those of two dates, are a mistake of the caller."""
    with pytest.raises(ValueError, match="one work date"):
        OFFICE.derive_day(punches)

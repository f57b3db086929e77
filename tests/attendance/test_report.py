"""Reports: order, zone and totals."""

from __future__ import annotations

from datetime import UTC, date, datetime

from smartabsen.attendance.report import build_report
from smartabsen.kernel.domain import AttendanceDay, Employee, Status

MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)


def employee(number: int, name: str, *, active: bool = True) -> Employee:
    return Employee(number, f"E{number:03}", name, "", active, datetime(2026, 1, 1, tzinfo=UTC))


def day(number: int, work_date: date, status: Status, *, late: int = 0, worked: int = 0) -> AttendanceDay:
    clock_in = datetime(work_date.year, work_date.month, work_date.day, 1, 0, tzinfo=UTC)
    return AttendanceDay(number, work_date, clock_in, None, status, late, worked)


def test_days_are_sorted_by_date_then_name_in_the_zone_of_the_site() -> None:
    """Lines come by date, then by name regardless of case, and 01:00 UTC is 09:00 in Makassar."""
    people = [employee(1, "Siti"), employee(2, "andi")]
    days = [day(1, TUESDAY, Status.PRESENT), day(1, MONDAY, Status.PRESENT), day(2, MONDAY, Status.PRESENT)]

    report = build_report(people, days, first=MONDAY, last=TUESDAY, zone="Asia/Makassar")

    assert [(line.work_date, line.name) for line in report.days] == [
        (MONDAY, "andi"),
        (MONDAY, "Siti"),
        (TUESDAY, "Siti"),
    ]
    assert report.days[0].clock_in is not None
    assert report.days[0].clock_in.isoformat() == "2026-11-02T09:00:00+08:00"


def test_totals_count_each_status_and_sum_the_minutes() -> None:
    """Each status is counted by itself; minutes are summed; an active person without a day has a line of zeros."""
    people = [employee(1, "Siti"), employee(2, "Budi"), employee(3, "Left", active=False)]
    days = [
        day(1, MONDAY, Status.LATE, late=5, worked=480),
        day(1, TUESDAY, Status.PRESENT, worked=500),
        day(1, date(2026, 11, 4), Status.SICK),
        day(1, date(2026, 11, 5), Status.PRESENT, worked=999),
        day(9, MONDAY, Status.PRESENT),
    ]

    report = build_report(people, days, first=MONDAY, last=date(2026, 11, 4), zone="Asia/Jakarta")

    budi, siti = report.totals
    assert (budi.name, budi.present, budi.worked_minutes) == ("Budi", 0, 0)
    assert (siti.present, siti.late, siti.excused, siti.sick) == (1, 1, 0, 1)
    assert (siti.late_minutes, siti.worked_minutes) == (5, 980)
    assert len(report.days) == 3


def test_who_never_came_has_a_line_for_each_day_missed() -> None:
    """Among the days of the others; somebody whom the report is not about is left out."""
    people = [employee(1, "Siti"), employee(2, "Budi")]
    absences = [
        AttendanceDay(who, each, None, None, Status.ABSENT) for who, each in ((2, TUESDAY), (2, MONDAY), (9, MONDAY))
    ]
    days = [day(1, MONDAY, Status.PRESENT), *absences]

    report = build_report(people, days, first=MONDAY, last=TUESDAY, zone="Asia/Jakarta")

    assert [(line.work_date, line.name, line.status) for line in report.days] == [
        (MONDAY, "Budi", Status.ABSENT),
        (MONDAY, "Siti", Status.PRESENT),
        (TUESDAY, "Budi", Status.ABSENT),
    ]
    assert [(total.name, total.absent) for total in report.totals] == [("Budi", 2), ("Siti", 0)]

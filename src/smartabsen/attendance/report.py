"""A report over a period, from people and their days. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ..kernel.domain import AttendanceDay, Employee, Report, ReportDay, ReportTotal, Status


def build_report(
    employees: Iterable[Employee],
    days: Iterable[AttendanceDay],
    *,
    first: date,
    last: date,
    zone: str,
) -> Report:
    """Build the report of a period.

    Args:
        employees: Whom the report is about. Active ones have a line in the totals even without a day; days of
            others than these are left out.
        days: Their days, in any order; those outside the period are left out.
        first, last: The period, both included.
        zone: IANA name of the site's time zone; the times in the report are local to it.

    Returns:
        Days on which somebody came, had leave or was absent, sorted by date, then name, then code; totals sorted by
        name, then code. In the totals ``present`` counts the days on time and ``late`` the late ones: days attended are
        their sum.
    """
    people = {employee.id: employee for employee in employees}
    own_days: dict[int, list[AttendanceDay]] = defaultdict(list)
    for day in days:
        if day.employee_id in people and first <= day.work_date <= last:
            own_days[day.employee_id].append(day)
    lines = [
        _line(people[day.employee_id], day, ZoneInfo(zone))
        for days_of in own_days.values()
        for day in days_of
        if day.clock_in is not None or day.status.is_leave or day.status is Status.ABSENT
    ]
    totals = [
        _total(employee, own_days[employee.id])
        for employee in people.values()
        if employee.active or any(day.status is not Status.OFF for day in own_days[employee.id])
    ]
    return Report(
        first=first,
        last=last,
        zone=zone,
        days=tuple(sorted(lines, key=lambda line: (line.work_date, line.name.casefold(), line.code))),
        totals=tuple(sorted(totals, key=lambda total: (total.name.casefold(), total.code))),
    )


def _line(employee: Employee, day: AttendanceDay, zone: ZoneInfo) -> ReportDay:
    def local(at: datetime | None) -> datetime | None:
        return at.astimezone(zone) if at else None

    return ReportDay(
        code=employee.code,
        name=employee.name,
        work_date=day.work_date,
        clock_in=local(day.clock_in),
        clock_out=local(day.clock_out),
        status=day.status,
        late_minutes=day.late_minutes,
        worked_minutes=day.worked_minutes,
    )


def _total(employee: Employee, days: list[AttendanceDay]) -> ReportTotal:
    def count(status: Status) -> int:
        return sum(day.status is status for day in days)

    return ReportTotal(
        code=employee.code,
        name=employee.name,
        present=count(Status.PRESENT),
        late=count(Status.LATE),
        excused=count(Status.EXCUSED),
        sick=count(Status.SICK),
        absent=count(Status.ABSENT),
        leave=count(Status.LEAVE),
        duty=count(Status.DUTY),
        off=count(Status.OFF),
        pending=count(Status.PENDING),
        late_minutes=sum(day.late_minutes for day in days),
        worked_minutes=sum(day.worked_minutes for day in days),
    )


def count_of(total: ReportTotal, status: Status) -> int:
    """Return how many days of a total have a status."""
    return {
        Status.PRESENT: total.present,
        Status.LATE: total.late,
        Status.EXCUSED: total.excused,
        Status.SICK: total.sick,
        Status.LEAVE: total.leave,
        Status.DUTY: total.duty,
        Status.OFF: total.off,
        Status.PENDING: total.pending,
        Status.ABSENT: total.absent,
    }[status]

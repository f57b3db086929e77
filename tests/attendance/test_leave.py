"""Leave for a range of days, entered and taken back."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from smartabsen import InvalidInputError, NotFoundError, SmartAbsen, Status
from smartabsen.attendance.leave.model import LeaveAsk, RequestState
from smartabsen.trust import audit_rows

MONDAY, FRIDAY = date(2026, 11, 2), date(2026, 11, 6)


@pytest.fixture(autouse=True)
def siti(app: SmartAbsen) -> None:
    app.enrol("Siti Rahma", [], code="E001")


def trail(app: SmartAbsen, action: str) -> list[dict[str, str]]:
    with app.services.database.read() as session:
        return [dict(entry.details) for entry in audit_rows.latest(session) if entry.action == action]


def test_leave_covers_each_day_of_its_range_and_again_changes_nothing(app: SmartAbsen) -> None:
    """A form that is sent twice leaves one set of days and one entry in the audit trail."""
    first = app.leave.enter("e001", MONDAY, FRIDAY, Status.EXCUSED, note="wedding")
    again = app.leave.enter("E001", MONDAY, FRIDAY, Status.EXCUSED, note="wedding")

    assert (len(first.changed), again.changed) == (5, ())
    assert [(day.work_date, day.status, day.note) for day in app.leave.between(MONDAY, FRIDAY)] == [
        (FRIDAY - timedelta(days=number), Status.EXCUSED, "wedding") for number in range(5)
    ]
    assert trail(app, "leave.enter") == [
        {"from": "2026-11-02", "to": "2026-11-06", "days": "5", "before": "", "after": "Izin", "note": "wedding"}
    ]


def test_leave_can_be_changed_and_taken_back(app: SmartAbsen) -> None:
    """Only the days that differ are told; days with punches become what the punches say."""
    app.leave.enter("E001", MONDAY, FRIDAY, Status.EXCUSED)
    app.corrections.add("E001", date(2026, 11, 3), __import__("datetime").time(7, 50), reason="came in")
    changed = app.leave.enter("E001", FRIDAY, FRIDAY, Status.SICK)
    back = app.leave.take_back("E001", MONDAY, FRIDAY)
    again = app.leave.take_back("E001", MONDAY, FRIDAY)

    assert (changed.changed, len(back.changed), again.changed) == ((FRIDAY,), 5, ())
    report = app.report(MONDAY, FRIDAY)
    assert [(day.work_date, day.status) for day in report.days] == [(date(2026, 11, 3), Status.PRESENT)]
    assert trail(app, "leave.take_back")[0]["before"] == "Izin, Sakit"


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [(FRIDAY, MONDAY, Status.SICK), (MONDAY, MONDAY + timedelta(days=366), Status.SICK), (MONDAY, FRIDAY, Status.LATE)],
)
def test_a_range_is_in_order_at_most_a_year_and_a_status_of_leave(
    app: SmartAbsen, first: date, last: date, status: Status
) -> None:
    """Nothing is written otherwise."""
    with pytest.raises(InvalidInputError):
        app.leave.enter("E001", first, last, status)
    assert app.leave.between(MONDAY, FRIDAY) == ()


def test_leave_is_for_somebody_who_exists(app: SmartAbsen) -> None:
    """Also when it is read."""
    with pytest.raises(NotFoundError):
        app.leave.enter("E999", MONDAY, FRIDAY, Status.SICK)
    with pytest.raises(NotFoundError):
        app.leave.between(MONDAY, FRIDAY, code="E999")


def test_days_of_leave_are_records_of_leave_too(app: SmartAbsen) -> None:
    """Entered, changed and taken back as the days are: what is left of a record stays one."""
    app.leave.enter("E001", MONDAY, FRIDAY, Status.EXCUSED, note="wedding")
    wednesday = MONDAY + timedelta(days=2)
    app.leave.enter("E001", wednesday, wednesday, Status.SICK)

    def records() -> list[tuple[str, date, date, str]]:
        found = app.leave_book.requests(states=[RequestState.APPROVED])
        return [(each.kind, each.first, each.last, each.note) for each in found]

    assert records() == [
        ("izin", MONDAY, MONDAY + timedelta(days=1), "wedding"),
        ("sakit", wednesday, wednesday, ""),
        ("izin", MONDAY + timedelta(days=3), FRIDAY, "wedding"),
    ]
    with app.units.read() as session:
        found = app.leave_book.leave_in_session(session, None, MONDAY, FRIDAY)
    assert [leave[0].status.value for leave in found.values()] == ["Izin", "Izin", "Sakit", "Izin", "Izin"]
    app.leave.take_back("E001", MONDAY, wednesday)
    assert records() == [("izin", MONDAY + timedelta(days=3), FRIDAY, "wedding")]


def test_other_leave_of_a_day_is_left_alone(app: SmartAbsen) -> None:
    """Annual leave stays annual leave, and its day stays taken."""
    app.leave_book.grant("E001", "tahunan", 4, expires=date(2099, 12, 31))
    app.leave_book.add("E001", LeaveAsk("tahunan", MONDAY, MONDAY))
    app.leave.enter("E001", MONDAY, MONDAY, Status.SICK)
    assert [each.kind for each in app.leave_book.requests()] == ["tahunan"]
    app.leave.take_back("E001", MONDAY, MONDAY)
    assert app.leave_book.balances("E001")[0].half_days == 2

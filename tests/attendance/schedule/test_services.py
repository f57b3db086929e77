"""Shifts, rosters and the calendar in the database, of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from smartabsen import ConflictError, InvalidInputError, NotFoundError, SmartAbsen
from smartabsen.attendance.rules.model import DayKind, Shift, Span
from smartabsen.attendance.schedule.model import CalendarKind, Replacement, ScopeKind
from smartabsen.store.database import Database
from smartabsen.trust import audit_rows

MONDAY = date(2026, 11, 2)
PAGI = Shift("PAGI", "Pagi", (Span(480, 1020),), (Span(720, 780),), grace_in=10)
MALAM = Shift("MALAM", "", (Span(1320, 1800),))


@pytest.fixture
def firm(home: dict[str, object]) -> Iterator[SmartAbsen]:
    """Two people, two shifts, an office week and a rotation."""
    with SmartAbsen.open(flags=home) as app:
        app.enrol("Siti Contoh", [], code="E001")
        app.enrol("Budi Contoh", [], code="E002")
        app.shifts.add_shift(PAGI)
        app.shifts.add_shift(MALAM)
        app.shifts.add_pattern("KANTOR", "pagi:5,OFF:2")
        app.shifts.add_pattern("JAGA", "PAGI:1,MALAM:1,OFF:1", starts=MONDAY)
        yield app


def shifts_of(app: SmartAbsen, code: str, first: date, days: int) -> list[str]:
    found = [app.planning.day(code, first + timedelta(days=number))[1].shift for number in range(days)]
    return [shift.code if shift else "OFF" for shift in found]


def trail(app: SmartAbsen, action: str) -> list[tuple[str, dict[str, str]]]:
    with app.services.database.read() as session:
        return [(each.subject, dict(each.details)) for each in audit_rows.latest(session) if each.action == action]


def test_a_shift_is_stored_as_it_was_given(firm: SmartAbsen) -> None:
    """With everything that it can have; its code is found in any case."""
    full = Shift(
        "SPLIT",
        "Terbelah",
        (Span(360, 600), Span(1020, 1260)),
        (Span(1080, 1110),),
        *(60, 90, 5, 6),
        early_counts=True,
        break_is_taken=False,
        rounding=15,
    )
    flexible = Shift("BEBAS", "", (), flexible_day=480, flexible_week=2400)
    firm.shifts.add_shift(full)
    firm.shifts.add_shift(flexible)
    assert firm.shifts.get_shift("split").current.shift == full
    assert firm.shifts.get_shift("BEBAS").current.shift == flexible
    with pytest.raises(ConflictError):
        firm.shifts.add_shift(replace(PAGI, code="pagi"))
    for code in ("OFF", "A:B", "-x", ""):
        with pytest.raises(InvalidInputError):
            firm.shifts.add_shift(replace(PAGI, code=code))


def test_a_shift_changes_from_a_date_on_and_past_days_keep_their_times(firm: SmartAbsen) -> None:
    """A version that is in force cannot be another one; the trail has both."""
    firm.roster.assign(ScopeKind.EMPLOYEE, "E001", "KANTOR", date(2026, 1, 1))
    earlier = replace(PAGI, spans=(Span(450, 990),))
    firm.shifts.change_shift(earlier, valid_from=date(2026, 11, 16))
    found = [firm.planning.day("E001", day)[1].shift for day in (date(2026, 11, 13), date(2026, 11, 16))]
    assert found == [PAGI, earlier]
    assert trail(firm, "shift.change")[0][1]["before"].startswith("08:00-17:00")
    with pytest.raises(ConflictError):
        firm.shifts.change_shift(earlier, valid_from=date(2000, 1, 1))
    later = date(2099, 1, 1)
    firm.shifts.change_shift(MALAM, valid_from=later)
    firm.shifts.change_shift(replace(MALAM, grace_in=5), valid_from=later)
    assert [each.valid_from for each in firm.shifts.get_shift("MALAM").versions] == [date(2000, 1, 1), later]


def test_what_is_in_use_is_not_removed(firm: SmartAbsen) -> None:
    """And what nothing names is."""
    with pytest.raises(ConflictError):
        firm.shifts.remove_shift("PAGI")
    firm.roster.assign(ScopeKind.EMPLOYEE, "E001", "KANTOR", MONDAY)
    with pytest.raises(ConflictError):
        firm.shifts.remove_pattern("KANTOR")
    firm.shifts.remove_pattern("JAGA")
    firm.shifts.remove_shift("malam")
    assert [each.code for each in firm.shifts.list_shifts()] == ["PAGI"]
    with pytest.raises(NotFoundError):
        firm.shifts.add_pattern("X", "SORE:5,OFF:2")


def test_an_assignment_gives_everybody_their_days(firm: SmartAbsen) -> None:
    """The same twice is one; one that ends leaves nothing planned."""
    first = firm.roster.assign(ScopeKind.EMPLOYEE, "e001", "kantor", MONDAY)
    again = firm.roster.assign(ScopeKind.EMPLOYEE, "E001", "KANTOR", MONDAY)
    firm.roster.assign(ScopeKind.EMPLOYEE, "E002", "JAGA", MONDAY)
    assert first == again
    assert shifts_of(firm, "E001", MONDAY, 7) == ["PAGI"] * 5 + ["OFF"] * 2
    assert shifts_of(firm, "E002", MONDAY, 6) == ["PAGI", "MALAM", "OFF"] * 2
    firm.roster.end(first.assignment.id, MONDAY)
    assert firm.planning.day("E001", MONDAY + timedelta(1))[1].is_planned is False
    assert [subject for subject, _ in trail(firm, "roster.assign")] == ["E002", "E001"]
    with pytest.raises(NotFoundError):
        firm.roster.assign(ScopeKind.DEPARTMENT, "TIDAK-ADA", "KANTOR", MONDAY)
    with pytest.raises(InvalidInputError):
        firm.roster.assign(ScopeKind.EMPLOYEE, "E001", "KANTOR", MONDAY, MONDAY - timedelta(1))


def test_a_single_date_is_decided_with_a_reason_and_taken_back(firm: SmartAbsen) -> None:
    """The trail says what it was; the same again changes nothing."""
    firm.roster.assign(ScopeKind.EMPLOYEE, "E001", "KANTOR", MONDAY)
    change = firm.roster.set_day("E001", MONDAY, "malam", reason="for Budi")
    again = firm.roster.set_day("E001", MONDAY, "MALAM", reason="for Budi")
    assert (change.has_changed, again.has_changed) == (True, False)
    assert shifts_of(firm, "E001", MONDAY, 2) == ["MALAM", "PAGI"]
    firm.roster.set_day("E001", MONDAY, "off", reason="ill")
    assert shifts_of(firm, "E001", MONDAY, 2) == ["OFF", "PAGI"]
    assert firm.roster.clear_day("E001", MONDAY, reason="well again").has_changed
    assert shifts_of(firm, "E001", MONDAY, 2) == ["PAGI", "PAGI"]
    expected = {"date": "2026-11-02", "before": "PAGI", "after": "MALAM", "reason": "for Budi"}
    assert trail(firm, "roster.set")[-1] == ("E001", expected)
    with pytest.raises(InvalidInputError):
        firm.roster.set_day("E001", MONDAY, "OFF", reason=" ")
    with pytest.raises(NotFoundError):
        firm.roster.set_day("E001", MONDAY, "SORE", reason="x")


def test_a_preset_is_moved_by_a_day(firm: SmartAbsen) -> None:
    """The start of Ramadan is decided the evening before."""
    firm.roster.assign(ScopeKind.EMPLOYEE, "E001", "KANTOR", MONDAY)
    firm.shifts.add_preset("RAMADAN", MONDAY, date(2026, 11, 4), [Replacement("pagi", "malam")])
    assert shifts_of(firm, "E001", MONDAY, 4) == ["MALAM", "MALAM", "MALAM", "PAGI"]
    firm.shifts.move_preset("ramadan", days=1)
    assert shifts_of(firm, "E001", MONDAY, 4) == ["PAGI", "MALAM", "MALAM", "MALAM"]
    with pytest.raises(InvalidInputError):
        firm.shifts.move_preset("RAMADAN", first=date(2026, 12, 1))
    with pytest.raises(InvalidInputError):
        firm.shifts.add_preset("R2", MONDAY, MONDAY, [Replacement("PAGI", "MALAM"), Replacement("pagi", "PAGI")])
    firm.shifts.remove_preset("RAMADAN")
    assert firm.shifts.list_presets() == ()


def test_a_holiday_says_whom_it_touches(firm: SmartAbsen) -> None:
    """Who was to work on it; not who had the day off."""
    firm.roster.assign(ScopeKind.EMPLOYEE, "E001", "KANTOR", MONDAY)
    firm.roster.assign(ScopeKind.EMPLOYEE, "E002", "JAGA", MONDAY)
    wednesday = date(2026, 11, 4)
    change = firm.calendar.add(wednesday, "Hari Contoh", CalendarKind.PUBLIC)
    assert [(each.person.code, each.before, each.after) for each in change.touched] == [("E001", "PAGI", "")]
    assert firm.planning.day("E001", wednesday)[1].kind is DayKind.HOLIDAY
    with pytest.raises(ConflictError):
        firm.calendar.add(wednesday, "Sekali lagi", CalendarKind.PUBLIC)
    back = firm.calendar.remove(wednesday)
    assert [(each.person.code, each.after) for each in back.touched] == [("E001", "PAGI")]
    with pytest.raises(NotFoundError):
        firm.calendar.remove(wednesday)


def test_joint_leave_is_chosen_by_the_firm_and_by_a_person(firm: SmartAbsen) -> None:
    """Each choice says whom it touches, and the same again nobody."""
    for code in ("E001", "E002"):
        firm.roster.assign(ScopeKind.EMPLOYEE, code, "KANTOR", MONDAY)
    eve = date(2026, 12, 24)
    assert len(firm.calendar.add(eve, "Cuti Bersama", CalendarKind.JOINT).touched) == 2
    person, change = firm.calendar.opt_out("e001", eve, works=True)
    assert [each.person for each in change.touched] == [person]
    assert firm.calendar.opt_out("E001", eve, works=True)[1].touched == ()
    plans = [firm.planning.day(code, eve)[1] for code in ("E001", "E002")]
    assert [(bool(plan.shift), plan.joint_leave, plan.kind) for plan in plans] == [
        (True, False, DayKind.WORKDAY),
        (False, True, DayKind.WORKDAY),
    ]
    assert [each.person.code for each in firm.calendar.take_joint_leave(eve, taken=False).touched] == ["E002"]
    with pytest.raises(NotFoundError):
        firm.calendar.take_joint_leave(MONDAY, taken=True)


def test_a_sync_shows_first_and_leaves_alone_what_a_person_entered(firm: SmartAbsen) -> None:
    """Without a network; once more it changes nothing, and a joint leave that the firm works stays so."""
    own = firm.calendar.add(date(2026, 8, 17), "Kemerdekaan", CalendarKind.PUBLIC).days[0]
    dry = firm.calendar.sync([2026, 2027], dry_run=True)
    assert (len(dry.diff.added), dry.applied, len(firm.calendar.list_days(date(2026, 1, 1), date(2027, 12, 31)))) == (
        17 + 8 + 18 + 8 - 1,
        False,
        1,
    )
    done = firm.calendar.sync([2026, 2027], dry_run=False)
    assert (done.diff.added, done.diff.kept, done.applied) == (dry.diff.added, (own,), True)
    eve = date(2026, 12, 24)
    firm.calendar.take_joint_leave(eve, taken=False)
    again = firm.calendar.sync([2026, 2027], dry_run=False, source="frozen")
    assert again.diff.is_empty
    assert firm.calendar.list_days(eve, eve)[0].taken is False
    idul_fitri = firm.calendar.list_days(date(2027, 3, 10), date(2027, 3, 10))[0]
    assert (idul_fitri.tentative, idul_fitri.label) == (True, "Hari Raya Idul Fitri (perkiraan)")


def test_a_day_that_moved_is_removed_and_added_by_a_sync(firm: SmartAbsen, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a name that changed is changed."""
    from smartabsen.attendance.schedule import calendar, holiday_sources

    firm.calendar.sync([2027], dry_run=False)
    before = holiday_sources.load_holidays("frozen", [2027])
    estimate, known = date(2027, 3, 10), date(2027, 3, 9)
    moved = [replace(each, day=known, tentative=False) if each.day == estimate else each for each in before]
    moved[0] = replace(moved[0], name="Tahun Baru")
    monkeypatch.setattr(calendar, "load_holidays", lambda source, years: tuple(moved))
    diff = firm.calendar.sync([2027], dry_run=False).diff
    assert [each.day for each in diff.added] == [known]
    assert [each.day for each in diff.removed] == [estimate]
    assert [after.name for _, after in diff.changed] == ["Tahun Baru"]


def test_an_erased_person_leaves_no_schedule_behind(firm: SmartAbsen) -> None:
    """Assignments, single dates and choices of joint leave are theirs."""
    firm.roster.assign(ScopeKind.EMPLOYEE, "E001", "KANTOR", MONDAY)
    firm.roster.set_day("E001", MONDAY, "OFF", reason="ill")
    firm.calendar.add(MONDAY, "Cuti Bersama", CalendarKind.JOINT)
    firm.calendar.opt_out("E001", MONDAY, works=True)
    firm.privacy.erase("E001", reason="asked for it")
    view = firm.roster.view(MONDAY, MONDAY)
    assert (view.assignments, view.days, [each.code for each in view.people]) == ((), (), ["E002"])


def count_statements(database: Database, work: Any) -> int:
    from sqlalchemy import event

    seen: list[str] = []

    def note(*arguments: Any) -> None:
        seen.append(arguments[2])

    event.listen(database._engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(database._engine, "before_cursor_execute", note)
    return len(seen)


def test_plans_of_many_take_as_many_statements_as_those_of_few(firm: SmartAbsen) -> None:
    """Whatever the number of people, assignments, single dates and days."""
    database = firm.services.database
    firm.roster.assign(ScopeKind.EMPLOYEE, "E001", "KANTOR", MONDAY)
    few = count_statements(database, lambda: firm.planning.book(MONDAY, MONDAY))
    for number in range(3, 12):
        firm.enrol(f"Contoh {number}", [], code=f"E{number:03}")
        firm.roster.assign(ScopeKind.EMPLOYEE, f"E{number:03}", "JAGA", MONDAY)
        firm.roster.set_day(f"E{number:03}", MONDAY, "OFF", reason="x")
    firm.calendar.sync([2026, 2027], dry_run=False)
    many = count_statements(database, lambda: firm.planning.book(MONDAY, MONDAY + timedelta(days=200)))
    assert few == many


def test_of_several_who_decide_the_same_date_at_once_all_succeed(firm: SmartAbsen) -> None:
    """The last one counts, and there is one row."""
    from concurrent.futures import ThreadPoolExecutor

    def decide(number: int) -> bool:
        return firm.roster.set_day("E001", MONDAY, "MALAM", reason=f"reason {number}").has_changed

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(decide, range(16)))
    assert len(firm.roster.view(MONDAY, MONDAY).days) == 1

"""What is planned for a person and a date."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, strategies as st

from smartabsen.attendance.rules.model import DayKind, PlannedDay, Shift, Span
from smartabsen.attendance.schedule.model import (
    Assignment,
    CalendarDay,
    CalendarKind,
    Pattern,
    Person,
    Placement,
    Preset,
    Replacement,
    RosterDay,
    Scope,
    ScopeKind,
    ShiftVersion,
    Timetable,
)
from smartabsen.attendance.schedule.rules_cycles import read_cycle
from smartabsen.attendance.schedule.rules_plan import PlanBook, placement_on, plan_day

MONDAY, SATURDAY, SUNDAY = date(2026, 11, 2), date(2026, 11, 7), date(2026, 11, 8)
SITI = 7
HOME = Placement(date(2000, 1, 1), "Asia/Makassar", site_id=1, department_id=2)


def made(code: str) -> Shift:
    return Shift(code, "", (Span(480, 1020),))


CODES = ("PAGI", "SIANG", "MALAM", "PUASA", "JUMAT")
OFFICE = Pattern("KANTOR", "", read_cycle("PAGI:5,OFF:2"))
SHOP = Pattern("TOKO", "", read_cycle("SIANG:6,OFF:1"))
NIGHTS = Pattern("JAGA", "", read_cycle("MALAM:7"))
SCOPES = {
    "site": Scope(ScopeKind.SITE, 1),
    "department": Scope(ScopeKind.DEPARTMENT, 2),
    "employee": Scope(ScopeKind.EMPLOYEE, SITI),
}


def timetable(*assigned: tuple[str, str], **more: object) -> Timetable:
    found: dict[Scope, tuple[Assignment, ...]] = {}
    for number, (whom, pattern) in enumerate(assigned, start=1):
        scope = SCOPES[whom]
        found[scope] = (*found.get(scope, ()), Assignment(number, scope, pattern, date(2026, 1, 1)))
    base = Timetable(
        shifts={code: (ShiftVersion(made(code), date(2000, 1, 1)),) for code in CODES},
        patterns={each.code: each for each in (OFFICE, SHOP, NIGHTS)},
        assignments=found,
    )
    return replace(base, **more)  # type: ignore[arg-type]


def plan(day: date, table: Timetable, placement: Placement = HOME) -> PlannedDay:
    return plan_day(SITI, placement, day, table)


def code(planned: PlannedDay) -> str:
    return planned.shift.code if planned.shift else ""


def holiday(day: date, kind: CalendarKind = CalendarKind.PUBLIC, **more: object) -> dict[date, tuple[CalendarDay, ...]]:
    return {day: (CalendarDay(day, "Hari Contoh", kind, **more),)}  # type: ignore[arg-type]


@given(st.sets(st.sampled_from(["site", "department", "employee"])), st.integers(0, 400))
def test_the_nearest_assignment_wins(whom: set[str], offset: int) -> None:
    """Person before department before site, whatever else there is."""
    patterns = {"site": "KANTOR", "department": "TOKO", "employee": "JAGA"}
    day = MONDAY + timedelta(days=offset)
    planned = plan(day, timetable(*((each, patterns[each]) for each in whom)))
    nearest = next((each for each in ("employee", "department", "site") if each in whom), None)
    assert planned.source == (nearest or "none")
    assert planned.pattern == (patterns[nearest] if nearest else "")
    assert planned.is_planned == bool(whom)


def test_a_day_carries_shift_kind_and_zone() -> None:
    """Of the site of the person on that date."""
    planned = plan(MONDAY, timetable(("site", "KANTOR")))
    assert (code(planned), planned.kind, planned.zone) == ("PAGI", DayKind.WORKDAY, "Asia/Makassar")
    planned = plan(SATURDAY, timetable(("site", "KANTOR")))
    assert (code(planned), planned.kind, planned.source) == ("", DayKind.REST_DAY, "site")


def test_an_ended_assignment_of_a_person_uncovers_that_of_the_site() -> None:
    """And one of last year that somebody renews does not hide the newer one."""
    own = Assignment(9, SCOPES["employee"], "JAGA", date(2026, 10, 1), date(2026, 11, 2))
    table = timetable(("site", "KANTOR"))
    table = replace(table, assignments={**table.assignments, own.scope: (own,)})
    assert [code(plan(MONDAY + timedelta(n), table)) for n in (0, 1)] == ["MALAM", "PAGI"]


def test_a_roster_row_goes_before_pattern_preset_and_holiday() -> None:
    """A shift on a holiday is worked, and keeps the tiers of a holiday."""
    ramadan = (Preset("R", "", MONDAY, SUNDAY, (Replacement("PAGI", "PUASA"),)),)
    rostered = {(SITI, MONDAY): RosterDay(SITI, MONDAY, "SIANG"), (SITI, SUNDAY): RosterDay(SITI, SUNDAY, None)}
    table = timetable(("site", "KANTOR"), presets=ramadan, roster=rostered, calendar=holiday(MONDAY))
    planned = plan(MONDAY, table)
    assert (code(planned), planned.kind, planned.source) == ("SIANG", DayKind.HOLIDAY, "roster")
    assert planned.holiday == "Hari Contoh"
    assert (code(plan(SUNDAY, table)), plan(SUNDAY, table).kind) == ("", DayKind.REST_DAY)


def test_a_rostered_shift_on_a_day_off_is_a_work_day() -> None:
    """Somebody moved the day of rest."""
    table = timetable(("site", "KANTOR"), roster={(SITI, SATURDAY): RosterDay(SITI, SATURDAY, "PAGI")})
    assert (code(plan(SATURDAY, table)), plan(SATURDAY, table).kind) == ("PAGI", DayKind.WORKDAY)


def test_a_preset_replaces_shifts_between_its_dates_and_by_day_of_the_week() -> None:
    """Friday has its own shift; moved by a day, another one begins."""
    ramadan = Preset(
        "R", "", date(2027, 2, 8), date(2027, 3, 9), (Replacement("PAGI", "PUASA"), Replacement("PAGI", "JUMAT", 4))
    )
    friday, monday = date(2027, 2, 12), date(2027, 2, 8)
    table = timetable(("site", "KANTOR"), presets=(ramadan,))
    assert [code(plan(day, table)) for day in (friday, monday, date(2027, 3, 10))] == ["JUMAT", "PUASA", "PAGI"]
    moved = timetable(("site", "KANTOR"), presets=(ramadan.moved(1),))
    assert [code(plan(day, moved)) for day in (monday, date(2027, 3, 10))] == ["PAGI", "PUASA"]


def test_a_holiday_is_a_day_off() -> None:
    """Of any kind but joint leave; on a day off it is a holiday too."""
    for kind in (CalendarKind.PUBLIC, CalendarKind.COMPANY, CalendarKind.SCHOOL):
        planned = plan(MONDAY, timetable(("site", "KANTOR"), calendar=holiday(MONDAY, kind)))
        assert (code(planned), planned.kind, planned.source) == ("", DayKind.HOLIDAY, "calendar")
        assert planned.usual_shift == made("PAGI")
    planned = plan(SUNDAY, timetable(("site", "KANTOR"), calendar=holiday(SUNDAY)))
    assert (planned.kind, planned.usual_shift) == (DayKind.HOLIDAY, None)


def test_a_public_holiday_on_the_shortest_day_of_a_week_of_six_days_has_a_kind_of_its_own() -> None:
    """Not in a week of five days, not on another day, not a company's own holiday."""
    six = replace(HOME, week=6, shortest_weekday=5)
    table = timetable(("site", "TOKO"), calendar=holiday(SATURDAY))
    assert plan(SATURDAY, table, six).kind is DayKind.SHORTEST_DAY
    assert plan(SATURDAY, table, replace(six, week=5)).kind is DayKind.HOLIDAY
    assert plan(MONDAY, timetable(("site", "TOKO"), calendar=holiday(MONDAY)), six).kind is DayKind.HOLIDAY
    company = timetable(("site", "TOKO"), calendar=holiday(SATURDAY, CalendarKind.COMPANY))
    assert plan(SATURDAY, company, six).kind is DayKind.HOLIDAY


def test_joint_leave_is_off_and_no_holiday_and_worked_an_ordinary_day() -> None:
    """Of who opted out, of a firm that does not take it, and of who came all the same."""
    joint = holiday(MONDAY, CalendarKind.JOINT)
    planned = plan(MONDAY, timetable(("site", "KANTOR"), calendar=joint))
    assert (code(planned), planned.kind, planned.joint_leave) == ("", DayKind.WORKDAY, True)
    assert (code(planned.if_worked()), planned.if_worked().kind) == ("PAGI", DayKind.WORKDAY)
    for table in (
        timetable(("site", "KANTOR"), calendar=joint, opted_out=frozenset({(SITI, MONDAY)})),
        timetable(("site", "KANTOR"), calendar=holiday(MONDAY, CalendarKind.JOINT, taken=False)),
    ):
        planned = plan(MONDAY, table)
        assert (code(planned), planned.kind, planned.joint_leave) == ("PAGI", DayKind.WORKDAY, False)


def test_joint_leave_on_a_day_off_takes_nothing() -> None:
    """No day of leave is counted for it."""
    planned = plan(SATURDAY, timetable(("site", "KANTOR"), calendar=holiday(SATURDAY, CalendarKind.JOINT)))
    assert (planned.joint_leave, planned.kind) == (False, DayKind.REST_DAY)


def test_a_day_of_another_site_or_region_is_an_ordinary_one() -> None:
    """And an estimate is shown as one."""
    other = timetable(("site", "KANTOR"), calendar=holiday(MONDAY, site_id=5))
    assert code(plan(MONDAY, other)) == "PAGI"
    assert code(plan(MONDAY, timetable(("site", "KANTOR"), calendar=holiday(MONDAY, region="Bali")))) == "PAGI"
    own = timetable(("site", "KANTOR"), calendar=holiday(MONDAY, site_id=1, tentative=True))
    assert plan(MONDAY, own).holiday == "Hari Contoh (perkiraan)"


def test_without_a_plan_the_week_of_the_contract_says_what_kind_of_day_it_is() -> None:
    """Nobody planned it, so nobody is absent; who works on a Saturday of a week of five days works on a day of rest."""
    planned = plan(SATURDAY, timetable())
    assert (planned.is_planned, planned.kind, planned.source) == (False, DayKind.REST_DAY, "none")
    assert plan(SATURDAY, timetable(), replace(HOME, week=6)).kind is DayKind.WORKDAY
    assert plan(SUNDAY, timetable(), replace(HOME, week=6)).kind is DayKind.REST_DAY
    assert plan(MONDAY, timetable(calendar=holiday(MONDAY))).kind is DayKind.HOLIDAY


def test_nothing_is_planned_outside_the_employment() -> None:
    """Not even by a roster row that somebody forgot."""
    table = timetable(("site", "KANTOR"), roster={(SITI, MONDAY): RosterDay(SITI, MONDAY, "PAGI")})
    planned = plan(MONDAY, table, replace(HOME, is_employed=False))
    assert (code(planned), planned.is_planned) == ("", False)


def test_a_person_who_moves_follows_the_plan_and_zone_of_each_site() -> None:
    """From the date on which they move."""
    east = Placement(date(2026, 11, 4), "Asia/Jayapura", site_id=3)
    found = [placement_on((HOME, east), MONDAY + timedelta(n)).zone for n in (0, 1, 2, 3)]
    assert found == ["Asia/Makassar", "Asia/Makassar", "Asia/Jayapura", "Asia/Jayapura"]
    assert plan(date(2026, 11, 5), timetable(("site", "KANTOR")), east).is_planned is False


def test_a_thousand_people_and_a_hundred_days_read_each_fact_once() -> None:
    """What people have in common is found once, so plans of many cost little more than their number."""
    calls = 0

    class Counting(dict[str, Pattern]):
        def __getitem__(self, code: str) -> Pattern:
            nonlocal calls
            calls += 1
            return super().__getitem__(code)

    table = timetable(("site", "KANTOR"))
    table = replace(table, patterns=Counting(table.patterns))
    people = [Person(number, f"E{number}", "") for number in range(1000)]
    book = PlanBook(people, {each.id: (HOME,) for each in people}, table)
    days = [MONDAY + timedelta(days=number) for number in range(100)]
    worked = sum(book.plan(person.id, day).shift is not None for person in people for day in days)
    assert worked == 1000 * sum(day.weekday() < 5 for day in days)
    assert calls == len(days)

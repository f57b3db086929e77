"""Whom the schedule is about: sites, departments, terms of employment with dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from smartabsen import NotFoundError, SmartAbsen
from smartabsen.attendance.rules.model import DayKind, Shift, Span
from smartabsen.attendance.schedule.model import CalendarKind, ScopeKind
from smartabsen.people.employment.model import Changes

FRIDAY, SATURDAY = date(2026, 11, 13), date(2026, 11, 14)


@pytest.fixture
def firm(app: SmartAbsen) -> Iterator[SmartAbsen]:
    """Siti in Jakarta's warehouse, Budi in Makassar."""
    app.sites.add("JKT", name="Jakarta", zone="Asia/Jakarta")
    app.sites.add("MKS", name="Makassar", zone="Asia/Makassar")
    app.departments.add("GUDANG", name="Gudang")
    app.add_employee("Siti Contoh", code="E001", changes=Changes(site="JKT", department="GUDANG"))
    app.add_employee("Budi Contoh", code="E002", changes=Changes(site="MKS", week=6, shortest_day=5))
    app.shifts.add_shift(Shift("PAGI", "", (Span(480, 1020),)))
    app.shifts.add_shift(Shift("MALAM", "", (Span(1320, 1800),)))
    app.shifts.add_pattern("ENAM", "PAGI:6,OFF:1")
    app.shifts.add_pattern("JAGA", "MALAM:7")
    yield app


def facts(app: SmartAbsen, code: str, day: date) -> tuple[str, str, str]:
    plan = app.planning.day(code, day)[1]
    return (plan.shift.code if plan.shift else "", plan.source, plan.zone)


def test_sites_and_departments_have_patterns_and_the_nearest_counts(firm: SmartAbsen) -> None:
    """Each in the zone of the person's site."""
    for site in ("JKT", "MKS"):
        firm.roster.assign(ScopeKind.SITE, site, "ENAM", date(2026, 1, 1))
    firm.roster.assign(ScopeKind.DEPARTMENT, "gudang", "JAGA", FRIDAY)
    assert facts(firm, "E001", date(2026, 11, 12)) == ("PAGI", "site", "Asia/Jakarta")
    assert facts(firm, "E001", FRIDAY) == ("MALAM", "department", "Asia/Jakarta")
    assert facts(firm, "E002", FRIDAY) == ("PAGI", "site", "Asia/Makassar")
    view = firm.roster.view(FRIDAY, FRIDAY, kind=ScopeKind.SITE, code="MKS")
    assert ([each.code for each in view.people], [each.code for each in view.assignments]) == (["E002"], ["MKS"])
    with pytest.raises(NotFoundError):
        firm.roster.assign(ScopeKind.SITE, "SBY", "ENAM", FRIDAY)


def test_a_person_who_moves_has_the_plan_of_each_site_on_its_dates(firm: SmartAbsen) -> None:
    """Past days stay as they were."""
    firm.roster.assign(ScopeKind.SITE, "JKT", "ENAM", date(2026, 1, 1))
    firm.roster.assign(ScopeKind.SITE, "MKS", "JAGA", date(2026, 1, 1))
    firm.employments.change("E001", Changes(site="MKS"), valid_from=SATURDAY)
    assert facts(firm, "E001", FRIDAY) == ("PAGI", "site", "Asia/Jakarta")
    assert facts(firm, "E001", SATURDAY) == ("MALAM", "site", "Asia/Makassar")
    book = firm.planning.book(FRIDAY, SATURDAY)
    siti = next(each for each in book.people if each.code == "E001")
    assert [book.plan(siti.id, day).zone for day in (FRIDAY, SATURDAY)] == ["Asia/Jakarta", "Asia/Makassar"]


def test_week_and_shortest_day_of_the_contract_decide_the_kind_of_a_holiday(firm: SmartAbsen) -> None:
    """Saturday is Budi's shortest day; for Siti it is a holiday like others."""
    firm.roster.assign(ScopeKind.SITE, "MKS", "ENAM", date(2026, 1, 1))
    firm.calendar.add(SATURDAY, "Hari Contoh", CalendarKind.PUBLIC)
    kinds = [firm.planning.day(code, SATURDAY)[1].kind for code in ("E001", "E002")]
    assert kinds == [DayKind.HOLIDAY, DayKind.SHORTEST_DAY]


def test_a_holiday_of_a_site_touches_its_people_only(firm: SmartAbsen) -> None:
    """A regional election."""
    for site in ("JKT", "MKS"):
        firm.roster.assign(ScopeKind.SITE, site, "ENAM", date(2026, 1, 1))
    change = firm.calendar.add(FRIDAY, "Pilkada", CalendarKind.PUBLIC, site="MKS")
    assert [each.person.code for each in change.touched] == ["E002"]


def test_nothing_is_planned_before_joining_and_after_leaving(firm: SmartAbsen) -> None:
    """Both days of the employment included."""
    firm.roster.assign(ScopeKind.SITE, "JKT", "ENAM", date(2026, 1, 1))
    firm.employments.change("E001", Changes(joined=date(2026, 11, 12), left=FRIDAY))
    days = [date(2026, 11, 11), date(2026, 11, 12), FRIDAY, SATURDAY]
    assert [firm.planning.day("E001", day)[1].is_planned for day in days] == [False, True, True, False]
    book = firm.planning.book(days[0], days[-1])
    siti = next(each for each in book.people if each.code == "E001")
    assert [book.plan(siti.id, day).is_planned for day in days] == [False, True, True, False]

"""The shipped holidays, by date, against the library."""

from __future__ import annotations

from datetime import date

import pytest

from smartabsen import InvalidInputError
from smartabsen.attendance.schedule.holiday_sources import load_holidays
from smartabsen.attendance.schedule.model import CalendarKind


@pytest.mark.parametrize(("year", "public", "joint"), [(2026, 17, 8), (2027, 18, 8)])
def test_the_shipped_days_are_those_of_the_library_and_as_many_as_announced(year: int, public: int, joint: int) -> None:
    """A new release of the library that moves a date fails here, and a person decides."""
    frozen, library = (load_holidays(source, [year]) for source in ("frozen", "holidays"))  # type: ignore[arg-type]
    facts = [[(each.day, each.kind, each.name) for each in days] for days in (frozen, library)]
    assert facts[0] == facts[1]
    counts = [sum(each.kind is kind for each in frozen) for kind in (CalendarKind.PUBLIC, CalendarKind.JOINT)]
    assert counts == [public, joint]


def test_2027_has_two_isra_mikraj_and_estimates_are_marked() -> None:
    """As the library has them."""
    days = load_holidays("holidays", [2027])
    assert [each.day for each in days if each.name.startswith("Isra Mikraj")] == [date(2027, 1, 5), date(2027, 12, 26)]
    assert {each.day for each in days if each.tentative} == {date(2027, 3, 10), date(2027, 3, 11), date(2027, 5, 17)}


def test_there_is_no_joint_leave_of_2028_and_no_shipped_data() -> None:
    """It is not announced yet."""
    assert {each.kind for each in load_holidays("holidays", [2028])} == {CalendarKind.PUBLIC}
    with pytest.raises(InvalidInputError):
        load_holidays("frozen", [2028])

"""Leave, orders and terms as the results of days ask for them."""

from __future__ import annotations

from datetime import date

import pytest

from smartabsen.attendance.leave.model import LeaveAsk
from smartabsen.attendance.results.model import Source
from smartabsen.attendance.rules.model import LeaveOnDay, OvertimeOrder, Terms
from smartabsen.people import employee_rows
from smartabsen.store.database import Database
from tests.attendance.standing import WorkingTime

MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)


@pytest.fixture
def firm(sqlite: Database) -> WorkingTime:
    with sqlite.write() as session:
        for number in (1, 2):
            employee_rows.add(session, code=f"E00{number}", name=f"Contoh {number}")
    return WorkingTime(sqlite).one_step()


def test_the_services_are_sources_of_the_inputs_of_days(firm: WorkingTime) -> None:
    """Looked up by person and date; whom nothing was entered for has nothing."""
    firm.leave.add("E001", LeaveAsk("dinas-luar", TUESDAY, TUESDAY))
    firm.overtime.order("E002", MONDAY, 90)
    leave: Source[tuple[LeaveOnDay, ...]] = firm.leave.leave_on_days
    orders: Source[tuple[OvertimeOrder, ...]] = firm.overtime.orders_on_days
    terms: Source[Terms] = firm.policies.terms
    with firm.database.read() as session:
        asked = (session, [1, 2], MONDAY, TUESDAY)
        found = [
            (len(leave(*asked)(person, day)), [each.minutes for each in orders(*asked)(person, day)])
            for person in (1, 2)
            for day in (MONDAY, TUESDAY)
        ]
        assert terms(*asked)(1, MONDAY).ruleset == "id-2021"
    assert found == [(0, []), (1, []), (0, [90]), (0, [])]


def test_the_statements_do_not_grow_with_the_days(firm: WorkingTime) -> None:
    """A year of two people is read as a day of one is."""
    from sqlalchemy import event

    firm.leave.add("E001", LeaveAsk("sakit", MONDAY, date(2026, 12, 31)))
    counts = []
    for last in (MONDAY, date(2027, 10, 31)):
        said: list[str] = []
        with firm.database.read() as session:
            engine = session.get_bind()
            listen = lambda *given, said=said: said.append(given[2])  # noqa: E731
            event.listen(engine, "before_cursor_execute", listen)
            for source in (firm.leave.leave_on_days, firm.overtime.orders_on_days, firm.policies.terms):
                source(session, [1, 2], MONDAY, last)(1, MONDAY)
            event.remove(engine, "before_cursor_execute", listen)
        counts.append(len(said))
    assert counts[0] == counts[1] > 0

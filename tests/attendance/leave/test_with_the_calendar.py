"""Leave and overtime of a whole installation: contracts, departments, rosters, the calendar and roles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from smartabsen import SmartAbsen
from smartabsen.attendance.leave.annual import newest_anniversary
from smartabsen.attendance.leave.model import LeaveAsk, RequestState
from smartabsen.attendance.rules.model import Portion, Shift, Span
from smartabsen.attendance.schedule.model import CalendarKind, ScopeKind
from smartabsen.attendance.standing import Scope
from smartabsen.kernel.actors import acting_as
from smartabsen.kernel.domain import Role
from smartabsen.kernel.errors import ConflictError, DeniedError
from smartabsen.people.employment.model import Changes

PAST = date(2020, 1, 1)
# Far ahead: what is granted must not have expired by the clock of whoever runs this.
MONDAY = date(2098, 11, 3)
PAGI = Shift("PAGI", "Pagi", (Span(480, 1020),), (Span(720, 780),))
PASSWORD = "long enough words"


@pytest.fixture
def firm(home: dict[str, object]) -> Iterator[SmartAbsen]:
    """Two departments; E001 works from Monday to Saturday in the warehouse, E002 five days in the shop."""
    with SmartAbsen.open(flags=home) as app:
        for number, department in ((1, "GUDANG"), (2, "TOKO")):
            app.departments.add(department, name=department.title())
            app.enrol(f"Contoh {number}", [], code=f"E00{number}")
            app.employments.change(f"E00{number}", Changes(department=department, joined=date(2024, 3, 15)))
        app.employments.change("E001", Changes(week=6, shortest_day=5))
        app.policies.set("leave_steps", "1", valid_from=PAST)
        for code in ("E001", "E002"):
            app.leave_book.grant(code, "tahunan", 24, expires=date(2099, 12, 31))
        yield app


def left(app: SmartAbsen, code: str = "E001") -> float:
    return app.leave_book.balances(code)[0].half_days / 2


def ask(first: date, last: date | None = None, *, kind: str = "tahunan", half: str = "full") -> LeaveAsk:
    return LeaveAsk(kind, first, last or first, Portion(half))


def test_leave_counts_the_days_of_the_contract_the_roster_and_the_calendar(firm: SmartAbsen) -> None:
    """From Thursday to Monday: four days of a week of six, three of five; a rostered Sunday is one more."""
    thursday = MONDAY + timedelta(days=3)
    assert firm.leave_book.request("E001", ask(thursday, thursday + timedelta(days=4))).half_days == 8
    assert firm.leave_book.request("E002", ask(thursday, thursday + timedelta(days=4))).half_days == 6
    firm.shifts.add_shift(PAGI)
    sunday = MONDAY + timedelta(days=13)
    firm.roster.set_day("E002", sunday, "PAGI", reason="stock")
    assert firm.leave_book.request("E002", ask(sunday)).half_days == 2
    with pytest.raises(ConflictError, match="already"):
        firm.leave_book.request("E002", ask(sunday))


def test_a_holiday_added_after_the_approval_gives_the_day_back(firm: SmartAbsen) -> None:
    """Case 13; removed again it is taken again, and each change says whom it touches."""
    request = firm.leave_book.request("E001", ask(MONDAY, MONDAY + timedelta(days=4)))
    firm.leave_book.approve(request.id)
    assert left(firm) == 7
    holiday = MONDAY + timedelta(days=2)
    change = firm.calendar.add(holiday, "Contoh", CalendarKind.PUBLIC)
    assert [(each.request.code, each.given_back) for each in change.leave] == [("E001", 2)]
    assert (left(firm), firm.leave_book.get(request.id).half_days) == (8, 8)
    assert firm.calendar.remove(holiday).leave[0].given_back == -2
    assert left(firm) == 7


def test_joint_leave_takes_a_day_from_who_takes_it_and_none_from_who_works(firm: SmartAbsen) -> None:
    """By person, by roster, by the firm; a second look changes nothing."""
    day = date(2098, 12, 24)
    change = firm.calendar.add(day, "Cuti bersama", CalendarKind.JOINT)
    assert {each.request.code: each.given_back for each in change.leave} == {"E001": -2, "E002": -2}
    assert (left(firm, "E001"), left(firm, "E002")) == (11, 11)
    assert firm.leave_by_calendar.follow(day, day) == ()
    firm.calendar.opt_out("E001", day, works=True)
    assert (left(firm, "E001"), left(firm, "E002")) == (12, 11)
    assert firm.leave_book.request("E002", ask(day - timedelta(days=1), day + timedelta(days=1))).half_days == 4
    firm.calendar.take_joint_leave(day, taken=False)
    assert (left(firm, "E001"), left(firm, "E002")) == (12, 12)
    with firm.units.read() as session:
        assert firm.leave_book.leave_in_session(session, None, day, day) == {}


def test_joint_leave_is_not_taken_from_who_has_other_leave_on_that_day(firm: SmartAbsen) -> None:
    """Maternity leave counts every day, and joint leave in it none."""
    day = date(2098, 12, 24)
    firm.leave_book.add("E001", ask(date(2098, 11, 30), date(2099, 1, 31), kind="melahirkan"))
    change = firm.calendar.add(day, "Cuti bersama", CalendarKind.JOINT)
    assert [each.request.code for each in change.leave] == ["E002"]
    assert left(firm) == 12


def test_annual_leave_is_granted_once_for_each_year_of_service(firm: SmartAbsen) -> None:
    """After twelve months in a row; not to who is new, and not twice."""
    firm.enrol("Contoh 3", [], code="E003")
    firm.employments.change("E003", Changes(joined=date(2098, 3, 1)))
    (one,) = firm.annual_leave.due(MONDAY, code="E001")
    assert (one.due, one.half_days, one.expires) == (date(2098, 3, 15), 24, date(2099, 3, 14))
    assert [each.code for each in firm.annual_leave.grant(MONDAY)] == ["E001", "E002"]
    assert firm.annual_leave.grant(MONDAY + timedelta(days=30)) == ()
    assert left(firm) == 24
    assert [each.code for each in firm.annual_leave.grant(date(2099, 3, 20))] == ["E001", "E002", "E003"]


def test_a_server_grants_by_night_where_the_firm_says_so(firm: SmartAbsen) -> None:
    """For a department here; with the days that the firm gives."""
    firm.policies.set("annual_days", "14", valid_from=PAST)
    firm.policies.set("annual_by_night", "yes", valid_from=PAST, scope=Scope.DEPARTMENT, code="GUDANG")
    assert firm.leave_night.run(MONDAY)
    assert not firm.leave_night.run(MONDAY)
    assert (left(firm, "E001"), left(firm, "E002")) == (26, 12)


@pytest.mark.parametrize(
    ("joined", "on", "found"),
    [
        (date(2025, 3, 15), date(2026, 3, 14), None),
        (date(2025, 3, 15), date(2026, 3, 15), date(2026, 3, 15)),
        (date(2024, 2, 29), date(2025, 2, 28), None),
        (date(2024, 2, 29), date(2025, 3, 1), date(2025, 3, 1)),
        (date(2024, 2, 29), date(2028, 2, 29), date(2028, 2, 29)),
        (date(2027, 1, 1), date(2026, 1, 1), None),
    ],
)
def test_a_year_of_service_ends_on_its_anniversary(joined: date, on: date, found: date | None) -> None:
    """Of 29 February on 1 March in common years."""
    assert newest_anniversary(joined, on) == found


def test_policies_hold_by_site_and_department_of_that_date(firm: SmartAbsen) -> None:
    """The nearest wins; who moves is under the rules of the new department from that day on."""
    firm.sites.add("MKS", name="Makassar", zone="Asia/Makassar")
    firm.employments.change("E001", Changes(site="MKS"))
    firm.policies.set("grace", "5", valid_from=PAST, scope=Scope.SITE, code="MKS")
    firm.policies.set("grace", "15", valid_from=PAST, scope=Scope.DEPARTMENT, code="TOKO")
    firm.employments.change("E001", Changes(department="TOKO"), valid_from=MONDAY)
    assert [firm.policies.on("E001", MONDAY + timedelta(days=n)).grace for n in (-1, 0)] == [5, 15]
    assert {each.of for each in firm.policies.entries() if each.name == "grace"} == {"MKS", "TOKO"}


def test_overtime_of_rest_days_holidays_and_the_shortest_day_breaks_no_cap(firm: SmartAbsen) -> None:
    """Five hours on a Saturday: a work day in a week of six, a rest day in one of five; 19 h with 5 on Sunday pass."""
    saturday = MONDAY + timedelta(days=5)
    six, five = (firm.overtime.order(code, saturday, 300) for code in ("E001", "E002"))
    assert ([each.cap for each in six.findings], five.findings) == ([240], ())
    firm.calendar.add(saturday, "Contoh", CalendarKind.PUBLIC)
    assert firm.overtime.findings(saturday, saturday) == {}
    week = MONDAY + timedelta(days=7)
    for number, minutes in enumerate((210, 210, 210, 210, 0, 0, 300)):
        if minutes:
            firm.overtime.order("E002", week + timedelta(days=number), minutes)
    assert firm.overtime.findings(week, week) == {}
    assert sum(each.minutes for each in firm.overtime.orders(week, week + timedelta(days=6))) == 19 * 60


def test_an_approval_stays_when_more_is_ordered_in_the_same_week(firm: SmartAbsen) -> None:
    """Case 8, as far as orders go: nothing that comes later touches what was approved."""
    first = firm.overtime.order("E001", MONDAY, 60).order
    firm.overtime.consent(first.id)
    approved = firm.overtime.approve(first.id).order
    firm.overtime.order("E001", MONDAY + timedelta(days=1), 60)
    firm.calendar.add(MONDAY + timedelta(days=1), "Contoh", CalendarKind.PUBLIC)
    assert firm.overtime.orders(MONDAY, MONDAY)[0] == approved


def test_half_a_day_takes_half_and_covers_one_half(firm: SmartAbsen) -> None:
    """Case 10: the morning is leave, and the afternoon is left to work."""
    request = firm.leave_book.request("E001", ask(MONDAY, half="morning"))
    firm.leave_book.approve(request.id)
    with firm.units.read() as session:
        (found,) = firm.leave_book.leave_in_session(session, None, MONDAY, MONDAY).values()
    assert (left(firm), [each.portion for each in found]) == (11.5, [Portion.MORNING])


def test_the_fourth_of_four_requests_is_refused_at_the_approval(firm: SmartAbsen) -> None:
    """Case 15."""
    firm.leave_book.adjust("E001", "tahunan", -18, reason="three are left")
    requests = [firm.leave_book.request("E001", ask(MONDAY + timedelta(days=n))) for n in range(4)]
    for each in requests[:3]:
        firm.leave_book.approve(each.id)
    with pytest.raises(ConflictError, match="left on these days: 0"):
        firm.leave_book.approve(requests[3].id)


@pytest.mark.parametrize(("taken", "expires"), [(0, 10), (8, 2), (10, 0), (12, 0)])
def test_what_was_carried_expires_but_for_what_was_taken(firm: SmartAbsen, taken: int, expires: int) -> None:
    """Case 14: ten days carried over, until 31 March."""
    firm.leave_book.grant("E002", "tahunan", 20, expires=date(2098, 3, 31), carried=True)
    first = date(2098, 1, 6)
    if taken:
        # Twelve working days of weeks of five.
        last = [first + timedelta(days=n) for n in range(30) if (first + timedelta(days=n)).weekday() < 5][taken - 1]
        firm.leave_book.add("E002", ask(first, last))
    firm.leave_book.expire(today=date(2098, 4, 1))
    gone = [each for each in firm.leave_book.balances("E002")[0].entries if each.entry == "expire"]
    assert sum(-each.half_days for each in gone) / 2 == expires


def test_a_manager_approves_for_the_own_department_and_never_for_oneself(firm: SmartAbsen) -> None:
    """HR may do it for all but themselves; a viewer for nobody; a delegate as far as who delegated."""
    firm.users.add("bos", PASSWORD, role=Role.MANAGER, department="GUDANG", employee="E001")
    firm.users.add("personalia", PASSWORD, role=Role.HR, employee="E002")
    firm.users.add("tamu", PASSWORD, role=Role.VIEWER)
    firm.enrol("Contoh 3", [], code="E003")
    firm.employments.change("E003", Changes(department="GUDANG"))
    firm.leave_book.grant("E003", "tahunan", 24, expires=None)
    own, other, staff = (firm.leave_book.request(code, ask(MONDAY)) for code in ("E001", "E002", "E003"))
    for name, request in (("bos", own), ("bos", other), ("personalia", other), ("tamu", staff)):
        with acting_as(name), pytest.raises(DeniedError):
            firm.leave_book.approve(request.id)
        with acting_as(name), pytest.raises(DeniedError):
            firm.leave_book.reject(request.id)
    with acting_as("bos"):
        assert {each.code for each in firm.leave_book.requests()} == {"E001", "E003"}
        with pytest.raises(DeniedError, match="department"):
            firm.leave_book.request("E002", ask(MONDAY + timedelta(days=1)))
        with pytest.raises(DeniedError):
            firm.leave_book.grant("E003", "tahunan", 2, expires=None)
        assert firm.leave_book.approve(staff.id).state is RequestState.APPROVED
        firm.leave_book.delegate("personalia", firm.today() - timedelta(days=1), firm.today() + timedelta(days=9))
    with acting_as("personalia"), pytest.raises(DeniedError):
        firm.leave_book.approve(other.id, in_place_of="bos")
    with acting_as("personalia"):
        assert firm.leave_book.approve(own.id).state is RequestState.APPROVED
    assert firm.leave_book.approve(other.id).state is RequestState.APPROVED


def test_overtime_and_policies_ask_roles_too(firm: SmartAbsen) -> None:
    """A manager orders and approves in the own department, not for oneself; rules are HR's."""
    firm.users.add("bos", PASSWORD, role=Role.MANAGER, department="GUDANG", employee="E001")
    own, other = (firm.overtime.order(code, MONDAY, 60).order for code in ("E001", "E002"))
    with acting_as("bos"):
        for each in (own, other):
            with pytest.raises(DeniedError):
                firm.overtime.approve(each.id)
        with pytest.raises(DeniedError):
            firm.overtime.order("E002", MONDAY, 60)
        with pytest.raises(DeniedError):
            firm.policies.set("grace", "5", valid_from=PAST)
        assert [each.code for each in firm.overtime.orders(MONDAY, MONDAY)] == ["E001"]


def test_hr_enters_leave_for_the_department_of_that_day(firm: SmartAbsen) -> None:
    """Who joined it later is not among them."""
    firm.employments.change("E002", Changes(department="GUDANG"), valid_from=MONDAY + timedelta(days=1))
    before = firm.leave_book.add_for_department("GUDANG", ask(MONDAY, kind="wfh"))
    after = firm.leave_book.add_for_department("GUDANG", ask(MONDAY + timedelta(days=1), kind="wfh"))
    assert [[each.code for each in done.added] for done in (before, after)] == [["E001"], ["E001", "E002"]]


def test_a_pattern_takes_the_place_of_the_contracts_week(firm: SmartAbsen) -> None:
    """Two days on and two off: leave of four days counts two."""
    firm.shifts.add_shift(PAGI)
    firm.shifts.add_pattern("PUTAR", "PAGI:2,OFF:2", starts=MONDAY)
    firm.roster.assign(ScopeKind.EMPLOYEE, "E001", "PUTAR", MONDAY)
    assert firm.leave_book.request("E001", ask(MONDAY, MONDAY + timedelta(days=3))).half_days == 4

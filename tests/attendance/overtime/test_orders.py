"""Orders for overtime: asked, agreed to, approved; food and caps."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from smartabsen.attendance.policy.rulesets import ruleset_on
from smartabsen.attendance.rules.model import DayKind
from smartabsen.attendance.rules.overtime_caps import OvertimeOfDay, over_caps
from smartabsen.kernel.domain import Employee
from smartabsen.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from smartabsen.privacy import erasure_rows
from smartabsen.privacy.erasure_rows import Tombstone
from smartabsen.store.database import Database
from smartabsen.trust import audit_rows
from tests.attendance.standing import WorkingTime, as_user

MONDAY = date(2026, 11, 2)
CAPS = ruleset_on(MONDAY).caps


@pytest.fixture
def firm(database: Database, siti: Employee) -> WorkingTime:
    return WorkingTime(database)


def test_consent_and_approval_are_two_steps_each_with_its_name(firm: WorkingTime, siti: Employee) -> None:
    """In either order; only with both it counts."""
    with as_user("head"):
        order = firm.overtime.order("e001", MONDAY, 120, reason="closing").order
    assert (order.state, order.code, order.minutes, order.ordered.by) == ("ordered", "E001", 120, "head")
    assert not order.as_rule.counts
    with as_user("E001"):
        order = firm.overtime.consent(order.id).order
    assert (order.state, order.as_rule.counts) == ("agreed", False)
    with as_user("hr"):
        order = firm.overtime.approve(order.id).order
    assert order.state == "in_force" and order.as_rule.counts
    assert order.consent is not None and order.approval is not None
    assert (order.consent.by, order.approval.by) == ("E001", "hr")
    assert order.ordered.at <= order.consent.at <= order.approval.at
    with firm.database.read() as session:
        actions = [(each.action, each.actor) for each in audit_rows.latest(session, 3)]
        held = firm.overtime.orders_in_session(session, [siti.id], MONDAY, MONDAY)
    assert actions == [("overtime.approve", "hr"), ("overtime.consent", "E001"), ("overtime.order", "head")]
    assert [each.minutes for each in held[siti.id, MONDAY]] == [120]


def test_what_was_said_once_is_not_said_again(firm: WorkingTime, siti: Employee) -> None:
    """And nothing is said of an order that was taken back; it does not count for the day."""
    order = firm.overtime.order("E001", MONDAY, 60).order
    firm.overtime.approve(order.id)
    with pytest.raises(ConflictError, match="noted"):
        firm.overtime.approve(order.id)
    assert firm.overtime.cancel(order.id).order.state == "cancelled"
    for say in (firm.overtime.consent, firm.overtime.cancel):
        with pytest.raises(ConflictError, match="taken back"):
            say(order.id)
    with pytest.raises(NotFoundError):
        firm.overtime.consent(99)
    with firm.database.read() as session:
        assert firm.overtime.orders_in_session(session, [siti.id], MONDAY, MONDAY) == {}


def test_eight_who_approve_at_once_approve_it_once(firm: WorkingTime) -> None:
    """The others are told that it is done."""
    order = firm.overtime.order("E001", MONDAY, 60).order

    def approve(_: int) -> bool:
        try:
            firm.overtime.approve(order.id)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(approve, range(8))) == [False] * 7 + [True]


@pytest.mark.parametrize(("minutes", "due"), [((239,), False), ((240,), True), ((120, 120), True)])
def test_food_is_due_from_four_hours_of_a_day(firm: WorkingTime, minutes: tuple[int, ...], due: bool) -> None:
    """PP 35/2021 art. 29; several orders of a day are added, those taken back are not."""
    for each in minutes:
        firm.overtime.order("E001", MONDAY, each)
    gone = firm.overtime.order("E001", MONDAY, 600).order
    firm.overtime.cancel(gone.id)
    standing = [each for each in firm.overtime.orders(MONDAY, MONDAY) if each.state != "cancelled"]
    assert [each.is_food_due for each in standing] == [due] * len(minutes)


def test_a_firm_may_give_food_earlier(firm: WorkingTime) -> None:
    """From its own date on."""
    firm.policies.set("food", "180", valid_from=MONDAY)
    firm.overtime.order("E001", MONDAY - timedelta(days=1), 200)
    firm.overtime.order("E001", MONDAY, 200)
    orders = firm.overtime.orders(MONDAY - timedelta(days=1), MONDAY)
    assert [each.is_food_due for each in orders] == [False, True]


def test_more_than_four_hours_a_day_is_told_not_refused(firm: WorkingTime) -> None:
    """PP 35/2021 art. 26."""
    assert firm.overtime.order("E001", MONDAY, 240).findings == ()
    (found,) = firm.overtime.order("E001", MONDAY, 1).findings
    assert (found.rule, found.minutes, found.cap, found.article) == (
        "overtime.cap_day", 241, 240, "PP 35/2021 art. 26(1)",
    )  # fmt: skip


def test_more_than_eighteen_hours_a_week_is_told(firm: WorkingTime) -> None:
    """Counted from Monday, whichever days are asked for."""
    for number in range(4):
        assert firm.overtime.order("E001", MONDAY + timedelta(days=number), 240).findings == ()
    friday = MONDAY + timedelta(days=4)
    (found,) = firm.overtime.order("E001", friday, 180).findings
    assert (found.rule, found.day, found.minutes) == ("overtime.cap_week", MONDAY, 19 * 60)
    assert firm.overtime.findings(friday, friday)["E001"] == (found,)


def test_rest_days_and_holidays_are_not_counted_by_the_caps(firm: WorkingTime) -> None:
    """19 h in a week of which 5 on Sunday: the cap of 18 is not broken; nor by a holiday of 8 h."""
    days = [OvertimeOfDay(MONDAY + timedelta(days=n), 210) for n in range(4)]
    sunday = OvertimeOfDay(MONDAY + timedelta(days=6), 300, DayKind.REST_DAY)
    assert sum(each.minutes for each in [*days, sunday]) == 19 * 60
    assert over_caps([*days, sunday], CAPS) == ()
    as_workday = OvertimeOfDay(sunday.day, 300)
    assert {each.rule for each in over_caps([*days, as_workday], CAPS)} == {"overtime.cap_day", "overtime.cap_week"}
    firm.calendar.holidays.add(MONDAY)
    assert firm.overtime.order("E001", MONDAY, 480).findings == ()


@pytest.mark.parametrize("minutes", [0, -5, 1441])
def test_minutes_fit_into_a_day(firm: WorkingTime, minutes: int) -> None:
    """Others are refused, and nothing is stored."""
    with pytest.raises(InvalidInputError):
        firm.overtime.order("E001", MONDAY, minutes)
    assert firm.overtime.orders(MONDAY, MONDAY) == ()


def test_the_list_has_names_and_durations_of_a_period(firm: WorkingTime) -> None:
    """PP 35/2021 art. 28: of all, or of one."""
    firm.overtime.order("E001", MONDAY, 60)
    firm.overtime.order("E001", MONDAY + timedelta(days=7), 90)
    listed = firm.overtime.orders(MONDAY, MONDAY + timedelta(days=6), code="E001")
    assert [(each.name, each.minutes, each.work_date) for each in listed] == [("Siti Rahma", 60, MONDAY)]
    with pytest.raises(NotFoundError):
        firm.overtime.orders(MONDAY, MONDAY, code="E9")


def test_an_erasure_reaches_orders(firm: WorkingTime, siti: Employee) -> None:
    """They go with the person."""
    firm.overtime.order("E001", MONDAY, 60, reason="private")
    tombstone = Tombstone(siti.id, siti.created_at, "all", "pseudonymise", firm.database.now(), "root")
    gone = firm.database.run_write(lambda session: erasure_rows.erase_rows(session, tombstone))
    assert gone["overtime_orders"] == 1
    assert firm.overtime.orders(MONDAY, MONDAY) == ()

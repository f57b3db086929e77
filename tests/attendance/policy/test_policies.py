"""Policies: who decides what for whom, and from which date."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from smartabsen.attendance.policy.model import KEYS, Policy, PolicyEntry
from smartabsen.attendance.policy.rules import PolicyTable, exception_rules, limits_of
from smartabsen.attendance.policy.rulesets import get_ruleset
from smartabsen.attendance.rules.exceptions import DEFAULT_RULES, ExceptionKind, Severity
from smartabsen.attendance.rules.model import Limits
from smartabsen.attendance.rules.overtime import HourRounding, PastTiers
from smartabsen.attendance.standing import Scope, Standing
from smartabsen.kernel.domain import Employee
from smartabsen.kernel.errors import InvalidInputError, NotFoundError
from smartabsen.people import employee_rows
from smartabsen.privacy import erasure_rows
from smartabsen.privacy.erasure_rows import Tombstone
from smartabsen.store.database import Database
from smartabsen.trust import audit_rows
from tests.attendance.standing import WorkingTime

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


@pytest.fixture
def firm(database: Database, siti: Employee) -> WorkingTime:
    working = WorkingTime(database)
    working.org.people[siti.id] = Standing(site_id=2, department_id=1, week=6, exempt="PP art. 7")
    return working


def test_the_nearest_wins_whenever_it_was_decided(firm: WorkingTime) -> None:
    """Person before department before site before firm."""
    decided = [(Scope.FIRM, "", "1"), (Scope.SITE, "MKS", "2"), (Scope.DEPARTMENT, "GUDANG", "3")]
    decided.append((Scope.EMPLOYEE, "e001", "4"))
    for number, (scope, code, value) in enumerate(decided):
        # The wider ones are decided for later days, and are newer so.
        day = NOVEMBER - timedelta(days=number)
        firm.policies.set("grace", value, valid_from=day, scope=scope, code=code)
        assert firm.policies.on("E001", NOVEMBER).grace == int(value)
    firm.policies.set("grace", "9", valid_from=OCTOBER, scope=Scope.SITE, code="JKT")
    assert firm.policies.on("E001", NOVEMBER).grace == 4


def test_a_decision_holds_from_its_date_on(firm: WorkingTime) -> None:
    """Days before it are judged as before: the second fault of principle."""
    firm.policies.set("hour_rounding", "floor", valid_from=NOVEMBER)
    assert firm.policies.on("E001", NOVEMBER - timedelta(days=1)).hour_rounding is HourRounding.EXACT
    assert firm.policies.on("E001", NOVEMBER).hour_rounding is HourRounding.FLOOR
    firm.policies.set("hour_rounding", "half_up", valid_from=NOVEMBER + timedelta(days=5))
    assert firm.policies.on("E001", NOVEMBER + timedelta(days=4)).hour_rounding is HourRounding.FLOOR
    assert firm.policies.on("E001", NOVEMBER + timedelta(days=5)).hour_rounding is HourRounding.HALF_UP


def test_a_scope_can_say_nothing_again(firm: WorkingTime) -> None:
    """“inherit” lets the next wider one hold; the firm has nothing wider."""
    firm.policies.set("past_tiers", "4x", valid_from=OCTOBER)
    firm.policies.set("past_tiers", "refuse", valid_from=OCTOBER, scope=Scope.EMPLOYEE, code="E001")
    firm.policies.set("past_tiers", "inherit", valid_from=NOVEMBER, scope=Scope.EMPLOYEE, code="E001")
    assert firm.policies.on("E001", OCTOBER).past_tiers is PastTiers.REFUSE
    assert firm.policies.on("E001", NOVEMBER).past_tiers is PastTiers.FOUR_TIMES
    with pytest.raises(InvalidInputError, match="wider than the firm"):
        firm.policies.set("past_tiers", "inherit", valid_from=NOVEMBER)


def test_the_same_date_is_decided_anew_and_the_trail_has_both(firm: WorkingTime) -> None:
    """One row, what it was before in the audit trail."""
    first = firm.policies.set("food", "180", valid_from=NOVEMBER)
    second = firm.policies.set("food", " 200 ", valid_from=NOVEMBER)
    assert (first.id, first.value, second.value) == (second.id, "180", "200")
    assert [(each.name, each.value, each.of) for each in firm.policies.entries()] == [("food", "200", "")]
    with firm.database.read() as session:
        told = audit_rows.find(session, action="policy.set")[0].details
    assert (told["before"], told["after"], told["from"]) == ("180", "200", "2026-11-01")


@pytest.mark.parametrize(
    ("name", "value"),
    [("grace", "-1"), ("grace", "1.5"), ("grace", ""), ("grace", "181"), ("hour_rounding", "ceil"), ("critical", "x")],
)
def test_a_value_out_of_range_is_refused(firm: WorkingTime, name: str, value: str) -> None:
    """Nothing is stored then."""
    with pytest.raises(InvalidInputError, match=name):
        firm.policies.set(name, value, valid_from=NOVEMBER)
    assert firm.policies.entries() == ()


def test_nobody_decides_for_whom_there_is_not(firm: WorkingTime) -> None:
    """An unknown key, site, department or person."""
    with pytest.raises(NotFoundError, match="hour_rounding"):
        firm.policies.set("hour_round", "floor", valid_from=NOVEMBER)
    for scope, code in ((Scope.SITE, "X"), (Scope.DEPARTMENT, "X"), (Scope.EMPLOYEE, "X")):
        with pytest.raises(NotFoundError):
            firm.policies.set("grace", "1", valid_from=NOVEMBER, scope=scope, code=code)


def test_each_default_is_one_of_the_allowed_values() -> None:
    """And what is written of a policy is read as the same."""
    for key in KEYS.values():
        assert key.check(key.default) == key.default
        assert key.read(key.default) == getattr(Policy(), key.name)
        assert key.about


def test_critical_exceptions_are_a_set_of_words(firm: WorkingTime) -> None:
    """In any order, none of them included."""
    firm.policies.set("critical", "untrusted-clock, absent", valid_from=OCTOBER)
    assert firm.policies.on("E001", OCTOBER).critical == {"absent", "untrusted-clock"}
    firm.policies.set("critical", "", valid_from=NOVEMBER)
    assert firm.policies.on("E001", NOVEMBER).critical == frozenset()


def test_what_a_firm_calls_critical_is_critical(firm: WorkingTime) -> None:
    """And nothing else; by default what the rules of exceptions say."""
    assert exception_rules(Policy()) == dict(DEFAULT_RULES)
    firm.policies.set("critical", "absent", valid_from=NOVEMBER)
    firm.policies.set("unordered_grace", "0", valid_from=NOVEMBER)
    firm.policies.set("exception_window", "31", valid_from=NOVEMBER)
    rules = exception_rules(firm.policies.on("E001", NOVEMBER))
    assert [kind for kind, rule in rules.items() if rule.severity is Severity.CRITICAL] == [ExceptionKind.ABSENT]
    assert (rules[ExceptionKind.OVERTIME_UNORDERED].grace, rules[ExceptionKind.ABSENT].window_days) == (0, 31)


def test_the_limits_of_a_day_are_those_of_the_law() -> None:
    """The rules of a day have the same numbers without a ruleset; with one, the articles fit the week."""
    five, six = (limits_of(get_ruleset("id-2021"), week) for week in (5, 6))
    plain = Limits()
    for found in (five, six):
        assert replace(found, articles=plain.articles) == plain
        assert set(found.articles) == set(plain.articles)
    same = ("overtime_day", "overtime_week", "food_after", "break_after", "order", "exempt", "workday", "shortest-day")
    assert all(five.articles[each] == plain.articles[each] for each in same)
    assert (five.articles["holiday"], six.articles["holiday"]) == ("PP 35/2021 art. 31(3)", "PP 35/2021 art. 31(2)a")


def test_the_terms_of_many_days_are_read_at_once(firm: WorkingTime, siti: Employee) -> None:
    """Law, contract and firm, by person and date."""
    firm.policies.set("same_punch", "5", valid_from=NOVEMBER, scope=Scope.EMPLOYEE, code="E001")
    with firm.database.read() as session:
        terms = firm.policies.terms(session, [siti.id], OCTOBER, NOVEMBER)
    before, after = terms(siti.id, OCTOBER), terms(siti.id, NOVEMBER)
    assert (before.same_punch, after.same_punch) == (2, 5)
    assert (after.ruleset, after.week, after.exempt) == ("id-2021", 6, "PP art. 7")
    assert terms(siti.id, date(2020, 1, 1)).ruleset == ""


def test_a_policy_that_a_newer_program_knows_is_passed_over(siti: Employee, firm: WorkingTime) -> None:
    """It decides nothing here, and breaks nothing."""
    entry = PolicyEntry(1, "of_tomorrow", "7", Scope.FIRM, 0, "", OCTOBER, "x", siti.created_at)
    assert PolicyTable([entry]).policy(siti.id, Standing(), NOVEMBER) == Policy()


def test_an_erasure_reaches_the_policies_of_a_person(firm: WorkingTime, siti: Employee) -> None:
    """Those of the firm stay."""
    firm.policies.set("grace", "1", valid_from=NOVEMBER)
    firm.policies.set("grace", "2", valid_from=NOVEMBER, scope=Scope.EMPLOYEE, code="E001")
    tombstone = Tombstone(siti.id, siti.created_at, "all", "pseudonymise", firm.database.now(), "root")
    gone = firm.database.run_write(lambda session: erasure_rows.erase_rows(session, tombstone))
    assert gone["policies"] == 1
    assert [each.value for each in firm.policies.entries()] == ["1"]


def test_two_who_decide_at_once_leave_one_row(firm: WorkingTime) -> None:
    """The later one wins, and nobody sees an error of the database."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: firm.policies.set("grace", str(n), valid_from=NOVEMBER), range(8)))
    assert len(firm.policies.entries()) == 1


def test_an_employee_is_found_by_code_whatever_its_case(firm: WorkingTime) -> None:
    """And the entry names the code as it is written."""
    assert firm.policies.set("grace", "1", valid_from=NOVEMBER, scope=Scope.EMPLOYEE, code="e001").of == "E001"
    with firm.database.read() as session:
        assert employee_rows.count(session) == 1

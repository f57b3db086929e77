"""Requests for leave, approvals, balances."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from smartabsen.attendance.leave import book_rows
from smartabsen.attendance.leave.letters import Letters
from smartabsen.attendance.leave.model import Entry, LeaveAsk, Letter, RequestState, total
from smartabsen.attendance.rules.model import DayStatus, Portion
from smartabsen.attendance.rules.ruleset import LeaveKind
from smartabsen.attendance.standing import Standing
from smartabsen.kernel.domain import Employee
from smartabsen.kernel.errors import (
    ConflictError,
    DeniedError,
    InvalidInputError,
    NotFoundError,
    SealBrokenError,
    SmartAbsenError,
)
from smartabsen.people import employee_rows
from smartabsen.privacy import erasure_rows, resealing_rows
from smartabsen.privacy.erasure_rows import Tombstone
from smartabsen.store.database import Database
from smartabsen.store.tables import LeaveAttachmentRow
from smartabsen.trust import audit_rows
from smartabsen.trust.sealing import KeyRing
from smartabsen.trust.work import Work
from tests.attendance.standing import WorkingTime, as_user
from tests.rows import make_ring

Asked = dict[int, dict[date, int]]
"""Days taken, by number of the request."""

MONDAY = date(2026, 11, 2)
YEAR_END = date(2026, 12, 31)


def ask(
    first: date = MONDAY, last: date | None = None, *, kind: str = "tahunan", half: str = "full", **more: object
) -> LeaveAsk:
    return LeaveAsk(kind, first, last or first, Portion(half), **more)  # type: ignore[arg-type]


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def sealing(ring: KeyRing) -> Letters:
    return Letters(SimpleNamespace(ring=lambda: ring), lambda: None)  # type: ignore[arg-type]


@pytest.fixture
def firm(database: Database, siti: Employee, ring: KeyRing) -> WorkingTime:
    """One approval is enough, and Siti has three days."""
    working = WorkingTime(database, letters=sealing(ring)).one_step()
    working.leave.grant("E001", "tahunan", 6, expires=YEAR_END)
    return working


@pytest.fixture
def here(sqlite: Database, ring: KeyRing) -> WorkingTime:
    """The same on SQLite alone, for what does not depend on the kind of database."""
    with sqlite.write() as session:
        employee_rows.add(session, code="E001", name="Siti Rahma")
    working = WorkingTime(sqlite, letters=sealing(ring)).one_step()
    working.leave.grant("E001", "tahunan", 6, expires=YEAR_END)
    return working


def left(firm: WorkingTime, code: str = "E001") -> int:
    """Half days, which are the sum of the ledger."""
    balances = firm.leave.balances(code)
    for each in balances:
        assert each.half_days == total(each.entries)
    return balances[0].half_days if balances else 0


def test_a_request_counts_working_days_and_takes_them_when_it_is_approved(firm: WorkingTime, siti: Employee) -> None:
    """From Friday to Monday two days; before the approval none."""
    request = firm.leave.request("e001", ask(day(4), day(7), note="family"))
    assert (request.half_days, request.state, left(firm)) == (4, RequestState.REQUESTED, 6)
    approved = firm.leave.approve(request.id)
    assert (approved.state, left(firm)) == (RequestState.APPROVED, 2)
    assert [step.decision for step in approved.steps] == ["approve"]
    with firm.database.read() as session:
        covered = firm.leave.leave_in_session(session, [siti.id], day(0), day(13))
        entry = audit_rows.find(session, action="leave.approve")[0]
    assert sorted(on for _, on in covered) == [day(4), day(7)]
    (found,) = covered[siti.id, day(4)]
    assert (found.kind, found.status, found.portion) == ("tahunan", DayStatus.LEAVE, Portion.FULL)
    assert (entry.subject, entry.details["days"], entry.details["request"]) == ("E001", "2", str(request.id))


def test_more_than_is_left_is_refused_when_it_is_asked(here: WorkingTime) -> None:
    """Four days of three."""
    with pytest.raises(ConflictError, match="asked for: 4; left on these days: 3"):
        here.leave.request("E001", ask(day(0), day(3)))
    assert here.leave.requests() == ()


def test_the_fourth_of_four_requests_is_refused_when_it_is_approved(firm: WorkingTime) -> None:
    """Case 15: all four could be asked for, as none of them had taken a day."""
    requests = [firm.leave.request("E001", ask(day(n))) for n in range(4)]
    for request in requests[:3]:
        firm.leave.approve(request.id)
    with pytest.raises(ConflictError, match="left on these days: 0"):
        firm.leave.approve(requests[3].id)
    assert (left(firm), firm.leave.get(requests[3].id).state) == (0, RequestState.REQUESTED)


def test_what_is_taken_back_is_given_back_also_below_zero(firm: WorkingTime) -> None:
    """A negative balance keeps nobody from withdrawing; nothing else is possible then."""
    request = firm.leave.request("E001", ask(day(0), day(2)))
    firm.leave.approve(request.id)
    firm.leave.adjust("E001", "tahunan", -4, reason="counted wrong")
    assert left(firm) == -4
    with pytest.raises(ConflictError):
        firm.leave.request("E001", ask(day(3), half="morning"))
    withdrawn = firm.leave.withdraw(request.id, reason="ill")
    assert (withdrawn.state, left(firm)) == (RequestState.WITHDRAWN, 2)
    with pytest.raises(ConflictError, match="withdrawn"):
        firm.leave.withdraw(request.id)
    with pytest.raises(ConflictError, match="withdrawn"):
        firm.leave.approve(request.id)


@pytest.mark.parametrize("same", [True, False])
def test_eight_approvals_of_the_last_day_at_once_approve_one(firm: WorkingTime, same: bool) -> None:
    """Of eight requests for a day each with one left, or of one request eight times."""
    firm.leave.adjust("E001", "tahunan", -4, reason="one day is left")
    requests = [firm.leave.request("E001", ask(day(n + n // 5 * 2))).id for n in range(1 if same else 8)]
    ids = requests * 8 if same else requests

    def approve(request_id: int) -> bool:
        try:
            firm.leave.approve(request_id)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(approve, ids)) == [False] * 7 + [True]
    assert left(firm) == 0


def test_eight_first_approvals_of_the_last_day_hold_it_for_one(firm: WorkingTime) -> None:
    """Where two approvals are needed, the first one holds the days; nobody else gets them."""
    firm.policies.set("leave_steps", "2", valid_from=MONDAY)
    firm.leave.adjust("E001", "tahunan", -4, reason="one day is left")
    one, other = (firm.leave.request("E001", ask(day(n))) for n in range(2))
    with as_user("head"):
        held = firm.leave.approve(one.id)
        assert (held.state, held.steps_done, held.steps_wanted) == (RequestState.REQUESTED, 1, 2)
        (balance,) = firm.leave.balances("E001")
        assert (balance.half_days, balance.held, balance.free) == (2, 2, 0)
        with pytest.raises(ConflictError):
            firm.leave.approve(other.id)
        with pytest.raises(DeniedError, match="somebody else's"):
            firm.leave.approve(one.id)
    with as_user("hr"):
        assert firm.leave.approve(one.id).state is RequestState.APPROVED
    assert left(firm) == 0


def test_approvals_can_be_delegated_for_some_days(here: WorkingTime) -> None:
    """In the name of whoever delegated; that is not a second person for the next step."""
    here.policies.set("leave_steps", "2", valid_from=MONDAY)
    request = here.leave.request("E001", ask(day(1)))
    with as_user("deputy"), pytest.raises(DeniedError, match="not delegated"):
        here.leave.approve(request.id, in_place_of="head")
    with as_user("head"):
        here.leave.delegate("deputy", MONDAY, day(6))
    with as_user("deputy"):
        here.leave.approve(request.id, in_place_of="head")
        with pytest.raises(DeniedError):
            here.leave.approve(request.id)
    with as_user("head"), pytest.raises(DeniedError):
        here.leave.approve(request.id)
    here.today = day(7)
    with as_user("deputy"), pytest.raises(DeniedError, match="for today"):
        here.leave.approve(request.id, in_place_of="head")
    with as_user("hr"):
        done = here.leave.approve(request.id)
    assert [(step.actor, step.in_place_of) for step in done.steps] == [("deputy", "head"), ("hr", "")]


def test_half_days_are_taken_by_half_and_two_make_a_whole(firm: WorkingTime, siti: Employee) -> None:
    """Morning and afternoon of one day stand together; the same half twice does not."""
    for half in ("morning", "afternoon"):
        firm.leave.approve(firm.leave.request("E001", ask(day(1), half=half)).id)
    for half in ("morning", "full"):
        with pytest.raises(ConflictError, match="already"):
            firm.leave.request("E001", ask(day(1), half=half))
    assert left(firm) == 4
    with firm.database.read() as session:
        found = firm.leave.leave_in_session(session, None, day(1), day(1))[siti.id, day(1)]
    assert [each.portion for each in found] == [Portion.MORNING, Portion.AFTERNOON]


def test_a_holiday_added_after_the_approval_gives_the_day_back(firm: WorkingTime, siti: Employee) -> None:
    """Case 13; and a holiday that goes takes it again, also below zero. A second count changes nothing."""
    request = firm.leave.request("E001", ask(day(0), day(2)))
    firm.leave.approve(request.id)
    firm.calendar.holidays.add(day(1))
    (changed,) = firm.leave.recount(MONDAY, day(6))
    assert (changed.given_back, changed.request.half_days, left(firm)) == (2, 4, 2)
    assert firm.leave.recount(MONDAY, day(6)) == ()
    with firm.database.read() as session:
        assert (siti.id, day(1)) not in firm.leave.leave_in_session(session, [siti.id], day(0), day(6))
    firm.leave.adjust("E001", "tahunan", -2, reason="test")
    firm.calendar.holidays.clear()
    assert [each.given_back for each in firm.leave.recount(MONDAY, day(6))] == [-2]
    assert left(firm) == -2
    assert firm.leave.withdraw(request.id).state is RequestState.WITHDRAWN
    assert left(firm) == 4


def test_a_holiday_added_before_the_approval_is_not_taken(here: WorkingTime) -> None:
    """The days are counted again when it is approved."""
    request = here.leave.request("E001", ask(day(0), day(2)))
    here.calendar.holidays.add(day(1))
    assert here.leave.approve(request.id).half_days == 4
    assert left(here) == 2


@pytest.mark.parametrize(("taken", "expires"), [(0, 10), (8, 2), (10, 0), (12, 0)])
def test_days_carried_over_expire_but_for_those_taken(here: WorkingTime, taken: int, expires: int) -> None:
    """Case 14, through the whole book: expiring on 31 March, looked at on 1 April."""
    here.today = date(2026, 1, 5)
    with here.database.write() as session:
        employee_rows.add(session, code="E002", name="Contoh Dua")
    here.leave.grant("E002", "tahunan", 20, expires=date(2026, 3, 31), carried=True)
    here.leave.grant("E002", "tahunan", 24, expires=YEAR_END)
    if taken:
        last = date(2026, 2, 2) + timedelta(days=taken + taken // 5 * 2 - 1)
        here.leave.add("E002", ask(date(2026, 2, 2), last))
    here.today = date(2026, 3, 31)
    assert left(here, "E002") == 44 - 2 * taken
    here.today = date(2026, 4, 1)
    assert left(here, "E002") == 44 - 2 * taken - 2 * expires
    entries = here.leave.balances("E002")[0].entries
    assert sum(-each.half_days for each in entries if each.entry is Entry.EXPIRE) == 2 * expires
    assert here.leave.expire() == ()


def test_at_the_end_of_a_year_some_days_are_carried_over(firm: WorkingTime) -> None:
    """At most so many, until a date, once, and whether or not the expiry was posted before."""

    def carry(year: int) -> int:
        end = date(year, 12, 31)
        return firm.leave.carry_over("E001", "tahunan", year_end=end, most=4, expires=date(year + 1, 3, 31)).half_days

    with pytest.raises(ConflictError, match="year ends"):
        carry(2026)
    firm.today = date(2027, 1, 4)
    assert left(firm) == 0
    assert carry(2026) == 4
    with pytest.raises(ConflictError, match="already"):
        carry(2026)
    assert [each.entry for each in firm.leave.balances("E001")[0].entries] == [Entry.GRANT, Entry.EXPIRE, Entry.CARRY]
    firm.today = date(2027, 4, 1)
    assert firm.leave.expire() == (("E001", "tahunan", 4),)
    firm.today = date(2028, 1, 3)
    assert (carry(2027), left(firm)) == (0, 0)


def test_joint_leave_is_taken_from_the_annual_one_only_by_who_takes_it(here: WorkingTime) -> None:
    """For a department at once; who lacks the day is told, and keeps nobody else from it."""
    with here.database.write() as session:
        for number in (2, 3):
            employee_rows.add(session, code=f"E00{number}", name=f"Contoh {number}")
    here.leave.grant("E002", "tahunan", 2, expires=YEAR_END)
    here.org.people.update({row_id: Standing(department_id=1) for row_id in (1, 2, 3)})
    done = here.leave.add_for_department("GUDANG", ask(date(2026, 12, 24), kind="cuti-bersama"))
    assert [each.code for each in done.added] == ["E001", "E002"]
    assert [(code, error.code) for code, _name, error in done.refused] == [("E003", "conflict")]
    assert (left(here), left(here, "E002"), left(here, "E003")) == (4, 0, 0)
    with pytest.raises(NotFoundError):
        here.leave.add_for_department("NOWHERE", ask(kind="cuti-bersama"))


@pytest.mark.parametrize(("kind", "days"), [("menikah", 3), ("keluarga-meninggal", 2), ("serumah-meninggal", 1)])
def test_the_laws_kinds_have_their_days(here: WorkingTime, kind: str, days: int) -> None:
    """No balance is needed, and no day more is taken."""
    here.leave.add("E001", ask(day(0), day(days - 1), kind=kind))
    with pytest.raises(ConflictError, match="at most"):
        here.leave.add("E001", ask(day(7), day(7 + days), kind=kind))
    assert left(here) == 6
    with pytest.raises(InvalidInputError, match="No balance"):
        here.leave.grant("E001", kind, 2, expires=None)


def test_maternity_leave_counts_every_day_and_is_longer_with_a_letter(firm: WorkingTime) -> None:
    """Days off inside it count; the letter is sealed, opens for its person only, and reading it is told."""
    last = MONDAY + timedelta(days=120)
    with pytest.raises(ConflictError, match="at most 92 days") as refused:
        firm.leave.add("E001", ask(MONDAY, last, kind="melahirkan"))
    assert "--attach" in refused.value.hint
    letter = Letter("surat dokter.pdf", b"%PDF-1.4 sample")
    added = firm.leave.add("E001", ask(MONDAY, last, kind="melahirkan", letter=letter))
    assert (added.half_days, added.letters) == (242, ("surat dokter.pdf",))
    assert firm.leave.open_letters(added.id) == (letter,)
    with firm.database.read() as session:
        assert b"sample" not in session.get_one(LeaveAttachmentRow, 1).content
        assert audit_rows.latest(session, 1)[0].action == "leave.read_letter"
    with firm.database.write() as session:
        session.get_one(LeaveAttachmentRow, 1).digest = "0" * 64
    with pytest.raises(SealBrokenError):
        firm.leave.open_letters(added.id)


def test_a_letter_opens_after_the_key_was_changed(here: WorkingTime) -> None:
    """Changing the key seals attachments anew, so that the old key can be forgotten."""
    letter = Letter("a.pdf", b"%PDF-1.4 sample")
    added = here.leave.add("E001", ask(day(1), kind="sakit", letter=letter))
    both = make_ring(2, 1)
    assert resealing_rows.reseal(here.database, both) == 1
    with here.database.read() as session:
        assert resealing_rows.key_ids(session) == {both.active}
        assert resealing_rows.count_not_sealed_with(session, both.active) == 0
    here.leave._letters = sealing(make_ring(2))
    assert here.leave.open_letters(added.id) == (letter,)


@pytest.mark.parametrize(("name", "content"), [("a.exe", b"MZ"), ("a.pdf", b"MZ"), ("a.png", b"\x89PNG")])
def test_an_attachment_is_a_pdf_or_a_picture(here: WorkingTime, name: str, content: bytes) -> None:
    """By its name and by how it begins."""
    with pytest.raises(InvalidInputError, match="attached"):
        here.leave.request("E001", ask(kind="sakit", letter=Letter(name, content)))


def test_duty_and_work_from_home_are_kinds_that_count_as_work(here: WorkingTime) -> None:
    """In half days, too."""
    here.leave.add("E001", ask(day(0), kind="dinas-luar", half="morning"))
    here.leave.add("E001", ask(day(1), kind="wfh"))
    with here.database.read() as session:
        found = here.leave.leave_in_session(session, [1], day(0), day(1))
    assert {each.status for days in found.values() for each in days} == {DayStatus.DUTY}
    assert all(each.counts_as_work for days in found.values() for each in days)


def test_a_firm_adds_kinds_of_its_own(here: WorkingTime) -> None:
    """With a balance or without; the law's stay as they are."""
    own = LeaveKind("Ulang-Tahun", "Hari ulang tahun", DayStatus.LEAVE, account="ulang-tahun")
    assert here.leave.put_kind(own).code == "ulang-tahun"
    here.leave.grant("E001", "ulang-tahun", 2, expires=None)
    here.leave.add("E001", ask(day(1), kind="ulang-tahun"))
    assert [(each.account, each.half_days) for each in here.leave.balances("E001")] == [
        ("tahunan", 6), ("ulang-tahun", 0),
    ]  # fmt: skip
    with pytest.raises(ConflictError, match="law"):
        here.leave.put_kind(LeaveKind("sakit", "Sakit", DayStatus.SICK))
    with pytest.raises(InvalidInputError):
        here.leave.put_kind(LeaveKind("x", "X", DayStatus.LATE))
    here.leave.put_kind(LeaveKind("ulang-tahun", "Hari ulang tahun", DayStatus.LEAVE, is_active=False))
    with pytest.raises(NotFoundError):
        here.leave.request("E001", ask(day(2), kind="ulang-tahun"))


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (ask(day(5), day(6)), InvalidInputError),
        (ask(day(2), day(1)), InvalidInputError),
        (ask(day(0), day(400)), InvalidInputError),
        (ask(kind="libur"), NotFoundError),
    ],
)
def test_what_cannot_be_asked_for(here: WorkingTime, wanted: LeaveAsk, error: type[SmartAbsenError]) -> None:
    """A weekend, a period out of order or too long, an unknown kind."""
    with pytest.raises(error):
        here.leave.request("E001", wanted)


def test_a_firm_may_ask_for_notice_and_for_few_days_in_a_row(here: WorkingTime) -> None:
    """HR can enter it all the same."""
    here.leave.grant("E001", "tahunan", 20, expires=YEAR_END)
    here.policies.set("leave_notice", "7", valid_from=MONDAY)
    here.policies.set("leave_in_a_row", "6", valid_from=MONDAY)
    with pytest.raises(ConflictError, match="7 days ahead"):
        here.leave.request("E001", ask(day(3)))
    with pytest.raises(ConflictError, match="At most 6 days"):
        here.leave.request("E001", ask(day(7), day(15)))
    assert here.leave.request("E001", ask(day(7), day(14))).half_days == 12
    assert here.leave.request("E001", ask(day(3), kind="sakit")).half_days == 2
    assert here.leave.add("E001", ask(day(1))).state is RequestState.APPROVED


def test_a_request_that_is_refused_takes_nothing(here: WorkingTime) -> None:
    """And cannot be approved any more."""
    request = here.leave.request("E001", ask(day(1)))
    assert here.leave.reject(request.id, reason="stocktaking").steps[0].reason == "stocktaking"
    with pytest.raises(ConflictError, match="rejected"):
        here.leave.approve(request.id)
    assert left(here) == 6
    with pytest.raises(NotFoundError):
        here.leave.approve(99)


def test_an_erasure_reaches_leave_with_all_that_hangs_on_it(firm: WorkingTime, siti: Employee) -> None:
    """Requests, days, steps, letters and the ledger."""
    letter = Letter("a.pdf", b"%PDF-1.4 sample")
    firm.leave.approve(firm.leave.request("E001", ask(day(1), note="private", letter=letter)).id)
    tombstone = Tombstone(siti.id, siti.created_at, "all", "pseudonymise", firm.database.now(), "root")
    gone = firm.database.run_write(lambda session: erasure_rows.erase_rows(session, tombstone))
    tables = ("leave_requests", "leave_days", "leave_steps", "leave_attachments", "leave_ledger")
    assert {name: gone.get(name) for name in tables} == dict.fromkeys(tables, 1) | {"leave_ledger": 2}
    assert firm.leave.requests() == ()


def test_in_a_thousand_random_histories_the_balance_is_the_sum_of_the_ledger(here: WorkingTime) -> None:
    """After every step, against a balance that is kept by hand; and it is below zero by adjustments alone."""
    dice = random.Random(1_000)

    def history(work: Work, number: int) -> None:
        person = employee_rows.add(work.session, code=f"H{number}", name="Contoh")
        expected, adjusted, requests = 0, 0, {}
        for _ in range(6):
            step = dice.choice(["grant", "request", "request", "approve", "approve", "withdraw", "adjust", "recount"])
            try:
                expected += STEPS[step](here, work, person.code, requests, dice)
            except (ConflictError, InvalidInputError):
                pass
            else:
                adjusted = min(adjusted, expected) if step in ("adjust", "recount") else adjusted
            entries = book_rows.ledger(work.session, person.id, "tahunan")
            taken = sum(sum(days.values()) for days in requests.values() if days)
            assert total(entries) == expected
            assert -total(each for each in entries if each.entry is Entry.TAKE) == taken
            assert expected >= adjusted or step == "withdraw"

    def all_of_them(work: Work) -> None:
        for number in range(1_000):
            history(work, number)

    here.units.write(all_of_them)


def _grant(firm: WorkingTime, work: Work, code: str, requests: Asked, dice: random.Random) -> int:
    halves = dice.randint(1, 8)
    firm.leave.give_in(work, code, "tahunan", halves, entry=Entry.GRANT, expires=None, note="")
    return halves


def _adjust(firm: WorkingTime, work: Work, code: str, requests: Asked, dice: random.Random) -> int:
    halves = dice.choice([-3, -1, 2])
    firm.leave.give_in(work, code, "tahunan", halves, entry=Entry.ADJUST, expires=None, note="")
    return halves


def _request(firm: WorkingTime, work: Work, code: str, requests: Asked, dice: random.Random) -> int:
    first = MONDAY + timedelta(days=dice.randrange(30))
    wanted = ask(first, first + timedelta(days=dice.randrange(3)), half=dice.choice(["full", "full", "morning"]))
    requests[firm.leave.request_in(work, code, wanted).id] = {}
    return 0


def _approve(firm: WorkingTime, work: Work, code: str, requests: Asked, dice: random.Random) -> int:
    if not requests:
        return 0
    request_id = dice.choice(list(requests))
    done = firm.leave.approve_in(work, request_id)
    halves = 1 if done.portion is Portion.MORNING else 2
    days = (done.first + timedelta(days=number) for number in range((done.last - done.first).days + 1))
    requests[request_id] = {each: halves for each in days if each.weekday() < 5}
    return -sum(requests[request_id].values())


def _withdraw(firm: WorkingTime, work: Work, code: str, requests: Asked, dice: random.Random) -> int:
    if not requests:
        return 0
    request_id = dice.choice(list(requests))
    firm.leave.withdraw_in(work, request_id)
    return sum(requests.pop(request_id).values())


def _recount(firm: WorkingTime, work: Work, code: str, requests: Asked, dice: random.Random) -> int:
    taken = {request_id: days for request_id, days in requests.items() if days}
    if not taken:
        return 0
    request_id = dice.choice(list(taken))
    holiday = dice.choice(list(taken[request_id]))
    firm.calendar.holidays.add(holiday)
    try:
        firm.leave.recount_in(work, request_id)
    finally:
        firm.calendar.holidays.clear()
    return requests[request_id].pop(holiday)


STEPS: dict[str, Callable[[WorkingTime, Work, str, Asked, random.Random], int]] = {
    "grant": _grant,
    "adjust": _adjust,
    "request": _request,
    "approve": _approve,
    "withdraw": _withdraw,
    "recount": _recount,
}

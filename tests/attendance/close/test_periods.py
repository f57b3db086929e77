"""Closing a month: what is frozen stays, what changes later is an adjustment of the next, and edits are named."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, text

from smartabsen.attendance import punch_rows
from smartabsen.attendance.close.exports import PeriodExports
from smartabsen.attendance.close.model import Month, PeriodFile, ProblemKind
from smartabsen.attendance.close.profiles import NAMES, find_profile
from smartabsen.attendance.close.rows import closed_days
from smartabsen.attendance.close.service import Periods
from smartabsen.attendance.close.vault import PeriodVault
from smartabsen.attendance.policy.service import Policies
from smartabsen.attendance.results.model import DaySources
from smartabsen.attendance.results.service import Results
from smartabsen.attendance.rules.model import DayKind, LeaveOnDay, PlannedDay, Shift
from smartabsen.attendance.standing import OneSite
from smartabsen.kernel.actors import acting_as
from smartabsen.kernel.domain import Employee, Punch, PunchMethod, Status
from smartabsen.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from smartabsen.kernel.i18n import use_language
from smartabsen.people.employment.model import BEGINNING, DatedWage, Wage
from smartabsen.privacy import erasure_rows, resealing_rows
from smartabsen.store.database import Database, Session
from smartabsen.store.tables import Karyawan
from smartabsen.trust.keys import KeyChain
from smartabsen.trust.vault import ensure_key
from smartabsen.trust.work import Units

from ..days import OFFICE, TERMS, annual, order, plan

OCTOBER, NOVEMBER = Month(2026, 10), Month(2026, 11)
MONDAY = date(2026, 10, 5)
Attempt = Callable[..., Punch]


@dataclass
class Firm:
    """A firm whose facts change between two looks."""

    database: Database
    folder: Path
    siti: Employee
    attempt: Attempt
    shifts: dict[date, Shift] = field(default_factory=dict)
    holidays: set[date] = field(default_factory=set)
    leave: dict[date, LeaveOnDay] = field(default_factory=dict)
    ordered: dict[date, int] = field(default_factory=dict)
    punched: dict[str, Punch] = field(default_factory=dict)
    today: date = date(2026, 12, 20)

    def __post_init__(self) -> None:
        chain = KeyChain("", self.folder / "keys", writable=True)
        vault = PeriodVault(chain, partial(ensure_key, chain, self.database))
        units = Units(self.database)
        self.chain = chain
        self.results = Results(units, self._sources(), lambda: datetime(2026, 12, 20, 3, tzinfo=UTC))
        wage = (DatedWage(BEGINNING, Wage(basic=5_000_000)),)
        self.periods = Periods(
            units,
            self.results,
            Policies(units, OneSite()),
            vault,
            today=lambda: self.today,
            leave=lambda _session, _first, _last: {},
            wages=lambda _session, ids: dict.fromkeys(ids or (), wage),
        )
        self.exports = PeriodExports(units, vault)

    def _sources(self) -> DaySources:
        def look(find: Callable[[date], object]) -> Callable[..., Callable[[int, date], object]]:
            def load(
                _session: Session, _ids: Collection[int], _first: date, _last: date
            ) -> Callable[[int, date], object]:
                return lambda _employee_id, day: find(day)

            return load

        return DaySources(
            plans=look(self._plan),  # type: ignore[arg-type]
            terms=look(lambda _day: TERMS),  # type: ignore[arg-type]
            leave=look(lambda day: (self.leave[day],) if day in self.leave else ()),  # type: ignore[arg-type]
            orders=look(lambda day: (order(self.ordered[day]),) if day in self.ordered else ()),  # type: ignore[arg-type]
            closed=closed_days,
        )

    def _plan(self, day: date) -> PlannedDay:
        if day in self.holidays:
            return plan(day, None, kind=DayKind.HOLIDAY, holiday="Libur daerah", usual_shift=OFFICE)
        return plan(day, self.shifts.get(day, OFFICE) if day.weekday() < 5 else None)

    def punch(self, wall: str, **more: object) -> Punch:
        with self.database.write() as session:
            made = replace(self.attempt(self.siti.id, wall), **more)  # type: ignore[arg-type]
            self.punched[wall] = punch_rows.insert(session, made, Status.PRESENT)
        return self.punched[wall]

    def work_through(self, month: Month) -> None:
        """Let Siti come every working day, and stay two ordered hours on the first Monday."""
        for number in range(month.first.toordinal(), month.last.toordinal() + 1):
            day = date.fromordinal(number)
            if day.weekday() < 5:
                self.punch(f"{day} 07:55")
                self.punch(f"{day} 17:00" if day != MONDAY else f"{day} 19:00")
        self.ordered[MONDAY] = 120

    def export(self, month: Month, profile: str = "days") -> PeriodFile:
        return self.exports.export(month, find_profile(profile))

    def rows(self, month: Month, profile: str = "days") -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.export(month, profile).content.decode())))

    def change(self, statement: str, **values: object) -> None:
        with self.database.write() as session:
            session.execute(text(statement), values)


@pytest.fixture
def firm(database: Database, siti: Employee, attempt: Attempt, tmp_path: Path) -> Firm:
    """October, worked through."""
    made = Firm(database, tmp_path, siti, attempt)
    made.work_through(OCTOBER)
    return made


@contextmanager
def later(firm: Firm) -> Iterator[dict[str, bytes]]:
    """Give every export of October, and see that none of them changed within the block."""
    before = {name: firm.export(OCTOBER, name).content for name in NAMES}
    yield before
    assert {name: firm.export(OCTOBER, name).content for name in NAMES} == before
    assert firm.periods.check(OCTOBER).problems == ()


def test_what_comes_after_the_closing_changes_nothing_in_its_exports_and_is_adjusted_in_the_next(firm: Firm) -> None:
    """A correction, a roster change, a holiday and a leave, in another language, on both kinds of database."""
    closed = firm.periods.close(OCTOBER)
    assert (closed.month, len(closed.hash)) == (OCTOBER, 64)
    firm.work_through(NOVEMBER)
    with later(firm), use_language("id"):
        wrong = firm.punched["2026-10-06 07:55"]
        firm.punch("2026-10-06 09:30", method=PunchMethod.CORRECTION, supersedes=wrong.id, key="c1")
        firm.shifts[date(2026, 10, 7)] = replace(OFFICE, code="SIANG", name="Siang")
        firm.holidays.add(date(2026, 10, 8))
        firm.leave[date(2026, 10, 9)] = annual()
        again = firm.results.recompute(OCTOBER.first, OCTOBER.last)
        assert (again.changed, again.closed) == (0, 4)
        found = firm.periods.check(NOVEMBER)
        assert [each.work_date.day for each in found.adjustments] == [6, 7, 8, 9]
        firm.periods.close(NOVEMBER)
    adjusted = [row for row in firm.rows(NOVEMBER) if row["row"] == "adjustment"]
    assert [(row["month"], row["date"], row["status"], row["day_kind"]) for row in adjusted] == [
        ("2026-10", "2026-10-06", "Terlambat", "workday"),
        ("2026-10", "2026-10-07", "Hadir", "workday"),
        ("2026-10", "2026-10-08", "Hadir", "holiday"),
        ("2026-10", "2026-10-09", "Cuti", "workday"),
    ]
    assert (adjusted[0]["late_minutes"], adjusted[0]["worked_minutes"]) == ("90", "-90")
    assert firm.periods.verify() == ()


def test_a_correction_is_the_difference_and_is_paid_once(firm: Firm) -> None:
    """The order for overtime is halved after the closing: minus one hour, 2x, in November; nothing in December."""
    firm.periods.close(OCTOBER)
    firm.work_through(NOVEMBER)
    firm.ordered[MONDAY] = 60
    firm.periods.close(NOVEMBER)
    (row,) = (each for each in firm.rows(NOVEMBER) if each["row"] == "adjustment")
    assert (row["overtime_approved_minutes"], row["amount"]) == ("-60", "-57803")
    (total,) = firm.rows(NOVEMBER, "csv")
    assert (total["adjustments"], total["adjustment_overtime_approved_minutes"]) == ("1", "-60")
    firm.today = date(2027, 1, 20)
    assert firm.periods.check(Month(2026, 12)).adjustments == ()
    firm.ordered[MONDAY] = 120
    (back,) = firm.periods.check(Month(2026, 12)).adjustments
    assert back.minutes == {"overtime_approved": 60}


def test_the_totals_have_overtime_by_tier_and_its_money_rounded_once(firm: Firm) -> None:
    """Two hours on a work day for 5,000,000 a month: 1.5 + 2 units."""
    firm.periods.close(OCTOBER)
    (row,) = firm.rows(OCTOBER, "csv")
    assert (row["days_present"], row["days_off"], row["overtime_1_5_minutes"], row["overtime_2_minutes"]) == (
        "22",
        "9",
        "60",
        "60",
    )
    assert (row["overtime_units"], row["overtime_amount"]) == ("3.5", "101156")


def test_critical_exceptions_keep_a_month_open(firm: Firm) -> None:
    """A forgotten departure: named by the check; with the departure the month closes."""
    firm.periods.close(OCTOBER)
    firm.punch("2026-11-02 07:55")
    found = firm.periods.check(NOVEMBER)
    assert not found.can_close
    assert [(each.code, each.exception.work_date) for each in found.blocking] == [("E001", date(2026, 11, 2))]
    with pytest.raises(ConflictError):
        firm.periods.close(NOVEMBER)
    firm.punch("2026-11-02 17:00")
    firm.periods.close(NOVEMBER)


def test_a_month_that_is_not_over_or_closed_already_is_not_closed(firm: Firm) -> None:
    """Both are told."""
    firm.today = date(2026, 10, 31)
    with pytest.raises(ConflictError, match="not over"):
        firm.periods.close(OCTOBER)
    firm.today = date(2026, 11, 1)
    firm.periods.close(OCTOBER)
    with pytest.raises(ConflictError, match="already"):
        firm.periods.close(OCTOBER)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE absensi SET menit_terlambat = 7 WHERE tanggal = '2026-10-05'", ProblemKind.RESULT),
        ("UPDATE absensi SET status = 'Alpa' WHERE tanggal = '2026-10-05'", ProblemKind.RESULT),
        ("UPDATE absensi SET ruleset = 'id-1999' WHERE tanggal = '2026-10-05'", ProblemKind.RESULT),
        ("DELETE FROM absensi WHERE tanggal = '2026-10-05'", ProblemKind.RESULT),
        ("UPDATE periods SET rulesets = '[\"id-1999\"]'", ProblemKind.RULESET),
        ("UPDATE periods SET hash = 'ab'", ProblemKind.HASH),
        ("UPDATE periods SET summary = REPLACE(summary, 'days', 'dayz')", ProblemKind.HASH),
        ("UPDATE period_parts SET digest = 'ab' WHERE karyawan_id IS NOT NULL", ProblemKind.PART),
        ("DELETE FROM period_parts WHERE karyawan_id IS NOT NULL", ProblemKind.PART),
        ("UPDATE period_parts SET content = 'ab' WHERE karyawan_id IS NULL", ProblemKind.EXPORT),
        ("UPDATE period_parts SET digest = 'ab' WHERE karyawan_id IS NULL", ProblemKind.EXPORT),
    ],
)
def test_what_was_edited_by_sql_is_named(firm: Firm, statement: str, kind: ProblemKind) -> None:
    """By the check of the period and by the check of all."""
    firm.periods.close(OCTOBER)
    firm.export(OCTOBER)
    assert firm.periods.verify() == ()
    firm.change(statement)
    found = firm.periods.check(OCTOBER).problems
    assert kind in {each.kind for each in found}
    assert firm.periods.verify() == found
    if kind is ProblemKind.RESULT:
        assert [(each.code, each.work_date) for each in found] == [("E001", MONDAY)]


def test_to_open_a_month_again_needs_a_reason_and_two_people(firm: Firm) -> None:
    """Who asked does not confirm; a month before another closed one stays closed."""
    firm.periods.close(OCTOBER)
    with pytest.raises(InvalidInputError):
        firm.periods.ask_to_reopen(OCTOBER, reason=" ")
    with acting_as("ratna"):
        wish = firm.periods.ask_to_reopen(OCTOBER, reason="Lembur tercatat dobel")
        with pytest.raises(ConflictError, match="another person"):
            firm.periods.reopen(wish.id)
    firm.leave[date(2026, 10, 9)] = annual()
    with acting_as("budi"):
        assert firm.periods.reopen(wish.id, month=OCTOBER).confirmed_by == "budi"
        with pytest.raises((ConflictError, NotFoundError)):
            firm.periods.reopen(wish.id)
    stored = firm.results.find(firm.siti.id, date(2026, 10, 9))
    assert stored is not None
    assert stored.result.status == "Cuti"
    firm.periods.close(OCTOBER)
    firm.work_through(NOVEMBER)
    firm.periods.close(NOVEMBER)
    with pytest.raises(ConflictError, match="2026-11"):
        firm.periods.ask_to_reopen(OCTOBER, reason="x")


def test_a_new_key_leaves_exports_as_they_are(firm: Firm) -> None:
    """What is frozen is sealed with the new key, and says the same."""
    firm.periods.close(OCTOBER)
    with later(firm):
        ring = firm.chain.add_key()
        resealing_rows.reseal(firm.database, ring)
        with firm.database.read() as session:
            assert resealing_rows.count_not_sealed_with(session, ring.active) == 0


def test_an_erased_person_is_gone_from_what_was_frozen_and_from_exports(firm: Firm) -> None:
    """Nothing is named as missing, and the next export is written without them."""
    firm.periods.close(OCTOBER)
    assert "E001" in firm.export(OCTOBER).content.decode()
    with firm.database.write() as session:
        made_at = session.scalar(select(Karyawan.created_at).where(Karyawan.id == firm.siti.id))
        assert made_at is not None
        tombstone = erasure_rows.Tombstone(
            firm.siti.id, made_at, "all", "pseudonymise", made_at, "hr", person=firm.siti.uuid
        )
        erasure_rows.erase_rows(session, tombstone)
    assert firm.periods.verify() == ()
    assert firm.rows(OCTOBER) == []

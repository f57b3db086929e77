"""Results of days by revision: judged again for a range, with what was before kept, on both kinds of database."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text

from smartabsen.attendance import punch_rows
from smartabsen.attendance.results.model import DaySources, Source
from smartabsen.attendance.results.service import Results
from smartabsen.attendance.rules.model import DayStatus, LeaveOnDay, Minutes, PlannedDay, Terms
from smartabsen.kernel.domain import Employee, Punch, PunchMethod, Status
from smartabsen.people import employee_rows
from smartabsen.privacy import erasure_rows
from smartabsen.store.database import Database, Session
from smartabsen.store.tables import Absensi, DayRevisionRow
from smartabsen.trust import audit_rows
from smartabsen.trust.work import Units

from ..days import OFFICE, TERMS, annual, order, plan

FIRST, LAST = date(2026, 11, 2), date(2026, 11, 8)
"""Monday to Sunday."""
NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
Attempt = Callable[..., Punch]


class Firm:
    """What is planned and decided, to be changed between two runs."""

    def __init__(self) -> None:
        self.shift = OFFICE
        self.leave: dict[date, LeaveOnDay] = {}
        self.ordered = 0
        self.left: date | None = None
        self.closed_until = date.min

    def plan(self, _employee_id: int, day: date) -> PlannedDay:
        return plan(day, self.shift if day.weekday() < 5 else None)

    def terms(self, _employee_id: int, day: date) -> Terms:
        return replace(TERMS, employed=self.left is None or day < self.left)

    def sources(self) -> DaySources:
        return DaySources(
            plans=source(self.plan),
            terms=source(self.terms),
            leave=source(lambda _id, day: (self.leave[day],) if day in self.leave else ()),
            orders=source(lambda _id, _day: (order(self.ordered),) if self.ordered else ()),
            closed=source(lambda _id, day: day <= self.closed_until),
        )


def source(find: Callable[[int, date], object]) -> Source[object]:
    """Return a source that looks nothing up."""

    def load(_session: Session, _people: Collection[int], _first: date, _last: date) -> Callable[[int, date], object]:
        return find

    return load


@pytest.fixture
def firm() -> Firm:
    """An office."""
    return Firm()


@pytest.fixture
def results(database: Database, firm: Firm) -> Results:
    """Results of that office, some days after the range."""
    return Results(Units(database), firm.sources(), lambda: NOW)


@pytest.fixture
def punch(database: Database, siti: Employee, attempt: Attempt) -> Callable[..., Punch]:
    """Stores punches of Siti."""

    def store(wall: str, **more: object) -> Punch:
        with database.write() as session:
            return punch_rows.insert(session, replace(attempt(siti.id, wall), **more), Status.PRESENT)  # type: ignore[arg-type]

    return store


def test_a_second_run_changes_nothing(
    results: Results, database: Database, siti: Employee, punch: Callable[..., Punch]
) -> None:
    """Each day of everybody gets one result; then none differs."""
    for wall in ("2026-11-02 07:55", "2026-11-02 17:00", "2026-11-03 08:20"):
        punch(wall)

    first, again = results.recompute(FIRST, LAST), results.recompute(FIRST, LAST)

    assert (first.judged, first.changed, again.judged, again.changed) == (7, 7, 7, 0)
    with database.read() as session:
        statuses = list(session.scalars(select(Absensi.status).order_by(Absensi.tanggal)))
        entries = [entry for entry in audit_rows.latest(session) if entry.action == "day.recompute"]
        assert session.scalars(select(DayRevisionRow.id)).all() == []
    assert statuses == ["Hadir", "Terlambat", "Alpa", "Alpa", "Alpa", "Libur", "Libur"]
    assert [dict(entry.details) for entry in entries] == [
        {"from": "2026-11-02", "to": "2026-11-08", "days": "7", "people": "1"}
    ]


def test_what_is_read_is_what_was_judged(results: Results, siti: Employee, punch: Callable[..., Punch]) -> None:
    """Minutes, reasons, ruleset and the suggestion survive the database."""
    punch("2026-11-03 08:20")
    (difference,) = results.recompute(FIRST + timedelta(days=1), FIRST + timedelta(days=1)).differences

    found = results.find(siti.id, FIRST + timedelta(days=1))

    assert found is not None
    assert found.result == difference.after
    assert (found.revision, found.result.ruleset, found.result.count(Minutes.LATE)) == (1, "id-2021", 20)
    assert found.result.suggested_out is not None


def test_a_dry_run_says_what_differs_and_writes_nothing(results: Results, siti: Employee) -> None:
    """The answer is that of the run that follows."""
    dry = results.recompute(FIRST, LAST, dry_run=True)
    assert results.find(siti.id, FIRST) is None
    assert results.recompute(FIRST, LAST) == dry


def test_an_older_result_is_kept_and_both_are_shown(results: Results, firm: Firm, siti: Employee) -> None:
    """Leave that was approved late: the day was Alpa, and is Cuti."""
    results.recompute(FIRST, LAST)
    firm.leave[FIRST] = annual()
    changed = results.recompute(FIRST, LAST)

    assert [(each.work_date, each.revision) for each in changed.differences] == [(FIRST, 2)]
    history = [(each.revision, each.result.status) for each in results.history(siti.id, FIRST)]
    assert history == [(1, DayStatus.ABSENT), (2, DayStatus.LEAVE)]


def test_a_changed_shift_shows_the_difference(
    results: Results, firm: Firm, punch: Callable[..., Punch], siti: Employee
) -> None:
    """The roster of past days is changed: judged again from the same punches."""
    punch("2026-11-02 08:30")
    punch("2026-11-02 17:00")
    results.recompute(FIRST, FIRST)
    firm.shift = replace(OFFICE, grace_in=45)
    (difference,) = results.recompute(FIRST, FIRST).differences
    assert difference.before is not None
    assert (difference.before.result.status, difference.after.status) == (DayStatus.LATE, DayStatus.PRESENT)


def test_a_closed_period_stays_as_it_is_and_the_difference_is_told(
    results: Results, firm: Firm, siti: Employee
) -> None:
    """It is an adjustment of the next one."""
    results.recompute(FIRST, LAST)
    firm.closed_until = FIRST
    firm.leave = {FIRST: annual(), FIRST + timedelta(days=1): annual()}

    found = results.recompute(FIRST, LAST)

    assert (found.changed, found.closed) == (1, 1)
    assert next((each.work_date, each.is_closed) for each in found.differences) == (FIRST, True)
    stored = results.find(siti.id, FIRST)
    assert stored is not None
    assert (stored.revision, stored.result.status) == (1, DayStatus.ABSENT)


def test_a_day_from_before_the_rules_is_revision_0_and_keeps_its_signature(
    results: Results, database: Database, siti: Employee
) -> None:
    """It is read, and kept when a result takes its place; its note stays with the day."""
    statement = text(
        "INSERT INTO absensi (karyawan_id, tanggal, status, menit_terlambat, menit_kerja, keterangan, signature)"
        " VALUES (:person, :day, 'Terlambat', 15, 500, 'hujan', 'k:s')"
    )
    with database.write() as session:
        session.execute(statement, {"person": siti.id, "day": FIRST})
    old = results.find(siti.id, FIRST)
    assert old is not None
    assert (old.revision, old.result.status, old.result.count(Minutes.LATE)) == (0, DayStatus.LATE, 15)

    results.recompute(FIRST, FIRST)

    assert [each.revision for each in results.history(siti.id, FIRST)] == [0, 1]
    assert [each.note for each in results.history(siti.id, FIRST)] == ["hujan", "hujan"]
    with database.read() as session:
        assert session.scalars(select(DayRevisionRow.signature)).all() == ["k:s"]


def test_corrections_and_voids_count(
    results: Results, database: Database, siti: Employee, punch: Callable[..., Punch]
) -> None:
    """A punch that was replaced does not count, even where the new one lies on another date."""
    wrong = punch("2026-11-02 09:00")
    punch("2026-11-02 17:00")
    punch("2026-11-02 08:00", method=PunchMethod.CORRECTION, supersedes=wrong.id, key="corrected")
    night = punch("2026-11-03 09:00")
    punch("2026-11-12 09:00", method=PunchMethod.CORRECTION, supersedes=night.id, key="moved")

    results.recompute(FIRST, LAST)

    found = [results.find(siti.id, FIRST + timedelta(days=number)) for number in (0, 1)]
    assert [each.result.status for each in found if each] == [DayStatus.PRESENT, DayStatus.ABSENT]


def test_days_outside_the_employment_have_no_result(
    results: Results, firm: Firm, database: Database, siti: Employee
) -> None:
    """Who left on Thursday has three days."""
    firm.left = date(2026, 11, 5)
    assert results.recompute(FIRST, LAST).changed == 3


def test_people_in_groups_are_all_judged(
    results: Results, database: Database, siti: Employee, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each group is a transaction of its own."""
    monkeypatch.setattr("smartabsen.attendance.results.service._BATCH_DAYS", 14)
    with database.write() as session:
        for number in range(4):
            employee_rows.add(session, code=f"E1{number}", name=f"Contoh {number}")
    assert results.recompute(FIRST, LAST, most_differences=3).changed == 35
    assert len(results.recompute(FIRST, LAST, most_differences=3).differences) == 0


def test_older_results_go_with_the_attendance_that_is_too_old(
    results: Results, firm: Firm, database: Database, siti: Employee
) -> None:
    """A purge leaves no older result behind."""
    results.recompute(FIRST, LAST)
    firm.leave = {FIRST: annual(), LAST - timedelta(days=2): annual()}
    results.recompute(FIRST, LAST)
    with database.write() as session:
        assert erasure_rows.count_attendance_before(session, LAST)["day_revisions"] == 2
        erasure_rows.delete_attendance_before(session, FIRST + timedelta(days=1))
    assert results.history(siti.id, FIRST) == ()
    assert len(results.history(siti.id, LAST - timedelta(days=2))) == 2

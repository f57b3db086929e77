"""How attempts become punches: once, whoever asks, and with the day that follows from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from smartabsen.attendance import day_rows, punch_rows, recording_rows
from smartabsen.attendance.recording_rows import Recorded
from smartabsen.attendance.rules import Rules
from smartabsen.kernel.domain import Employee, Outcome, Punch, PunchMethod, Status
from smartabsen.kernel.errors import ConflictError, InvalidInputError, KeyReusedError, NotFoundError
from smartabsen.people import employee_rows
from smartabsen.store.database import Database

MONDAY = date(2026, 11, 2)
MakeAttempt = Callable[..., Punch]


@pytest.fixture
def record(database: Database, rules: Rules) -> Callable[[Punch], Recorded]:
    return lambda attempt: database.run_write(lambda session: recording_rows.record(session, attempt, rules))


def test_a_punch_is_stored_whole_and_makes_the_day(
    database: Database, siti: Employee, attempt: MakeAttempt, record: Callable[[Punch], Recorded]
) -> None:
    """What was tried comes back from the database with an id, to the microsecond, beside the day derived from it."""
    tried = attempt(siti.id, "2026-11-02 08:07:30.123456", note="first day")

    recorded = record(tried)

    assert (recorded.outcome, recorded.new) == (Outcome.RECOGNIZED, True)
    assert recorded.punch == replace(tried, id=recorded.punch.id, status=Status.LATE)
    with database.read() as session:
        assert punch_rows.of_day(session, siti.id, MONDAY) == (recorded.punch,)
        assert day_rows.find(session, siti.id, MONDAY) == recorded.day
    assert (recorded.day.clock_in, recorded.day.late_minutes) == (tried.at, 7)


def test_a_second_punch_within_the_cooldown_writes_nothing(
    database: Database, siti: Employee, attempt: MakeAttempt, record: Callable[[Punch], Recorded]
) -> None:
    """It is answered with the punch that stands, from the other side as well when a clock was set back."""
    first = record(attempt(siti.id, "2026-11-02 08:00:00"))

    answers = [record(attempt(siti.id, f"2026-11-02 {wall}")) for wall in ("08:00:59", "07:59:01")]

    assert [(answer.outcome, answer.new, answer.punch) for answer in answers] == [
        (Outcome.ALREADY_RECORDED, False, first.punch)
    ] * 2
    assert answers[0].day == first.day
    with database.read() as session:
        assert len(punch_rows.of_day(session, siti.id, MONDAY)) == 1


def test_the_departure_and_an_earlier_punch_that_comes_late_change_the_day(
    siti: Employee, attempt: MakeAttempt, record: Callable[[Punch], Recorded]
) -> None:
    """Each punch derives the day again from all of them, in whatever order they arrive."""
    record(attempt(siti.id, "2026-11-02 08:30"))
    evening = record(attempt(siti.id, "2026-11-02 17:00"))
    morning = record(attempt(siti.id, "2026-11-02 07:55"))

    assert (evening.day.status, evening.day.worked_minutes) == (Status.LATE, 510)
    assert (morning.day.status, morning.day.worked_minutes) == (Status.PRESENT, 545)
    assert evening.punch.status is Status.LATE


def test_the_same_key_gives_the_same_punch_back(
    database: Database, siti: Employee, attempt: MakeAttempt, record: Callable[[Punch], Recorded]
) -> None:
    """A repetition after a lost answer stores nothing, whenever it comes, and is told the same."""
    first = record(attempt(siti.id, "2026-11-02 08:00", key="a-1"))

    again = record(attempt(siti.id, "2026-11-02 11:00", key="a-1"))

    assert (again.outcome, again.new, again.punch) == (Outcome.RECOGNIZED, False, first.punch)
    with database.read() as session:
        assert len(punch_rows.of_day(session, siti.id, MONDAY)) == 1


def test_a_key_of_somebody_else_is_refused(
    database: Database, siti: Employee, attempt: MakeAttempt, record: Callable[[Punch], Recorded]
) -> None:
    """One key cannot stand for punches of two people."""
    with database.write() as session:
        budi = employee_rows.add(session, code="E002", name="Budi")
    record(attempt(siti.id, "2026-11-02 08:00", key="a-1"))

    with pytest.raises(ConflictError, match="somebody else"):
        record(attempt(budi.id, "2026-11-02 08:00", key="a-1"))


def test_a_key_that_comes_again_with_another_note_or_kind_is_refused(
    siti: Employee, attempt: MakeAttempt, record: Callable[[Punch], Recorded]
) -> None:
    """It is not answered with what the first one stored; the same again is."""
    first = record(replace(attempt(siti.id, "2026-11-02 08:00", key="a-1"), note="camera broken"))
    with pytest.raises(KeyReusedError):
        record(replace(attempt(siti.id, "2026-11-02 08:00", key="a-1"), note="forgot"))
    with pytest.raises(KeyReusedError):
        record(replace(first.punch, id=0, method=PunchMethod.PIN))
    assert record(replace(attempt(siti.id, "2026-11-02 09:00", key="a-1"), note="camera broken")).punch == first.punch


def test_the_key_of_a_kiosk_stands_for_one_instant(
    siti: Employee, database: Database, attempt: MakeAttempt, rules: Rules
) -> None:
    """A kiosk keeps its attempts as they were: another time or place is another attempt."""
    one = attempt(siti.id, "2026-11-02 08:00", key="kiosk-1")

    def deliver(each: Punch) -> Recorded:
        return database.run_write(lambda session: recording_rows.record(session, each, rules, exact=True))

    stored = deliver(one)
    assert deliver(one).punch == stored.punch
    for other in (replace(one, at=one.at + timedelta(seconds=1)), replace(one, kiosk="elsewhere")):
        with pytest.raises(KeyReusedError):
            deliver(other)


@pytest.mark.parametrize("key", ["", "with blank", "a" * 101, "schlüssel", "line\n"])
def test_a_key_has_a_form_that_both_databases_compare_alike(
    siti: Employee, attempt: MakeAttempt, record: Callable[[Punch], Recorded], key: str
) -> None:
    """Blanks at the end are equal on one database and not on the other, so keys have none."""
    with pytest.raises(InvalidInputError, match="key"):
        record(replace(attempt(siti.id, "2026-11-02 08:00"), key=key))


def test_who_is_inactive_or_unknown_cannot_punch(
    database: Database, siti: Employee, attempt: MakeAttempt, record: Callable[[Punch], Recorded]
) -> None:
    """The database decides it in the same transaction, so a deactivation holds from its commit on."""
    with database.write() as session:
        employee_rows.update(session, "E001", active=False)

    with pytest.raises(ConflictError, match=r"Siti Rahma \(E001\)"):
        record(attempt(siti.id, "2026-11-02 08:00"))
    with pytest.raises(NotFoundError):
        record(attempt(99, "2026-11-02 08:00"))


def test_leave_survives_a_punch_and_can_be_taken_back(
    database: Database, siti: Employee, rules: Rules, attempt: MakeAttempt, record: Callable[[Punch], Recorded]
) -> None:
    """Who comes in on a day of leave keeps the status and gets the times; without the leave, the punches count."""
    with database.write() as session:
        day_rows.set_leave(session, employee_id=siti.id, work_date=MONDAY, status=Status.EXCUSED, note="wedding")

    recorded = record(attempt(siti.id, "2026-11-02 13:00"))
    with database.write() as session:
        cleared = recording_rows.clear_leave(session, siti.id, MONDAY, rules)

    assert (recorded.day.status, recorded.day.late_minutes) == (Status.EXCUSED, 0)
    assert recorded.day.clock_in == recorded.punch.at
    assert cleared is not None
    assert (cleared.status, cleared.late_minutes) == (Status.LATE, 300)


def test_leave_without_punches_goes_when_it_is_taken_back(database: Database, siti: Employee, rules: Rules) -> None:
    """A day that has neither leave nor punches has no row."""
    with database.write() as session:
        day_rows.set_leave(session, employee_id=siti.id, work_date=MONDAY, status=Status.SICK)
        day_rows.set_leave(session, employee_id=siti.id, work_date=MONDAY, status=Status.EXCUSED)
    with database.read() as session:
        assert [day.status for day in day_rows.between(session, MONDAY, MONDAY)] == [Status.EXCUSED]

    with database.write() as session:
        assert recording_rows.clear_leave(session, siti.id, MONDAY, rules) is None

    with database.read() as session:
        assert day_rows.between(session, MONDAY, MONDAY) == ()


def test_a_day_follows_changed_rules_when_it_is_derived_again(
    database: Database, siti: Employee, rules: Rules, attempt: MakeAttempt, record: Callable[[Punch], Recorded]
) -> None:
    """The day is derived data: with a grace of ten minutes, who came at 08:07 was on time."""
    record(attempt(siti.id, "2026-11-02 08:07"))

    with database.write() as session:
        derived = recording_rows.derive_again(session, siti.id, MONDAY, replace(rules, grace_minutes=10))

    assert derived is not None
    assert derived.status is Status.PRESENT


def test_only_leave_can_be_entered(database: Database, siti: Employee) -> None:
    """Hadir and Terlambat come from punches alone."""
    with pytest.raises(InvalidInputError, match="Hadir"), database.write() as session:
        day_rows.set_leave(session, employee_id=siti.id, work_date=MONDAY, status=Status.PRESENT)


def test_a_naive_instant_is_refused(database: Database, siti: Employee, attempt: MakeAttempt, rules: Rules) -> None:
    """A time without a zone would silently mean the machine's own."""
    naive = replace(attempt(siti.id, "2026-11-02 08:00"), at=datetime(2026, 11, 2, 8, 0))  # noqa: DTZ001

    with pytest.raises(ValueError, match="time zone"), database.write() as session:
        recording_rows.record(session, naive, rules)


def test_days_are_found_by_period_and_person(
    database: Database, siti: Employee, attempt: MakeAttempt, record: Callable[[Punch], Recorded]
) -> None:
    """A period includes both its ends."""
    with database.write() as session:
        budi = employee_rows.add(session, code="E002", name="Budi")
    for day in (1, 2, 3, 4):
        record(attempt(siti.id, f"2026-11-0{day} 08:00"))
        record(attempt(budi.id, f"2026-11-0{day} 08:00"))

    with database.read() as session:
        both = day_rows.between(session, date(2026, 11, 2), date(2026, 11, 3))
        own = day_rows.between(session, date(2026, 11, 2), date(2026, 11, 3), employee_id=budi.id)

    assert [(day.work_date.day, day.employee_id) for day in both] == [
        (2, siti.id),
        (2, budi.id),
        (3, siti.id),
        (3, budi.id),
    ]
    assert {day.employee_id for day in own} == {budi.id}


@pytest.mark.slow
def test_eight_processes_that_punch_one_person_at_once_store_one_punch(
    database: Database, database_url: str, siti: Employee, run_workers: Callable[..., list[str]]
) -> None:
    """Of 40 attempts from 8 processes within the cooldown exactly one is stored, and one day."""
    answers = " ".join(run_workers(8, "same-person", database_url)).split()

    assert sorted(answers) == ["False"] * 39 + ["True"]
    with database.read() as session:
        assert [found.punches for found in punch_rows.dates(session)] == [1]
        assert len(day_rows.between(session, MONDAY, MONDAY)) == 1


@pytest.mark.slow
def test_eight_processes_that_repeat_one_attempt_store_one_punch(
    database: Database, database_url: str, siti: Employee, run_workers: Callable[..., list[str]]
) -> None:
    """All repetitions of a key are answered with the same punch, without any cooldown."""
    answers = run_workers(8, "same-key", database_url)

    assert len({answer.strip() for answer in answers}) == 1
    with database.read() as session:
        assert [found.punches for found in punch_rows.dates(session)] == [1]


@pytest.mark.slow
def test_many_writers_at_once_meet_no_lock_error(
    database: Database, database_url: str, siti: Employee, run_workers: Callable[..., list[str]]
) -> None:
    """160 punches of 8 processes, half of them for one person, are all stored."""
    with database.write() as session:
        for number in range(1, 9):
            employee_rows.add(session, code=f"W{number}", name=f"Worker {number}")

    answers = run_workers(8, "many-punches", database_url, 20)

    assert sum(answer.count("True") for answer in answers) == 160
    with database.read() as session:
        assert sum(found.punches for found in punch_rows.dates(session)) == 160
        stored = punch_rows.of_day(session, siti.id, MONDAY)
        day = day_rows.find(session, siti.id, MONDAY)
    assert day is not None
    assert day.clock_in == min(one.at for one in stored)
    assert day.clock_in.tzinfo is UTC

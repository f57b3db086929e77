"""Punches beside the frame loop: never lost, never twice, in order, and nobody waits for a silent database."""

from __future__ import annotations

import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from smartabsen.kernel.domain import AttendanceDay, Employee, Outcome, Punch, PunchMethod, PunchResult, Status
from smartabsen.kernel.errors import ConflictError, DatabaseError, SmartAbsenError, StorageError
from smartabsen.kiosk import punch_writer
from smartabsen.kiosk.punch_queue import REUSED, PunchQueue
from smartabsen.kiosk.punch_writer import DatabaseIdentity, PunchWriter, Written
from smartabsen.store.clock import DatabaseClock, MachineClock
from smartabsen.store.trusted_clock import KNOWN_TIME, TrustedClock

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
AWAY = DatabaseError("The database is away.")


def attempt(number: int, *, trusted: bool = True) -> Punch:
    at = NOW + timedelta(seconds=number)
    key = f"key-{number}"
    punch = Punch(0, number, at, date(2026, 11, 23), PunchMethod.FACE, "k", key, 0.9, "d" * 64, clock_trusted=trusted)
    return replace(punch, person=f"person-{number}", code=f"E{number}")


def showing(at: datetime) -> DatabaseClock:
    return DatabaseClock(MachineClock(lambda: at))


class Store:
    """A database that can be away, silent, or refuse."""

    def __init__(self) -> None:
        self.rows: dict[str, Punch] = {}
        self.tries = 0
        self.trouble: SmartAbsenError | None = None
        self.writing = threading.Event()
        self.writing.set()
        self.followed: list[str] = []
        self.surprise: Exception | None = None
        self.lose_answer = False
        self.answering = threading.Event()
        self.answering.set()
        self.known = DatabaseIdentity("this", "first")

    def record(self, attempt: Punch) -> PunchResult:
        self.tries += 1
        self.answering.wait(20)
        if self.surprise:
            raise self.surprise
        if self.trouble:
            raise self.trouble
        self.rows.setdefault(attempt.key, attempt)
        if self.lose_answer:
            self.lose_answer = False
            raise AWAY
        employee = Employee(attempt.employee_id, f"E{attempt.employee_id}", "Contoh", "", True, NOW)
        day = AttendanceDay(attempt.employee_id, attempt.work_date, attempt.at, None, Status.PRESENT)
        return PunchResult(Outcome.RECOGNIZED, employee, attempt, day)

    def follow(self, result: PunchResult) -> None:
        self.writing.wait(20)
        self.followed.append(result.punch.key)

    def identity(self) -> DatabaseIdentity:
        if self.trouble and not isinstance(self.trouble, ConflictError):
            raise self.trouble
        return self.known

    def ask_time(self) -> None:
        return


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(punch_writer, "RETRY_S", 0.05)
    monkeypatch.setattr(punch_writer, "LONGEST_RETRY_S", 0.1)
    monkeypatch.setattr(punch_writer, "CLOSE_S", 0.2)


@pytest.fixture
def waiting(tmp_path: Path) -> PunchQueue:
    return PunchQueue(tmp_path / "queue" / "punches.db")


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def make(store: Store, waiting: PunchQueue) -> Iterator[Callable[[], PunchWriter]]:
    """Makes writers, as further sessions of a kiosk do."""
    made: list[PunchWriter] = []

    def start() -> PunchWriter:
        made.append(PunchWriter(store, waiting, TrustedClock()))
        return made[-1]

    yield start
    store.answering.set()
    for writer in made:
        writer.close()


def until(writer: PunchWriter, done: Callable[[list[Written]], bool], *, seconds: float = 10.0) -> list[Written]:
    found: list[Written] = []
    deadline = time.monotonic() + seconds
    while not done(found):
        assert time.monotonic() < deadline, found
        found += writer.answers()
        time.sleep(0.002)
    return found


def results(found: list[Written]) -> list[str]:
    return [one.attempt.key for one in found if one.attempt and one.result]


def pending(found: list[Written]) -> list[str]:
    return [one.attempt.key for one in found if one.attempt and one.pending]


def test_a_punch_goes_straight_into_a_database_that_answers(
    make: Callable[[], PunchWriter], store: Store, waiting: PunchQueue
) -> None:
    """The queue is not even made."""
    writer = make()
    writer.submit(attempt(1), track=7)
    (one,) = until(writer, lambda found: len(found) == 1)
    assert (one.track, one.result is not None) == (7, True)
    assert waiting.count() == 0


def test_while_the_database_is_away_punches_wait_and_are_delivered_in_order(
    make: Callable[[], PunchWriter], store: Store, waiting: PunchQueue
) -> None:
    """Each is told as pending when it is on the disk, the trouble once, and each is delivered once."""
    writer = make()
    store.trouble = AWAY
    for number in range(5):
        writer.submit(attempt(number, trusted=number != 3), track=number)
    found = until(writer, lambda found: len(pending(found)) == 5)
    assert [one.trouble for one in found if one.trouble] == [AWAY]
    assert store.rows == {} and waiting.count() == 5
    store.trouble = None
    found = until(writer, lambda found: len(results(found)) == 5)
    assert results(found) == list(store.rows) == [f"key-{number}" for number in range(5)]
    assert [one.clock_trusted for one in store.rows.values()] == [True, True, True, False, True]
    assert [one.at for one in store.rows.values()] == [attempt(number).at for number in range(5)]
    until(writer, lambda _: waiting.count() == 0)


def test_a_silent_database_delays_one_person_and_no_other(make: Callable[[], PunchWriter], store: Store) -> None:
    """Handing over takes no time; after the first time-out the others are kept at once."""
    writer = make()
    store.answering.clear()  # whoever waited for the database here would wait for ever
    for number in range(3):
        writer.submit(attempt(number), track=number)
    store.trouble = AWAY
    store.answering.set()  # its time-out
    until(writer, lambda found: len(pending(found)) == 3)


def test_an_error_that_nobody_thought_of_loses_no_punch(make: Callable[[], PunchWriter], store: Store) -> None:
    """The punch is kept, the error is told, and the threads go on."""
    writer = make()
    store.surprise = RuntimeError("a bug")
    writer.submit(attempt(1), track=1)
    found = until(writer, lambda found: pending(found) == ["key-1"])
    assert "a bug" in str(found[0].trouble)
    time.sleep(0.3)
    store.surprise = None
    writer.submit(attempt(2), track=2)
    until(writer, lambda found: results(found)[-2:] == ["key-1", "key-2"])


def test_a_lost_answer_gives_one_row(make: Callable[[], PunchWriter], store: Store) -> None:
    """The database stored it and could not say so: the same key comes again."""
    writer = make()
    store.lose_answer = True
    writer.submit(attempt(1), track=1)
    found = until(writer, lambda found: bool(results(found)))
    assert pending(found) == ["key-1"]
    assert list(store.rows) == ["key-1"] and store.tries == 2


def test_the_next_session_delivers_before_anything_new(
    make: Callable[[], PunchWriter], store: Store, waiting: PunchQueue
) -> None:
    """A kiosk that was killed left its queue on the disk."""
    waiting.add(attempt(1), database_id="this")
    waiting.add(attempt(2), database_id="")
    writer = make()
    writer.submit(attempt(3), track=3)
    until(writer, lambda found: len(results(found)) == 3)
    assert list(store.rows) == ["key-1", "key-2", "key-3"]


def test_a_punch_that_the_database_refuses_for_good_is_kept_aside_and_told(
    make: Callable[[], PunchWriter], store: Store, waiting: PunchQueue
) -> None:
    """It does not block those behind it, and is not lost."""
    waiting.add(attempt(1), database_id="this")
    store.trouble = ConflictError("{name} is not active.", name="Contoh")
    writer = make()
    found = until(writer, lambda found: any(one.refused for one in found))
    assert [str(one.trouble) for one in found] == ["Contoh is not active."]
    assert waiting.count() == 0
    assert [(one.punch, one.refused) for one in waiting.refused()] == [(attempt(1), "Contoh is not active.")]


def test_a_punch_for_another_database_is_not_delivered_to_this_one(
    make: Callable[[], PunchWriter], store: Store, waiting: PunchQueue
) -> None:
    """There the number means somebody else."""
    waiting.add(attempt(1), database_id="other")
    writer = make()
    until(writer, lambda found: any(one.refused for one in found))
    assert store.rows == {} and len(waiting.refused()) == 1


def test_without_database_and_disk_nothing_is_announced_before_one_is_back(
    make: Callable[[], PunchWriter], store: Store, waiting: PunchQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trouble is told; the punch is stored as soon as that is possible."""
    writer = make()
    store.trouble = AWAY
    full = StorageError("The disk is full.")

    def refuse(*_: object, **__: object) -> None:
        raise full

    monkeypatch.setattr(PunchQueue, "add", refuse)
    writer.submit(attempt(1), track=1)
    found = until(writer, lambda found: full in [one.trouble for one in found])
    assert results(found) == pending(found) == []
    store.trouble = None
    until(writer, lambda found: results(found) == ["key-1"])


def test_what_could_be_kept_nowhere_is_told_at_the_end(
    make: Callable[[], PunchWriter], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session does not end as if all were well."""
    writer = make()
    store.trouble = AWAY
    monkeypatch.setattr(PunchQueue, "add", lambda *_, **__: (_ for _ in ()).throw(StorageError("full")))
    writer.submit(attempt(1), track=1)
    writer.close()
    assert "could not be stored" in str(writer.answers()[-1].trouble)
    assert writer.lost == 1


def test_a_punch_is_announced_when_the_database_has_it_and_the_log_follows(
    make: Callable[[], PunchWriter], store: Store, waiting: PunchQueue
) -> None:
    """Nobody waits for a file, neither for a punch of now nor for one of the queue."""
    waiting.add(attempt(1), database_id="this")
    store.writing.clear()
    writer = make()
    until(writer, lambda found: len(results(found)) == 1)
    assert not store.followed
    store.writing.set()
    writer.submit(attempt(2), track=2)
    until(writer, lambda found: len(results(found)) == 1)
    writer.close()
    assert store.followed == ["key-1", "key-2"]


def test_the_end_of_a_session_does_not_wait_for_a_silent_database(
    make: Callable[[], PunchWriter], store: Store, waiting: PunchQueue
) -> None:
    """What waits is on the disk; the number of waiting punches is told."""
    waiting.add(attempt(1), database_id="")
    store.answering.clear()
    writer = make()
    time.sleep(0.05)
    began = time.monotonic()
    assert writer.close() == 1
    assert time.monotonic() - began < 2.0


def test_the_queue_is_private_durable_and_holds_no_face(waiting: PunchQueue) -> None:
    """0600, full synchronisation, and exactly these columns."""
    waiting.add(attempt(1), database_id="this")
    waiting.add(attempt(1), database_id="this")
    assert waiting.count() == 1
    assert stat.S_IMODE(waiting.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(waiting.path.parent.stat().st_mode) == 0o700
    with sqlite3.connect(waiting.path) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(waiting)")]
    connection.close()
    assert columns == [
        "number", "key", "employee_id", "at_utc", "work_date", "method", "kiosk", "similarity", "liveness",
        "model_digest", "note", "clock_trusted", "database_id", "refused",
        "person", "code", "clock_offset_s", "taken_at",
    ]  # fmt: skip


def test_another_punch_under_a_key_that_waits_is_kept_aside(waiting: PunchQueue) -> None:
    """The same punch again is a repetition; another person's, or another time, is not lost without a word."""
    first, other = attempt(1), replace(attempt(2), key=attempt(1).key)
    assert waiting.add(first, database_id="") and waiting.add(first, database_id="this")
    for _ in range(2):
        assert not waiting.add(other, database_id="this")
        assert not waiting.add(replace(first, at=NOW), database_id="this")

    assert [one.punch for one in waiting.oldest()] == [first]
    aside = waiting.refused()
    assert [(one.punch.person, one.punch.at) for one in aside] == [(other.person, other.at), (first.person, NOW)]
    assert {one.refused for one in aside} == {REUSED}
    assert len({first.key, *(one.punch.key for one in aside)}) == 3


def test_a_punch_under_a_key_that_waits_is_not_announced(
    make: Callable[[], PunchWriter], store: Store, waiting: PunchQueue
) -> None:
    """The kiosk tells that person that nothing was recorded; what waits under the key is delivered."""
    store.trouble = AWAY
    writer = make()
    writer.submit(attempt(1), track=1)
    writer.submit(replace(attempt(2), key=attempt(1).key), track=2)
    found = until(writer, lambda found: len([one for one in found if one.track]) == 2)
    assert [(one.track, one.pending, one.refused) for one in found if one.track] == [(1, True, False), (2, False, True)]

    store.trouble = None
    until(writer, lambda found: results(found) == [attempt(1).key])
    assert store.rows == {attempt(1).key: attempt(1)}
    assert (waiting.count(), len(waiting.refused())) == (0, 1)


def test_an_erased_persons_punches_leave_the_queue(waiting: PunchQueue) -> None:
    """And nobody else's."""
    for number in (1, 2):
        waiting.add(attempt(number), database_id="this")
    waiting.refuse(1, "inactive")
    assert (waiting.forget_person("person-1", row_id=1), waiting.forget_person("person-1", row_id=1)) == (1, 0)
    assert [one.punch.employee_id for one in waiting.oldest()] == [2]


@pytest.mark.parametrize(
    ("last_known", "shown", "trusted"),
    [
        (None, datetime(1970, 1, 1, tzinfo=UTC), False),
        (None, datetime(2027, 1, 1, tzinfo=UTC), True),
        (datetime(2027, 1, 2, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), False),
        (datetime(2027, 1, 1, 0, 0, 30, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), True),
    ],
)
def test_a_clock_is_trusted_unless_it_was_never_set_or_set_back(
    last_known: datetime | None, shown: datetime, trusted: bool
) -> None:
    """Seconds do not matter: the network moves a clock by so much."""
    reading = TrustedClock(showing(shown), known=last_known).now()
    assert (reading.at, reading.trusted, reading.offset_s) == (shown, trusted, None)


def test_the_latest_trusted_time_outlives_a_restart(
    make: Callable[[], PunchWriter], waiting: PunchQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a clock that starts in the past is noticed without a network."""
    clock = TrustedClock(showing(datetime(2027, 1, 2, tzinfo=UTC)), memory=waiting)
    clock.now()
    writer = PunchWriter(Store(), waiting, clock)
    deadline = time.monotonic() + 10
    while not waiting.find_fact(KNOWN_TIME) and time.monotonic() < deadline:
        time.sleep(0.01)
    writer.close()
    assert TrustedClock(memory=waiting).last_known == datetime(2027, 1, 2, tzinfo=UTC)

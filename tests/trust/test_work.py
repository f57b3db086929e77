"""Units of work: reads together, small changes put aside, looks that are written together."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from smartabsen.kernel.actors import acting_as
from smartabsen.kernel.domain import Employee
from smartabsen.kernel.errors import ConflictError, DatabaseError
from smartabsen.people import employee_rows
from smartabsen.store import meta
from smartabsen.store.database import Database, Session
from smartabsen.trust import audit_rows
from smartabsen.trust.looks import LOOKING_S, Looks
from smartabsen.trust.work import Units, Work

from ..transactions import Counting


@pytest.fixture
def units(database: Database, siti: Employee) -> Units:
    """The units of a database of each kind, with an employee in it."""
    return Units(database)


def name_of(units: Units) -> str:
    """Read the employee's name in a unit of its own."""
    with units.read() as session:
        return employee_rows.get(session, "E001").name


def rename(name: str) -> object:
    """Return a job that gives the employee another name, with its entry."""

    def job(work: Work) -> None:
        employee_rows.update(work.session, "E001", name=name)
        work.record("employee.rename", subject="E001")

    return job


def test_reads_together_are_one_transaction_that_sees_one_state(
    units: Units, database_url: str, transactions: Counting
) -> None:
    """What another program stores meanwhile is not seen before the block ends."""
    other = Database(database_url)
    with transactions() as counted, units.together():
        assert name_of(units) == "Siti Rahma"
        assert name_of(units) == "Siti Rahma"
        with units.read(long=True) as session:
            assert employee_rows.get(session, "E001").name == "Siti Rahma"
    assert (counted.reads, counted.writes) == (1, 0), counted
    other.close()


def test_a_write_ends_the_reads_before_it_and_is_seen_by_those_after(units: Units, transactions: Counting) -> None:
    """Else this thread would wait for itself on SQLite, and read what was before its own change."""
    with transactions() as counted, units.together():
        name_of(units)
        units.write(rename("Siti Contoh"))
        assert name_of(units) == "Siti Contoh"
    assert [mode for mode, _ in counted.begun] == ["read", "write", "read"]


def test_an_error_within_reads_together_leaves_the_database_usable(units: Units) -> None:
    """The next read begins anew."""
    with units.together():
        with pytest.raises(DatabaseError), units.read() as session:
            session.execute(text("SELECT nothing FROM nowhere"))
        assert name_of(units) == "Siti Rahma"


def test_what_is_put_aside_goes_with_the_next_write_or_at_the_end(units: Units, transactions: Counting) -> None:
    """A write that fails takes nothing along; without an errand it is written at once."""

    def put(value: str) -> None:
        def part(session: Session) -> None:
            meta.put(session, "test", value)

        units.put_aside(part)

    def found() -> str | None:
        with units.read() as session:
            return meta.find(session, "test")

    def fail(_work: Work) -> None:
        raise ConflictError("no")

    put("at once")
    assert found() == "at once"
    with units.errand():
        put("with the write")
        with pytest.raises(ConflictError):
            units.write(fail)
        assert found() == "at once"
        with transactions() as counted:
            units.write(rename("Siti Contoh"))
        assert (found(), counted.writes) == ("with the write", 1)
        put("at the end")
    assert found() == "at the end"


def test_looks_that_come_while_one_is_written_are_written_together(
    database: Database, units: Units, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six people look while the first look is being written: two transactions, and each has an entry of their own."""
    writes: list[int] = []
    writing, go_on = threading.Event(), threading.Event()
    real = units.write

    def write(job: object) -> object:
        writes.append(1)
        writing.set()
        assert go_on.wait(10)
        return real(job)  # type: ignore[arg-type]

    monkeypatch.setattr(units, "write", write)
    looks = Looks(units)

    def look(name: str) -> None:
        with acting_as(name):
            looks.note("attendance.read", "", (("date", "2026-11-02"),))

    with ThreadPoolExecutor(7) as threads:
        first = threads.submit(look, "siti")
        assert writing.wait(10)
        others = [threads.submit(look, f"user{number}") for number in range(6)]
        while len(looks._batch.waiting) < 6:
            threading.Event().wait(0.005)
        go_on.set()
        for each in (first, *others):
            each.result(10)
    assert len(writes) == 2
    with database.read() as session:
        actors = {entry.actor for entry in audit_rows.find(session, action="attendance.read")}
    assert actors == {"siti", *(f"user{number}" for number in range(6))}


def test_the_same_look_is_written_again_after_a_while(units: Units, transactions: Counting) -> None:
    """Sorting and paging are one look; so is coming back soon."""
    now = [0.0]
    looks = Looks(units, clock=lambda: now[0])
    counts = []
    for at in (0.0, LOOKING_S - 1.0, LOOKING_S + 1.0):
        now[0] = at
        with transactions() as counted:
            looks.note("attendance.read", "E001", ())
        counts.append(counted.writes)
    assert counts == [1, 0, 1]


def test_a_look_that_cannot_be_written_is_told_to_who_looked(units: Units, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is shown then; the next look is tried anew."""

    def refuse(_job: object) -> None:
        raise DatabaseError("full")

    looks = Looks(units)
    with monkeypatch.context() as patch:
        patch.setattr(units, "write", refuse)
        with pytest.raises(DatabaseError):
            looks.note("attendance.read", "E001", ())
    looks.note("attendance.read", "E001", ())
    with units.read() as session:
        assert len(audit_rows.find(session, action="attendance.read")) == 1


def test_a_change_without_an_entry_is_refused_by_the_guard(units: Units, database: Database) -> None:
    """The guard of all tests: a function of the program (here borrowed) that changes people and tells nobody."""
    namespace: dict[str, object] = {}
    source = "def forget(database, job):\n    database.run_write(job)\n"
    place = employee_rows.__file__.replace("employee_rows", "forgetful")
    exec(compile(source, place, "exec"), namespace)
    forget = namespace["forget"]
    with pytest.raises(AssertionError, match="forget changed karyawan without an entry"):
        forget(database, lambda session: employee_rows.update(session, "E001", name="X"))  # type: ignore[operator]
    assert name_of(units) == "Siti Rahma"

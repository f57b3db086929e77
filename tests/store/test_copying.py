"""A whole database copied into another one: every row, every type, and nothing over what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen.attendance import punch_rows, recording_rows
from smartabsen.attendance.rules import Rules
from smartabsen.gallery import template_rows
from smartabsen.kernel.domain import Punch, Template
from smartabsen.kernel.errors import ConflictError, IntegrityError, SchemaError
from smartabsen.people import employee_rows
from smartabsen.privacy.audit_check_rows import verify
from smartabsen.store import copying, meta, schema
from smartabsen.store.copying import copy_database, table_digest
from smartabsen.store.database import Database
from smartabsen.store.schema import SchemaState
from smartabsen.store.tables import Base
from smartabsen.trust import audit_rows
from smartabsen.trust.sealing import KeyRing


@pytest.fixture
def filled(
    database: Database, rules: Rules, attempt: Callable[..., Punch], template: Callable[..., Template], ring: KeyRing
) -> Database:
    """A database of each kind with some of everything, and a last row that was deleted."""
    for number in range(1, 8):
        with database.write() as session:
            person = employee_rows.add(session, code=f"E{number}", name=f"Zoë {number} 😀", position="Kasir")
            template_rows.add_many(session, [template(person.id)], ring=ring)
            audit_rows.append(session, actor="root", action="employee.add", subject=f"E{number}", details={"n": "é"})
            recording_rows.record(session, attempt(person.id, f"2026-11-0{number} 07:58:12.250001"), rules)
    with database.write() as session:
        employee_rows.add(session, code="gone", name="Gone")
    with database.connect(exclusive=True) as connection:
        connection.execute(text("DELETE FROM karyawan WHERE kode = 'gone'"))
    return database


@pytest.fixture
def target(tmp_path: Path, request: pytest.FixtureRequest, database: Database) -> Iterator[Database]:
    """An empty database of the other kind."""
    url = f"sqlite:///{tmp_path / 'copy.db'}" if database.path is None else request.getfixturevalue("mariadb_url")
    opened = Database(url)
    yield opened
    opened.close()


def digests(database: Database) -> dict[str, tuple[int, str]]:
    with database.read() as session:
        tables = [table_digest(session, table) for table in Base.metadata.sorted_tables]
    return {one.name: (one.rows, one.digest) for one in tables}


@pytest.mark.mariadb
def test_a_copy_is_the_same_database_on_another_server(filled: Database, target: Database) -> None:
    """Rows, types, identity, the chain of the audit trail, and the numbers that come next."""
    told: list[tuple[int, int]] = []
    copied = copy_database(filled, target, on_progress=lambda done, total: told.append((done, total)))
    assert digests(target) == digests(filled)
    assert {one.name: one.rows for one in copied}["karyawan"] == 7
    assert told[-1][0] == told[-1][1] > 20
    with target.read() as session:
        assert verify(session).problems == ()
        assert sum(day.punches for day in punch_rows.dates(session)) == 7
    with target.write() as session:
        assert employee_rows.add(session, code="E9", name="Next").id == 9
        audit_rows.append(session, actor="root", action="after")
    with target.read() as session:
        assert verify(session).problems == ()


@pytest.mark.mariadb
@pytest.mark.parametrize("after", [1, 4, 7])
def test_a_copy_that_was_cut_off_goes_on(
    filled: Database, target: Database, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """What is there is not copied again, and what changed since is put right."""
    monkeypatch.setattr(copying, "BATCH", 3)
    stored = 0
    keep = copying._store

    def cut(*args: object) -> None:
        nonlocal stored
        stored += 1
        if stored > after:
            raise KeyboardInterrupt
        keep(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(copying, "_store", cut)
    with pytest.raises(KeyboardInterrupt):
        copy_database(filled, target)
    monkeypatch.setattr(copying, "_store", keep)
    with filled.write() as session:
        employee_rows.update(session, "E1", name="Renamed")
        employee_rows.add(session, code="E8", name="New")
        person = employee_rows.get(session, "E2")
    with filled.connect(exclusive=True) as connection:
        connection.execute(text("DELETE FROM templates WHERE karyawan_id = :id"), {"id": person.id})
    copy_database(filled, target)
    assert digests(target) == digests(filled)


def test_a_database_that_holds_something_is_not_written_over(filled: Database, tmp_path: Path) -> None:
    """Neither another installation, nor a finished copy, nor the source itself."""
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    with other.write() as session:
        employee_rows.add(session, code="X", name="Somebody")
    with pytest.raises(ConflictError, match="not empty"):
        copy_database(filled, other)
    with pytest.raises(ConflictError, match="itself"):
        copy_database(filled, filled)
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    copy_database(filled, empty)
    with pytest.raises(ConflictError, match="not empty"):
        copy_database(filled, empty)
    with other.read() as session:
        assert [person.code for person in employee_rows.find_all(session)] == ["X"]


def test_a_difference_that_stays_is_an_error(filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy is never called whole when it is not."""
    monkeypatch.setattr(copying, "_replace_rows", lambda *_: None)
    keep = copying._store

    def lose(target: Database, table: object, batch: list[dict[str, object]], progress: object) -> None:
        if getattr(table, "name", "") == "audit":
            del batch[:1]
        keep(target, table, batch, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(copying, "_store", lose)
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(IntegrityError, match="differs"):
        copy_database(filled, empty)
    with empty.read() as session:
        assert meta.find(session, meta.COPY_OF) is not None


@pytest.fixture
def half(filled: Database, target: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A copy of ``filled`` that was cut off before its punches, as another program finds it."""
    keep = copying._store

    def cut(target: Database, table: object, *rest: object) -> None:
        if getattr(table, "name", "") == "punches":
            raise KeyboardInterrupt
        keep(target, table, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(copying, "_store", cut)
        with pytest.raises(KeyboardInterrupt):
            copy_database(filled, target)
    target.close()
    return target


def opened_anew(database: Database) -> Database:
    return Database(database.url.render_as_string(hide_password=False))


@pytest.mark.mariadb
def test_half_of_a_copy_is_no_database(filled: Database, half: Database) -> None:
    """Nothing is read from it or written to it until the copy is gone on with, by any process, to its end."""
    with pytest.raises(SchemaError, match="unfinished copy"), opened_anew(half).read():
        pass
    with pytest.raises(SchemaError, match="unfinished copy"):
        opened_anew(half).run_write(lambda session: meta.put(session, "a", "b"))
    assert schema.schema_status(half).state is SchemaState.HALF_COPIED
    copy_database(filled, opened_anew(half))
    assert digests(opened_anew(half)) == digests(filled)
    assert schema.schema_status(half).state is SchemaState.CURRENT


@pytest.mark.mariadb
def test_a_punch_that_half_of_a_copy_took_is_not_deleted(
    filled: Database, half: Database, rules: Rules, attempt: Callable[..., Punch]
) -> None:
    """A program that runs since before the copy may have acknowledged it: whoever copies decides, not the copy."""
    with half.write() as session:
        recording_rows.record(session, attempt(1, "2026-11-20 07:58:12", key="own"), rules)
    with pytest.raises(ConflictError, match="punches"):
        copy_database(filled, opened_anew(half))
    with half.read() as session:
        assert punch_rows.find_by_key(session, "own") is not None

"""The schema: made by migrations, equal to the tables, and refused when it is not ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from smartabsen.kernel.errors import DatabaseError, SchemaError
from smartabsen.people import employee_rows
from smartabsen.store import meta, schema
from smartabsen.store.database import Database
from smartabsen.store.schema import SchemaState
from smartabsen.store.tables import Base


def differences(database: Database) -> list[object]:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[object] = compare_metadata(context, Base.metadata)
    return found


def test_the_revisions_that_the_program_knows_are_those_of_the_scripts() -> None:
    """The constants spare every start the import of Alembic, so they must not lie."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(schema.__file__).parent / "migrations"))

    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == schema.REVISIONS
    assert scripts.get_heads() == [schema.HEAD]


def test_an_empty_database_is_made_ready_at_first_use(database: Database) -> None:
    """The first unit of work finds all tables, and they are those of the models."""
    assert schema.schema_status(database).state is SchemaState.EMPTY

    with database.read() as session:
        assert employee_rows.count(session) == 0

    assert schema.schema_status(database).state is SchemaState.CURRENT
    assert differences(database) == []


def test_migrations_go_down_and_up_again(database: Database) -> None:
    """Nothing of ours is left below, and above everything is as before."""
    schema.upgrade(database)

    assert schema.downgrade(database, "base").state is SchemaState.UNFINISHED
    with database.connect() as connection:
        assert inspect(connection).get_table_names() == [schema.VERSION_TABLE]
    assert schema.upgrade(database).state is SchemaState.CURRENT
    assert differences(database) == []


def test_an_upgrade_that_was_cut_off_is_completed(database: Database) -> None:
    """MariaDB commits each table by itself: a killed upgrade leaves some of them and no version."""
    schema.upgrade(database)
    with database.connect(exclusive=True) as connection:
        connection.execute(text("DROP TABLE punches"))
        connection.execute(text("DROP TABLE meta"))
        connection.execute(text("DELETE FROM alembic_version"))

    with database.read() as session:
        assert meta.find(session, "anything") is None
    assert differences(database) == []


@pytest.mark.parametrize(("version", "words"), [("9999", "newer smartabsen"), ("0000-old", "newer smartabsen")])
def test_a_database_of_a_newer_program_is_refused(database: Database, version: str, words: str) -> None:
    """A revision that this program does not know is not touched, neither by use nor by an upgrade."""
    schema.upgrade(database)
    with database.connect(exclusive=True) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})

    for use in (lambda: database.run_write(employee_rows.count), lambda: schema.upgrade(database)):
        with pytest.raises(SchemaError, match=words):
            use()
    assert schema.schema_status(database).found == version


def test_an_older_schema_is_not_upgraded_behind_anybodys_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other machines may still run the older program, so a person decides when to upgrade."""
    schema.upgrade(database)
    found = schema.HEAD
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "next"))
    monkeypatch.setattr(schema, "HEAD", "next")

    with pytest.raises(SchemaError, match=rf"older \({found}\)"):
        database.run_write(employee_rows.count)


def test_tables_of_another_program_are_not_used(database: Database) -> None:
    """A table named karyawan that no migration of ours made belongs to somebody."""
    with database.connect(exclusive=True) as connection:
        connection.execute(text("CREATE TABLE karyawan (id INTEGER, gaji INTEGER)"))

    with pytest.raises(SchemaError, match="another program"):
        database.run_write(employee_rows.count)
    with pytest.raises(SchemaError, match="another program"):
        schema.upgrade(database)


def test_the_status_of_a_day_is_one_of_four_words(database: Database) -> None:
    """The database itself refuses any other."""
    with database.write() as session:
        person = employee_rows.add(session, code="E001", name="Siti")
    statement = text(
        "INSERT INTO absensi (karyawan_id, tanggal, status, menit_terlambat, menit_kerja, keterangan)"
        " VALUES (:person, '2026-11-02', 'Bolos', 0, 0, '')"
    )

    with pytest.raises(DatabaseError), database.write() as session:
        session.execute(statement, {"person": person.id})


@pytest.mark.mariadb
def test_tables_on_a_server_are_transactional_and_hold_every_letter(mariadb_url: str) -> None:
    """InnoDB and utf8mb4 with exact comparison, whatever the server's defaults; also by the other form of URL."""
    database = Database(mariadb_url.replace("mysql+", "mariadb+"))
    with database.write() as session:
        employee_rows.add(session, code="E001", name="Siti 😀")

    query = "SELECT DISTINCT engine, table_collation FROM information_schema.tables WHERE table_schema = DATABASE()"
    with database.read() as session:
        rows = {tuple(row) for row in session.execute(text(f"{query} AND table_name <> 'alembic_version'"))}
        assert employee_rows.get(session, "E001").name == "Siti 😀"
    assert rows == {("InnoDB", "utf8mb4_bin")}
    database.close()


@pytest.mark.slow
def test_processes_that_open_an_empty_database_at_once_all_find_it_ready(
    database_url: str, run_workers: Callable[..., list[str]]
) -> None:
    """One of them makes the tables, the others wait for it."""
    assert [answer.strip() for answer in run_workers(4, "first-open", database_url)] == ["current"] * 4


def test_a_ready_database_is_opened_without_alembic(sqlite: Database) -> None:
    """Its import would cost every command a quarter of a second."""
    with sqlite.write() as session:
        employee_rows.add(session, code="E001", name="Siti")
    code = (
        "import sys; from smartabsen.store.database import Database; from smartabsen.people import employee_rows;"
        f"print(Database({f'sqlite:///{sqlite.path}'!r}).run_write(employee_rows.count), 'alembic' in sys.modules)"
    )

    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert output.split() == ["1", "False"]

"""An upgrade that is killed in the middle, several at once, and what a newer program left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen.privacy.audit_check_rows import verify
from smartabsen.store import schema
from smartabsen.store.database import Database
from smartabsen.store.schema import SchemaState
from smartabsen.trust import audit_rows
from tests.rows import database, database_url
from tests.store.test_schema import differences

__all__ = ["database", "database_url"]

UPGRADE = """
import os, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from smartabsen.store import schema
from smartabsen.store.database import Database

left = int(sys.argv[2])

def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), 9)

event.listen(Engine, "before_cursor_execute", count)
print(schema.upgrade(Database(sys.argv[1])).state)
"""


def old(database: Database) -> None:
    """Make a database of the first version, with entries in its audit trail."""
    schema.upgrade(database)
    schema.downgrade(database, "0001")
    row = "INSERT INTO audit (at_utc, actor, action, subject, details)"
    row += " VALUES ('2026-11-02 00:00:00.000001', 'a', 'x', '', '{}')"
    with database.connect(exclusive=True) as connection:
        for _ in range(3):
            connection.execute(text(row))


def start(url: str, statements: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", UPGRADE, url, str(statements)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_an_upgrade_that_is_killed_at_any_statement_can_be_run_again(database: Database, database_url: str) -> None:
    """Nothing is half there afterwards, and no data is lost."""
    old(database)
    killed = 0
    for statements in range(6, 400, 9):
        process = start(database_url, statements)
        output, _ = process.communicate(timeout=60)
        if process.returncode == 0:
            assert output.strip() == "current"
            break
        killed += 1
    assert killed >= 2
    assert schema.schema_status(database).state is SchemaState.CURRENT
    assert differences(database) == []
    with database.read() as session:
        assert (verify(session).entries, verify(session).problems) == (3, ())
    with database.write() as session:
        audit_rows.append(session, actor="root", action="after")


@pytest.mark.slow
def test_of_several_upgrades_at_once_one_works_and_the_others_wait(database: Database, database_url: str) -> None:
    """All of them end well."""
    old(database)
    processes = [start(database_url, 0) for _ in range(3)]
    assert [process.communicate(timeout=120)[0].strip() for process in processes] == ["current"] * 3
    assert differences(database) == []


def test_a_newer_database_is_refused_by_the_command_line_and_left_alone(tmp_path: Path) -> None:
    """With exit code 5 and what to do; the status can be looked at all the same."""
    newer = Database(f"sqlite:///{tmp_path / 'smartabsen.db'}")
    schema.upgrade(newer)
    with newer.connect(exclusive=True) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    newer.close()
    before = (tmp_path / "smartabsen.db").read_bytes()
    environment = {**os.environ, "SMARTABSEN_HOME": str(tmp_path)}
    for arguments, words in ((["db", "upgrade"], "newer smartabsen"), (["db", "status"], "newer than this program")):
        command = [sys.executable, "-m", "smartabsen", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 5
        assert words in done.stdout + done.stderr
    assert (tmp_path / "smartabsen.db").read_bytes() == before

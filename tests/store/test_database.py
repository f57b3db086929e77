"""Units of work: their transactions, and errors that people understand instead of a driver's."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import stat
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from smartabsen.kernel.errors import ConfigError, DatabaseError
from smartabsen.store import meta
from smartabsen.store.database import Database, Timeouts
from smartabsen.store.sqlite import DELETE_REASON, WAL_REASON, safe_for_wal

HASTY = Timeouts(connect_s=0.5, ping_s=0.5, answer_s=1.0, busy_s=0.3)


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), False),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 44, 9), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_a_write_ahead_log_is_used_only_where_sqlite_is_free_of_the_reset_bug(
    version: tuple[int, int, int], safe: bool
) -> None:
    """The bug is in 3.7.0 to 3.51.2, but not in 3.44.6 and later of 3.44, nor in 3.50.7 and later of 3.50."""
    assert safe_for_wal(version) is safe


def test_sqlite_is_set_up_to_lose_nothing(sqlite: Database) -> None:
    """Foreign keys hold, commits reach the disk, and the journal mode is the one that the facts explain."""
    with sqlite.read() as session:
        pragmas = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("foreign_keys", "synchronous", "busy_timeout", "journal_mode")
        }

    safe = safe_for_wal(sqlite3.sqlite_version_info)
    assert pragmas == {
        "foreign_keys": 1,
        "synchronous": 2 if safe else 3,
        "busy_timeout": 2000,
        "journal_mode": "wal" if safe else "delete",
    }
    facts = sqlite.database_facts()
    assert (facts.kind, facts.version) == ("SQLite", sqlite3.sqlite_version)
    assert (facts.journal_mode, facts.journal_reason) == ("wal", WAL_REASON) if safe else ("delete", DELETE_REASON)


def test_facts_of_a_missing_file_do_not_create_it(tmp_path: Path) -> None:
    """Looking at a database that was never used leaves no file behind."""
    path = tmp_path / "nowhere" / "smartabsen.db"

    facts = Database(f"sqlite:///{path}").database_facts()

    assert facts.address == str(path)
    assert not path.parent.exists()


@pytest.mark.mariadb
def test_facts_of_a_server_name_it_without_the_password(mariadb_url: str) -> None:
    """Kind and version are the server's own; the address shows neither password nor options."""
    url = make_url(mariadb_url).update_query_dict({"connect_timeout": "2"})

    facts = Database(url.render_as_string(hide_password=False)).database_facts()

    assert facts.kind == "MariaDB"
    assert re.match(r"1\d\.", facts.version)
    assert facts.address == url.set(password=None, query={}).render_as_string()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes of files")
def test_a_new_database_is_private(sqlite: Database) -> None:
    """Nobody but the owner can read the file or enter the directory that was made for it."""
    with sqlite.write():
        pass

    assert sqlite.path is not None
    assert stat.S_IMODE(sqlite.path.stat().st_mode) == 0o600


def test_an_exception_undoes_the_whole_unit(database: Database) -> None:
    """What was written before the exception is not there afterwards, and the exception is the caller's own."""
    with pytest.raises(KeyError, match="mine"), database.write() as session:
        meta.put(session, "a", "1")
        raise KeyError("mine")

    with database.read() as session:
        assert meta.find(session, "a") is None


def test_a_reader_cannot_write(database: Database) -> None:
    """A unit that only reads is refused by the database itself when it writes; the next one may write again."""
    with pytest.raises(DatabaseError, match="only be read"), database.read() as session:
        meta.put(session, "a", "1")

    with database.write() as session:
        meta.put(session, "a", "2")


def test_a_reader_sees_one_state_throughout(database: Database, database_url: str) -> None:
    """What another process commits between two queries of a unit does not show in the second one."""
    with database.write() as session:
        meta.put(session, "a", "1")
    committed = threading.Event()

    def change() -> None:
        other = Database(database_url)
        with other.write() as session:
            meta.put(session, "a", "2")
        other.close()
        committed.set()

    writer = threading.Thread(target=change)
    with database.read() as session:
        before = meta.find(session, "a")
        writer.start()
        # SQLite without a write-ahead log lets the writer wait for the reader instead.
        committed.wait(0.5)
        after = meta.find(session, "a")
    writer.join()

    assert (before, after) == ("1", "1")
    with database.read() as session:
        assert meta.find(session, "a") == "2"


def test_a_second_writer_waits_and_then_is_told_that_the_database_is_busy(
    database: Database, database_url: str
) -> None:
    """Two writers of the same row come one after the other; patience ends with an error that says what to do."""
    with database.write() as session:
        meta.put(session, "a", "1")
    hasty = Database(database_url, timeouts=Timeouts(busy_s=1.0))

    with database.write() as session:
        meta.put(session, "a", "2")
        with pytest.raises(DatabaseError, match="busy with other writers") as caught, hasty.write() as other:
            meta.put(other, "a", "3")

    assert "Try again" in caught.value.hint
    with hasty.write() as other:
        meta.put(other, "a", "4")
    hasty.close()


@pytest.mark.mariadb
def test_a_unit_that_lost_a_deadlock_inside_a_savepoint_is_run_again(mariadb_url: str) -> None:
    """The server has undone all of it, so what is reported is the savepoint that is gone."""
    database = Database(mariadb_url)
    runs: list[int] = []

    def work(session: Session) -> None:
        runs.append(1)
        meta.put(session, "a", "1")
        if len(runs) == 1:
            with session.begin_nested():
                session.connection().exec_driver_sql("ROLLBACK")
                raise KeyError

    database.run_write(work)

    assert len(runs) == 2
    database.close()


@pytest.mark.mariadb
def test_a_unit_that_lost_a_deadlock_is_run_again(mariadb_url: str) -> None:
    """Two units that lock two rows in opposite order both end up stored."""
    database = Database(mariadb_url)
    with database.write() as session:
        meta.put(session, "a", "")
        meta.put(session, "b", "")
    both_hold_one = threading.Barrier(2)
    runs: list[str] = []

    def work(session: Session, first: str, second: str) -> None:
        runs.append(first)
        meta.put(session, first, f"by {first}")
        if runs.count(first) == 1:
            both_hold_one.wait(5)
        meta.put(session, second, f"by {first}")

    threads = [
        threading.Thread(target=database.run_write, args=[lambda s, f=f, g=g: work(s, f, g)]) for f, g in ("ab", "ba")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(runs) == 3
    with database.read() as session:
        assert meta.find(session, "a") == meta.find(session, "b") != ""
    database.close()


def refuse(url: str) -> DatabaseError:
    database = Database(url, timeouts=HASTY)
    with pytest.raises(DatabaseError) as caught, database.read() as session:
        meta.find(session, "a")
    database.close()
    return caught.value


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize("port", ["silent_port", "closed_port"])
def test_a_server_that_does_not_answer_is_reported_soon(port: str, request: pytest.FixtureRequest) -> None:
    """A peer that is away, or accepts and stays silent, costs the time that was allowed and no more."""
    began = time.monotonic()

    error = refuse(f"mysql+pymysql://user:secret@127.0.0.1:{request.getfixturevalue(port)}/smartabsen")

    assert error.message_id == "The database {address} does not answer."
    assert time.monotonic() - began < 3


@pytest.mark.mariadb
def test_a_wrong_password_is_said_and_never_shown(mariadb_url: str) -> None:
    """Neither the message nor the traceback with all its causes holds the password."""
    url = make_url(mariadb_url).set(username="nobody-of-ours", password="p4ss-w0rd:@/")

    error = refuse(url.render_as_string(hide_password=False))

    assert "refuses this user name or password" in str(error)
    everything = "".join(traceback.format_exception(error)) + repr(error.params) + error.hint
    assert "p4ss" not in everything


@pytest.mark.mariadb
def test_a_missing_database_on_the_server_is_said(mariadb_url: str) -> None:
    """The hint tells how to make it."""
    error = refuse(make_url(mariadb_url).set(database="nothing_of_ours").render_as_string(hide_password=False))

    assert "CREATE DATABASE" in error.hint


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Somebody's text file in the place of the database is not overwritten."""
    path = tmp_path / "smartabsen.db"
    path.write_bytes(b"These are my notes. " * 100)

    error = refuse(f"sqlite:///{path}")

    assert "damaged, or no database" in str(error)
    assert path.read_bytes() == b"These are my notes. " * 100


def test_a_directory_that_cannot_be_made_is_a_database_error(tmp_path: Path) -> None:
    """A file in the way of the directory is a problem of the database, with the exit code of one."""
    (tmp_path / "file").write_text("in the way")

    assert str(tmp_path) in str(refuse(f"sqlite:///{tmp_path / 'file' / 'smartabsen.db'}"))


def test_a_directory_in_place_of_the_file_is_called_that(tmp_path: Path) -> None:
    """Before SQLite is asked, whose own words do not say it."""
    assert "it is a directory, not a file" in str(refuse(f"sqlite:///{tmp_path}"))


def test_a_full_disk_is_said(sqlite: Database) -> None:
    """The transaction is undone and the message names the disk."""
    with pytest.raises(DatabaseError, match="full"), sqlite.write() as session:
        session.execute(text("PRAGMA max_page_count = 1"))
        meta.put(session, "a", "x" * 10_000_000)


def test_a_database_that_may_only_be_read_is_said(sqlite: Database) -> None:
    """As on a read-only disk; reading goes on."""
    with sqlite.write() as session:
        meta.put(session, "a", "1")
    sqlite.close()
    read_only = f"file:{sqlite.path}?mode=ro"
    event.listen(sqlite._engine, "do_connect", lambda *_: sqlite3.connect(read_only, uri=True), insert=True)

    with pytest.raises(DatabaseError, match="only be read"), sqlite.write() as session:
        meta.put(session, "a", "2")

    with sqlite.read() as session:
        assert meta.find(session, "a") == "1"


def test_what_was_to_be_stored_is_not_in_the_error(database: Database) -> None:
    """An unforeseen refusal gives the driver's own words, without the values of the statement."""
    value = " ".join(["private", "matter"])
    with pytest.raises(DatabaseError, match="nowhere") as caught, database.write() as session:
        session.execute(text("INSERT INTO nowhere VALUES (:value)"), {"value": value})

    assert value not in "".join(traceback.format_exception(caught.value))


def test_a_damaged_database_is_said(sqlite: Database) -> None:
    """Pages overwritten with noise give our error when they are read, not a driver's."""
    with sqlite.write() as session:
        meta.put(session, "a", "x" * 100_000)
    sqlite.close()
    assert sqlite.path is not None
    with sqlite.path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(80_000))

    assert "damaged" in str(refuse(f"sqlite:///{sqlite.path}"))


@pytest.mark.parametrize(
    "url", ["", "no url", "postgresql://user:secret@host/x", "sqlite://", "sqlite:///:memory:", "mysql+pymysql://host"]
)
def test_an_address_that_cannot_be_used_is_a_setting_to_mend(url: str) -> None:
    """The hint shows what an address looks like; a password in it is not repeated."""
    with pytest.raises(ConfigError, match="database") as caught:
        Database(url)

    assert "secret" not in str(caught.value)
    assert "mysql+pymysql://" in caught.value.hint


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_makes_its_own_connections(database: Database) -> None:
    """A child uses none of its parent's connections and leaves them usable."""
    with database.write() as session:
        meta.put(session, "a", "parent")

    child = os.fork()
    if child == 0:
        try:
            with database.write() as session:
                meta.put(session, "a", "child")
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    with database.read() as session:
        assert meta.find(session, "a") == "child"


def test_a_missing_database_of_a_server_is_made_under_the_name_of_the_address(mariadb_url: str) -> None:
    """The command of the hint works as it stands."""
    url = make_url(mariadb_url)
    other = Database(url.set(database=f"{url.database}_no").render_as_string(hide_password=False))
    with pytest.raises(DatabaseError) as caught, other.read():
        pass
    assert f"CREATE DATABASE {url.database}_no " in caught.value.hint


def test_a_disk_that_fills_inside_a_savepoint_is_called_full(tmp_path: Path) -> None:
    """SQLite undoes the whole transaction then: that there is no savepoint any more is not what went wrong."""
    database = Database(f"sqlite:///{tmp_path / 'smartabsen.db'}")
    with database.read() as session:
        pages = session.scalar(text("PRAGMA page_count"))
    with pytest.raises(DatabaseError, match="full"), database.write() as session:
        session.execute(text(f"PRAGMA max_page_count = {pages}"))
        with session.begin_nested():
            meta.put(session, "a", "x" * 1_000_000)
    database.close()


def test_connections_of_a_time_when_the_disk_could_only_be_read_are_replaced(sqlite: Database) -> None:
    """By the first unit of work that writes, and not by a failure for each."""
    sqlite.run_write(lambda session: meta.put(session, "kept", "1"))
    read_only = [True]

    @event.listens_for(sqlite._engine, "do_connect")
    def _connect(*_: object) -> sqlite3.Connection | None:
        if not read_only[0]:
            return None
        return sqlite3.connect(f"file:{sqlite.path}?mode=ro", uri=True, check_same_thread=False)

    sqlite._engine.dispose()
    with sqlite.read() as first, sqlite.read() as second:
        assert meta.find(first, "kept") == meta.find(second, "kept") == "1"
    with pytest.raises(DatabaseError, match="can only be read"):
        sqlite.run_write(lambda session: meta.put(session, "kept", "2"))
    with sqlite.read() as first, sqlite.read() as second:
        assert meta.find(first, "kept") == meta.find(second, "kept") == "1"
    read_only[0] = False
    sqlite.run_write(lambda session: meta.put(session, "kept", "3"))
    with sqlite.read() as session:
        assert meta.find(session, "kept") == "3"

"""SQLite as this program uses it: durable, one writer at a time, and a journal that is safe on its version."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ..kernel.i18n import N_
from ..kernel.reading import check_kind, refuse_odd
from .files import PRIVATE_FILE, make_private_directory, storage_errors

WAL_REASON: Final = N_("this SQLite is free of the WAL-reset bug")
DELETE_REASON: Final = N_("this SQLite carries the WAL-reset bug, which can damage a database in WAL mode")
OTHER_REASON: Final = N_("another program holds the database open and keeps the mode as it is")
_creating = threading.Lock()


def safe_for_wal(version: tuple[int, ...]) -> bool:
    """Return whether a version of SQLite can be trusted with a write-ahead log.

    The WAL-reset bug can damage a database when two connections write and checkpoint at the same moment. It came with
    3.7.0 and was mended in 3.51.3, in 3.50.7 and in 3.44.6 (SQLite's release notes of March 2026). There is no WAL
    before 3.7.0.
    """
    if version[:2] == (3, 50):
        return version >= (3, 50, 7)
    if version[:2] == (3, 44):
        return version >= (3, 44, 6)
    return version >= (3, 51, 3)


def wanted_journal_mode() -> str:
    """Return ``wal`` where the SQLite in use is safe for it, else ``delete``."""
    return "wal" if safe_for_wal(sqlite3.sqlite_version_info) else "delete"


def prepare_connection(connection: sqlite3.Connection) -> None:
    """Set a new connection up: our own BEGIN, foreign keys, durability, journal mode.

    ``synchronous`` is FULL with a write-ahead log, and EXTRA with a journal that is deleted: FULL alone leaves the
    deletion in the directory unsynced, so that a power cut right after a commit could bring the journal back, and with
    it the old state.
    """
    # SQLAlchemy's documented way: the driver begins nothing; the engine's "begin" event does.
    connection.isolation_level = None
    wanted = wanted_journal_mode()
    mode = _pragma(connection, "journal_mode")
    if mode != wanted:
        # Another connection can keep it from changing; facts about the database then say so.
        with suppress(sqlite3.OperationalError):
            mode = _pragma(connection, f"journal_mode = {wanted}")
    _pragma(connection, f"synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}")
    _pragma(connection, "foreign_keys = ON")
    # What is deleted is overwritten: an erased face is not left in free pages.
    _pragma(connection, "secure_delete = ON")
    # On macOS fsync alone does not reach the disk; elsewhere this changes nothing.
    _pragma(connection, "fullfsync = ON")


def scrub(connection: Any) -> None:
    """Write a database file anew without what was deleted, and empty its write-ahead log. Not within a transaction."""
    connection.execute("PRAGMA query_only = OFF")
    for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
        with suppress(sqlite3.OperationalError):
            connection.execute(statement).fetchall()


def begin_immediate(connection: sqlite3.Connection, *, patience_s: float) -> None:
    """Begin a write transaction, waiting for other writers.

    SQLite's own waiting is unfair: who has waited long asks ever more seldom. With eight processes writing, this loop
    brought the longest wait from seconds down to tenths.

    Raises:
        sqlite3.OperationalError: Others were writing for longer than ``patience_s``.
    """
    deadline = time.monotonic() + patience_s
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as exc:
                if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            else:
                return
            time.sleep(random.uniform(0.0005, 0.003))  # noqa: S311 - spreads writers, no secret
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(1000 * patience_s)}")


def journal_facts(mode: str) -> str:
    """Return why a database is in its journal mode, as a message id."""
    if mode != wanted_journal_mode():
        return OTHER_REASON
    return WAL_REASON if mode == "wal" else DELETE_REASON


def create_private_file(path: Path) -> None:
    """Create an empty database file that only its owner can read; leave an existing one alone.

    Opening and closing a file drops all POSIX locks that this process holds on it, so an existing database must not
    even be opened here, and nobody may open the new one before it is closed: hence the lock.

    Raises:
        StorageError: The directory cannot be written.
    """
    with _creating, storage_errors(path):
        if path.exists():
            refuse_odd(path, directory=False)
            # SQLite looks into its journal as well, and would wait for a named pipe there. Journals come and go.
            for ending in ("-journal", "-wal"):
                beside = path.with_name(path.name + ending)
                with suppress(FileNotFoundError):
                    check_kind(beside.stat().st_mode, beside)
            return
        make_private_directory(path.parent)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))


def _pragma(connection: sqlite3.Connection, text: str) -> str:
    row = connection.execute(f"PRAGMA {text}").fetchone()
    return str(row[0]) if row else ""

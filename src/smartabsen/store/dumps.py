"""A consistent copy of the live database in a file, and back: prepared beside it, then put in its place in one step.

SQLite by its own backup interface, in both directions: other processes keep their connections, and a death in the
middle leaves the old content. A server by ``mariadb-dump --single-transaction``, and back into a database of its own,
whose tables then change places with the live ones by one RENAME.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from ..kernel.errors import DatabaseError, IntegrityError, MissingDependencyError, StorageError
from ..kernel.i18n import N_
from ..kernel.reading import open_file
from . import schema
from .database import Database
from .files import nameless_file, storage_errors
from .leftovers import MAKING, working_folder
from .sqlite import create_private_file

SQLITE: Final = "sqlite"
SERVER: Final = "server"
_ENDING: Final = b"-- Dump completed"
_VERSIONS_AT: Final = 18
"""Where SQLite's header says how the file is written and read: 1 with a rollback journal, 2 with a write-ahead log."""
_PATIENCE_S: Final = 10.0
_LONGEST_S: Final = 4 * 3600


def kind_of(database: Database) -> str:
    """Return how a database is stored in a backup."""
    return SQLITE if database.path else SERVER


@dataclass(frozen=True, slots=True)
class Identity:
    """What a database says of itself, whatever its schema: empty where it does not know."""

    schema: str
    database_id: str
    audit_head: str


def identify(database: Database) -> Identity:
    """Read revision, identity and head of the audit trail, also of an older or newer schema. Raises DatabaseError."""
    with database.connect() as connection:
        found = schema.read_status(connection).found
        facts = {name: _fact(connection, name) for name in ("database_id", "audit_head")} if found else {}
    return Identity(found, facts.get("database_id", ""), facts.get("audit_head", ""))


def is_damaged(database: Database) -> bool:
    """Return whether there is a file in the database's place that SQLite cannot read as one."""
    if database.path is None or not database.path.exists():
        return False
    try:
        with closing(sqlite3.connect(database.path, timeout=_PATIENCE_S)) as connection:
            return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok"
    except sqlite3.Error as exc:
        return getattr(exc, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside(database: Database) -> Path:
    """Move a damaged file, with what belongs to it, to another name, and return that. Raises StorageError."""
    assert database.path is not None
    database.close()
    aside = database.path.with_name(f"{database.path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    with storage_errors(database.path):
        for ending in ("", "-journal", "-wal", "-shm"):
            part = database.path.with_name(database.path.name + ending)
            if part.exists():
                part.replace(aside.with_name(aside.name + ending))
    return aside


def dump(database: Database, directory: Path) -> BinaryIO:
    """Return a consistent copy, made while others write, in an open file without a name.

    Args:
        directory: On whose disk; it exists.

    Raises:
        DatabaseError: The database does not answer.
        MissingDependencyError: The server's client programs are not installed.
        StorageError: The file cannot be written.
        IntegrityError: The copy is not complete.
    """
    return _dump_server(database, directory) if database.path is None else _dump_sqlite(database, directory)


def _dump_sqlite(database: Database, directory: Path) -> BinaryIO:
    """SQLite opens files by their names alone: this one loses its name as soon as it is open, and still empty."""
    with ExitStack() as failing, ExitStack() as connections:
        with working_folder(directory, MAKING) as folder:
            path = folder / "database.sqlite"
            create_private_file(path)
            file = failing.enter_context(path.open("r+b"))
            copy, look = (connections.enter_context(closing(sqlite3.connect(path))) for _ in range(2))
            for each in (copy, look):
                each.execute("PRAGMA journal_mode = OFF")
                each.execute("PRAGMA schema_version").fetchone()
            # Where an open file cannot be removed (Windows), the folder goes with its owner, or is swept.
            with suppress(OSError):
                path.unlink()
            with database.connect() as connection, _full_disk(directory):
                driver: Any = connection.connection.dbapi_connection
                driver.backup(copy, progress=_Patience())
            # The copy is whole and has no log of its own: “1” in the header says so, whatever the original does.
            file.seek(_VERSIONS_AT)
            file.write(b"\1\1")
            file.flush()
            if look.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
                raise _incomplete()
            connections.close()
        failing.pop_all()
        return file


def check_dump(path: Path, kind: str) -> None:
    """Check that a copy is complete. Raises IntegrityError."""
    if kind == SQLITE:
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        except sqlite3.Error as exc:
            found = str(exc)
        whole = found == "ok"
    else:
        with storage_errors(path), open_file(path) as file:
            whole = _ends_well(file)
    if not whole:
        raise _incomplete()


def _incomplete() -> IntegrityError:
    return IntegrityError(N_("The copy of the database is not complete."), hint=N_("Take another backup."))


@contextmanager
def staged(live: Database, dumped: Path, open_database: Callable[[str], Database]) -> Iterator[tuple[Database, Swap]]:
    """Give a copy as a database of its own beside the live one, and a function that puts it in its place.

    The copy is gone after the ``with`` block, swapped or not.

    Raises:
        DatabaseError: A server refuses a further database.
        IntegrityError: The copy cannot be read.
    """
    if live.path is not None:
        database = open_database(f"sqlite:///{dumped}")
        try:
            yield database, lambda: _swap_sqlite(dumped, live)
        finally:
            database.close()
        return
    url = live.url
    name = f"{url.database}_restore_{uuid.uuid4().hex[:8]}"
    with _schema(live, name):
        _load_server(url.set(database=name), live, dumped)
        database = open_database(url.set(database=name).render_as_string(hide_password=False))
        try:
            yield database, lambda: _swap_server(live, name)
        finally:
            database.close()


Swap = Callable[[], None]


def _swap_sqlite(staged_path: Path, live: Database) -> None:
    """Write the copy over the live file page by page, in one transaction of SQLite's own."""
    assert live.path is not None
    create_private_file(live.path)
    live.close()
    with closing(sqlite3.connect(staged_path)) as source, closing(sqlite3.connect(live.path, timeout=10)) as target:
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        source.execute("PRAGMA journal_mode = DELETE")
        try:
            target.execute("PRAGMA synchronous = EXTRA")
            with _full_disk(live.path):
                source.backup(target, progress=_Patience())
        except sqlite3.Error as exc:
            raise DatabaseError(
                N_("The database {address} could not be replaced: {problem}"),
                hint=N_("Stop kiosks and servers, then try again; it is as it was."),
                address=live.path,
                problem=exc,
            ) from exc


def _swap_server(live: Database, staged_name: str) -> None:
    aside = f"{staged_name}_old"
    with _schema(live, aside), live.connect(exclusive=True) as connection:
        own = str(live.url.database)
        out, into = _tables(connection, own), _tables(connection, staged_name)
        moves = [f"`{own}`.`{table}` TO `{aside}`.`{table}`" for table in out]
        moves += [f"`{staged_name}`.`{table}` TO `{own}`.`{table}`" for table in into]
        connection.execute(text(f"RENAME TABLE {', '.join(moves)}"))
    live.close()


def _tables(connection: Connection, schema: str) -> list[str]:
    query = text("SELECT table_name FROM information_schema.tables WHERE table_schema = :name ORDER BY table_name")
    return [str(name) for name in connection.scalars(query, {"name": schema})]


@contextmanager
def _schema(live: Database, name: str) -> Iterator[None]:
    sweep(live)
    with live.connect() as owner:
        # Told by its lock, which ends with the connection of a program that is killed.
        owner.scalar(_TAKE, {"name": name})
        with _made_schema(live, name):
            yield
        owner.scalar(text("SELECT RELEASE_LOCK(:name)"), {"name": name})


def sweep(live: Database) -> int:
    """Drop what a restore that was killed left on a server beside the live database; return how many that were.

    Where that cannot be looked at or is refused, it stays.
    """
    if live.path is not None:
        return 0
    count = 0
    with suppress(DatabaseError), live.connect(exclusive=True) as connection:
        own = str(live.url.database)
        names = [str(name) for name in connection.scalars(_SCHEMAS, {"length": len(own), "own": own})]
        for name in names:
            if not _LEFT.fullmatch(name.removeprefix(own)) or connection.scalar(_TAKE, {"name": name}) != 1:
                continue
            connection.execute(text(f"DROP DATABASE IF EXISTS `{name}`"))
            connection.scalar(text("SELECT RELEASE_LOCK(:name)"), {"name": name})
            count += 1
    return count


_LEFT: Final = re.compile(r"_restore_[0-9a-f]{8}(_old)?")
_TAKE: Final = text("SELECT GET_LOCK(:name, 0)")
_SCHEMAS: Final = text("SELECT schema_name FROM information_schema.schemata WHERE LEFT(schema_name, :length) = :own")


@contextmanager
def _made_schema(live: Database, name: str) -> Iterator[None]:
    try:
        with live.connect(exclusive=True) as connection:
            connection.execute(text(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"))
    except DatabaseError as exc:
        raise DatabaseError(
            N_("The server refuses the database {name}, in which the backup is to be checked."),
            hint=N_("Grant it for the time of the restore: GRANT ALL ON `{pattern}`.* TO the user of smartabsen"),
            name=name,
            pattern=f"{live.url.database}\\_restore\\_%",
        ) from exc
    try:
        yield
    finally:
        with suppress(DatabaseError), live.connect(exclusive=True) as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS `{name}`"))


def _ends_well(file: BinaryIO) -> bool:
    file.seek(max(0, file.seek(0, os.SEEK_END) - 500))
    return _ENDING in file.read()


def _dump_server(database: Database, directory: Path) -> BinaryIO:
    options = [
        "--single-transaction",
        "--skip-lock-tables",
        "--quick",
        "--hex-blob",
        "--no-tablespaces",
        "--default-character-set=utf8mb4",
    ]
    command = [_program("mariadb-dump", "mysqldump"), *_login(database.url), *options, str(database.url.database)]
    with ExitStack() as failing, storage_errors(directory):
        file = failing.enter_context(nameless_file(directory))
        _run(command, database, stdout=file)
        if not _ends_well(file):
            raise _incomplete()
        failing.pop_all()
        return file


def _load_server(url: URL, live: Database, dumped: Path) -> None:
    # In binary mode the client runs no commands of its own that stand in a file.
    options = ["--binary-mode", "--default-character-set=utf8mb4", "--batch"]
    command = [_program("mariadb", "mysql"), *_login(url), *options, str(url.database)]
    with storage_errors(dumped), open_file(dumped) as file:
        _run(command, live, stdin=file)


def _run(command: list[str], database: Database, **streams: Any) -> None:
    environment = {**os.environ, "MYSQL_PWD": str(database.url.password or "")}
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        command, env=environment, stderr=subprocess.PIPE, timeout=_LONGEST_S, check=False, **streams
    )
    if done.returncode:
        problem = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        if "Errcode: 28" in problem or "No space left" in problem:
            raise StorageError(N_("The disk is full: {path} cannot be written."), path=database.address)
        raise DatabaseError(
            N_("The database {address} reports a problem: {problem}"), address=database.address, problem=problem
        )


def _login(url: URL) -> list[str]:
    named = {"host": url.host, "port": url.port, "user": url.username, "socket": url.query.get("unix_socket")}
    given = [f"--{name}={value}" for name, value in named.items() if value]
    tls = {"ssl_ca": "ssl-ca", "ssl_cert": "ssl-cert", "ssl_key": "ssl-key"}
    given += [f"--{option}={url.query[name]}" for name, option in tls.items() if name in url.query]
    # No file of this machine's user may change what is done.
    return ["--no-defaults", *given]


def _program(*names: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    raise MissingDependencyError(
        N_("Backups of a database server need its client programs ({names})."),
        hint=N_("Install them: apt install mariadb-client"),
        names=", ".join(names),
    )


def _fact(connection: Connection, name: str) -> str:
    return str(connection.scalar(text("SELECT value FROM meta WHERE name = :name"), {"name": name}) or "")


class _Patience:
    """Ends a copy that waits for a lock: Python's own loop would wait for ever."""

    def __init__(self) -> None:
        self._left = -1
        self._until = 0.0

    def __call__(self, status: int, remaining: int, total: int) -> None:  # noqa: ARG002 - sqlite3's signature
        if remaining != self._left:
            self._left, self._until = remaining, time.monotonic() + _PATIENCE_S
        elif time.monotonic() > self._until:
            raise sqlite3.OperationalError("another program holds the database")


@contextmanager
def _full_disk(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as exc:
        if getattr(exc, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_FULL:
            raise
        raise StorageError(
            N_("The disk is full: {path} cannot be written."), hint=N_("Free some space, then try again."), path=path
        ) from exc

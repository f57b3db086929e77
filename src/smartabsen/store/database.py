"""The connection to the database: units of work, their transactions, and errors that people understand."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session as Session  # the one way to it for `core`
from sqlalchemy.pool import NullPool

from ..errors import ConfigError, DatabaseError, MissingDependencyError, StorageError
from ..i18n import N_
from . import schema
from .faults import is_worth_another_try, translated
from .sqlite import (
    begin_immediate,
    create_private_file,
    journal_facts,
    prepare_connection,
    scrub,
    wanted_journal_mode,
)

T = TypeVar("T")
_ATTEMPTS: Final = 5
_MODE: Final = "smartabsen_mode"
_MYSQL_DRIVERS: Final = ("mysql+pymysql", "mariadb+pymysql")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the database may take before it counts as away, in seconds.

    Attributes:
        connect_s: To get a connection to a server.
        answer_s: For a server to answer, and for a free connection of the pool; longer than ``busy_s``.
        busy_s: For another writer to finish.
    """

    connect_s: float = 3.0
    answer_s: float = 8.0
    busy_s: float = 5.0


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What ``doctor`` says about a database.

    Attributes:
        kind: ``SQLite``, ``MariaDB`` or ``MySQL``.
        version: Of SQLite, or of the server.
        address: Path or URL, without a password.
        journal_mode: ``wal`` or ``delete``; empty for a server.
        journal_reason: Why, as a message id; empty for a server.
    """

    kind: str
    version: str
    address: str
    journal_mode: str = ""
    journal_reason: str = ""


class Database:
    """A database by its URL. Nothing is opened before the first unit of work, which makes an empty one ready.

    Threads share one; a forked child leaves its parent's connections alone and makes its own.

    Args:
        url: ``sqlite:///path``, ``mysql+pymysql://user:password@host/name`` or ``mariadb+pymysql://...``.
        timeouts: How long to wait for what.
        on_ready: Called once, before the first unit of work is given out and when the schema is current.

    Raises:
        ConfigError: The URL is none of these.
    """

    def __init__(
        self, url: str, *, timeouts: Timeouts | None = None, on_ready: Callable[[Database], None] | None = None
    ) -> None:
        self._on_ready = on_ready
        self._url = _checked(url)
        self._timeouts = timeouts or Timeouts()
        self._engine = self._make_engine()
        self._ready = False
        self._preparing = threading.Lock()
        self._pid = os.getpid()

    @property
    def address(self) -> str:
        """The path, or the URL without password and options: fit to be shown."""
        if self.path:
            return str(self.path)
        return self._url.set(password=None, query={}).render_as_string()

    @property
    def path(self) -> Path | None:
        """The file of SQLite, None for a server."""
        return Path(str(self._url.database)) if self._url.drivername == "sqlite" else None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that sees one consistent state and cannot write, for a ``with`` block.

        Raises:
            DatabaseError: The database does not answer, or refuses.
        """
        with self._translating(), self._unit("read") as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session in one write transaction, committed at the end of the ``with`` block, undone by an exception.

        On SQLite the transaction holds the write lock from its start (BEGIN IMMEDIATE). On a server it sees what others
        have committed at each statement (READ COMMITTED).

        Raises:
            DatabaseError: The database does not answer, or refuses. After an error at the end the transaction may or
                may not have been stored.
        """
        with self._translating(), self._unit("write") as session:
            yield session

    def run_write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one write transaction, and again where the server undid it for the sake of another one.

        Args:
            work: Gets the session; may be called several times, so it must have no effects outside the database.

        Raises:
            DatabaseError: The database does not answer, refuses, or is still too busy after several attempts.
        """
        with self._translating():
            for attempt in range(1, _ATTEMPTS):
                try:
                    with self._unit("write") as session:
                        return work(session)
                except SQLAlchemyError as exc:
                    if not is_worth_another_try(exc):
                        raise
                time.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - spreads writers, no secret
            with self._unit("write") as session:
                return work(session)

    @contextmanager
    def connect(self, *, exclusive: bool = False) -> Iterator[Connection]:
        """Give a plain connection, whatever the schema, for a ``with`` block. For the schema and for checks.

        Args:
            exclusive: In a write transaction and without a limit on the time to answer, committed at the end.
        """
        with self._translating():
            if not exclusive:
                self._stay_in_process()
                with self._of(self._engine, "read").connect() as connection:
                    yield connection
                return
            engine = self._make_engine(patient=True)
            try:
                with self._of(engine, "write").begin() as connection:
                    yield connection
            finally:
                engine.dispose()

    def database_facts(self) -> DatabaseFacts:
        """Return kind, version and journal of the database; a file that is missing is not created.

        Raises:
            DatabaseError: It does not answer, or is no database.
        """
        if self.path:
            mode = wanted_journal_mode()
            if self.path.exists():
                with self.connect() as connection:
                    mode = str(connection.scalar(text("PRAGMA journal_mode")))
            return DatabaseFacts("SQLite", sqlite3.sqlite_version, self.address, mode, journal_facts(mode))
        with self.connect() as connection:
            version = str(connection.scalar(text("SELECT VERSION()")))
        return DatabaseFacts("MariaDB" if "mariadb" in version.lower() else "MySQL", version, self.address)

    def scrub(self) -> None:
        """Wipe what was deleted or replaced out of SQLite's files; nothing on a server.

        Another connection in the middle of its work can keep the file from being written anew: the pages that are free
        are zeroed all the same.
        """
        if self.path:
            connection = self._engine.raw_connection()
            try:
                scrub(connection.dbapi_connection)
            finally:
                connection.close()

    def close(self) -> None:
        """Close all connections that no unit of work is using. The database can be used again."""
        self._engine.dispose()

    @contextmanager
    def _unit(self, mode: str) -> Iterator[Session]:
        self._stay_in_process()
        if not self._ready:
            with self._preparing:
                if not self._ready:
                    schema.ensure_current(self)
                    self._ready = True
                    self._tell_ready()
        with Session(self._of(self._engine, mode), expire_on_commit=False) as session, session.begin():
            yield session

    def _tell_ready(self) -> None:
        if self._on_ready is not None:
            try:
                self._on_ready(self)
            except BaseException:
                self._ready = False
                raise

    @staticmethod
    def _of(engine: Engine, mode: str) -> Engine:
        return engine.execution_options(**{_MODE: mode})

    def _stay_in_process(self) -> None:
        if self._pid != os.getpid():
            # Connections belong to the parent: a child must neither use nor close them.
            self._engine.dispose(close=False)
            self._pid = os.getpid()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        driver_error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        try:
            yield
        except (SQLAlchemyError, driver_error) as exc:
            raise translated(exc, self.address) from exc

    def _make_engine(self, *, patient: bool = False) -> Engine:
        options: dict[str, Any] = {"hide_parameters": True, "poolclass": NullPool if patient else None}
        if not patient:
            options["pool_timeout"] = self._timeouts.answer_s
        if self.path:
            engine = create_engine(self._url, connect_args={"timeout": self._timeouts.busy_s}, **options)
            event.listen(engine, "do_connect", self._create_file)
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", self._begin_sqlite)
            return engine
        if not patient:
            options |= {"pool_pre_ping": True, "pool_recycle": 1800}
        answer_s = 3600.0 if patient else self._timeouts.answer_s
        given = {
            "charset": "utf8mb4",
            "connect_timeout": self._timeouts.connect_s,
            "read_timeout": answer_s,
            "write_timeout": answer_s,
            "init_command": f"SET SESSION innodb_lock_wait_timeout = {max(1, round(self._timeouts.busy_s))}",
        }
        engine = create_engine(
            self._url,
            connect_args={name: value for name, value in given.items() if name not in self._url.query},
            **options,
        )
        event.listen(engine, "do_connect", _connect_mysql)
        event.listen(engine, "begin", _begin_mysql)
        return engine

    def _create_file(self, *_: object) -> None:
        assert self.path is not None
        try:
            create_private_file(self.path)
        except StorageError as exc:
            raise DatabaseError(exc.message_id, hint=exc.hint_id, **exc.params) from exc

    def _begin_sqlite(self, connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        if _mode(connection) == "write":
            driver.execute("PRAGMA query_only = OFF")
            begin_immediate(driver, patience_s=self._timeouts.busy_s)
        else:
            driver.execute("PRAGMA query_only = ON")
            driver.execute("BEGIN")


def _checked(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError as exc:
        raise ConfigError(
            N_("The address of the database cannot be understood."),
            hint=N_("It looks like mysql+pymysql://user:password@host/smartabsen, or sqlite:////path/to/file.db."),
        ) from exc
    if url.drivername == "sqlite" and url.database and url.database != ":memory:":
        return url.set(database=str(Path(url.database).absolute()))
    if url.drivername in _MYSQL_DRIVERS and url.database:
        return url
    raise ConfigError(
        N_("The database {address} is none that smartabsen can use."),
        hint=N_("It looks like mysql+pymysql://user:password@host/smartabsen, or sqlite:////path/to/file.db."),
        address=url.set(password=None, query={}).render_as_string(),
    )


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    prepare_connection(connection)


def _begin_mysql(connection: Connection) -> None:
    mode = _mode(connection)
    # Writers must see what others committed while they waited for a lock; readers want one state throughout. The
    # level stays with the connection, so it is set only when the connection changes sides.
    level = "READ COMMITTED" if mode == "write" else "REPEATABLE READ"
    if connection.info.get(_MODE) != mode:
        connection.exec_driver_sql(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
        connection.info[_MODE] = mode
    if mode == "read":
        connection.exec_driver_sql("START TRANSACTION READ ONLY")


def _mode(connection: Connection) -> str:
    return str(connection.get_execution_options().get(_MODE, "read"))


def _connect_mysql(dialect: Any, _: object, arguments: Any, options: Any) -> Any:
    try:
        return dialect.connect(*arguments, **options)
    except RuntimeError as exc:
        # PyMySQL needs it for the passwords of MySQL 8 on connections without TLS.
        raise MissingDependencyError(
            N_("This server's way of checking passwords needs the Python package cryptography."),
            hint=N_("Install it: pip install '{install}'"),
            install="cryptography",
        ) from exc

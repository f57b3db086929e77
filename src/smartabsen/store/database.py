"""The connection to the database: units of work, their transactions, and errors that people understand."""

from __future__ import annotations

import logging
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session as Session, SessionTransaction  # the one way to it for `core`
from sqlalchemy.pool import NullPool

from ..kernel.errors import DatabaseError, StorageError
from ..trust.trail_keeper import TrailKeeper
from . import schema
from .address import Timeouts as Timeouts, checked_url, with_options
from .clock import DatabaseClock, MachineClock, info_of
from .faults import cannot_write, is_worth_another_try, translated
from .files import require_directory
from .mysql import Tls, begin_mysql, connect_mysql, server_facts, set_answer_time
from .outage import SLOW_S, Outage
from .sqlite import begin_immediate, create_private_file, journal_facts, prepare_connection, scrub, wanted_journal_mode
from .turns import turn

T = TypeVar("T")
_TRY_AGAIN_S: Final = 2.0
_LONG: Final = "smartabsen_long"
_MODE: Final = "smartabsen_mode"


# What goes wrong is raised, and told in one place; the pool of SQLAlchemy would print a traceback of its own besides.
logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What ``doctor`` says about a database.

    Attributes:
        kind: ``SQLite``, ``MariaDB`` or ``MySQL``.
        version: Of SQLite, or of the server.
        address: Path or URL, without a password.
        journal_mode: ``wal`` or ``delete``; empty for a server.
        journal_reason: Why, as a message id; empty for a server.
        risks: How a server could lose what it acknowledged, as message ids; empty for SQLite.
    """

    kind: str
    version: str
    address: str
    journal_mode: str = ""
    journal_reason: str = ""
    risks: tuple[str, ...] = ()


class Database:
    """A database by its URL. Nothing is opened before the first unit of work, which makes an empty one ready.

    Threads share one; a forked child leaves its parent's connections alone and makes its own.

    Args:
        url: ``sqlite:///path``, ``mysql+pymysql://user:password@host/name`` or ``mariadb+pymysql://...``.
        timeouts: How long to wait for what; ``connect_timeout`` and ``read_timeout`` in the URL go before.
        password: Of a server's user, where the URL has none.
        tls: Certificates for the connection to a server.
        on_ready: Called once, before the first unit of work is given out and when the schema is current.
        keeper: Signs what is written, and remembers the head of the audit trail.
        machine: The clocks of this machine.

    Attributes:
        clock: The time by this database: a server is asked for it within the units of work.

    Raises:
        ConfigError: The URL is none of these.
    """

    def __init__(
        self,
        url: str,
        *,
        timeouts: Timeouts | None = None,
        password: str = "",
        tls: Tls | None = None,
        on_ready: Callable[[Database], None] | None = None,
        keeper: TrailKeeper | None = None,
        machine: MachineClock | None = None,
    ) -> None:
        self._on_ready = on_ready
        self.clock = DatabaseClock(machine)
        self._info = {**(keeper.info if keeper is not None else {}), **info_of(self.clock)}
        self._url = checked_url(url)
        if password and not self.path and self._url.password is None:
            self._url = self._url.set(password=password)
        self._tls = tls
        self._timeouts = with_options(timeouts or Timeouts(), self._url)
        self._engine = self._make_engine()
        self._ready = self._half_copied = False
        self._preparing = threading.Lock()
        self._make_outage: Callable[[], Outage] = Outage
        self._outage = self._make_outage()
        self._patience = threading.local()
        self._pid = os.getpid()

    def expect_many(self, *, rest_s: float, patience_s: float) -> None:
        """Prepare for many people who ask at once; see :class:`.outage.Outage`."""
        self._make_outage = partial(Outage, rest_s, patience_s=patience_s)
        self._outage = self._make_outage()

    @property
    def address(self) -> str:
        """The path, or the URL without password and options: fit to be shown."""
        if self.path:
            return str(self.path)
        return self._url.set(password=None, query={}).render_as_string()

    @property
    def url(self) -> URL:
        """The URL with everything in it, the password and certificates included: never to be shown."""
        if self._tls is None:
            return self._url
        named = {"ssl_ca": self._tls.ca, "ssl_cert": self._tls.cert, "ssl_key": self._tls.key}
        return self._url.update_query_dict({name: str(path) for name, path in named.items() if path is not None})

    @property
    def path(self) -> Path | None:
        """The file of SQLite, None for a server."""
        return Path(str(self._url.database)) if self._url.drivername == "sqlite" else None

    def accept_half_copied(self) -> None:
        """Let it be used although it is half of a copy; for whoever goes on with that copy."""
        self._half_copied = True

    @contextmanager
    def read(self, *, long: bool = False) -> Iterator[Session]:
        """Give a session that sees one consistent state and cannot write, for a ``with`` block.

        Args:
            long: It reads much (reports, galleries, exports): a server may take its time for an answer.

        Raises:
            DatabaseError: The database does not answer, or refuses.
        """
        with self._translating(), self._unit("read", long=long) as session:
            yield session

    @contextmanager
    def write(self, *, long: bool = False) -> Iterator[Session]:
        """Give a session in one write transaction, committed at the end of the ``with`` block, undone by an exception.

        On SQLite the transaction holds the write lock from its start (BEGIN IMMEDIATE). On a server it sees what others
        have committed at each statement (READ COMMITTED).

        Args:
            long: As for :meth:`read`.

        Raises:
            DatabaseError: The database does not answer, or refuses. After an error at the end the transaction may or
                may not have been stored.
        """
        with self._translating(), self._unit("write", long=long) as session:
            yield session

    def run_write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one write transaction, and again where the server undid it for the sake of another one.

        Args:
            work: Gets the session; may be called several times, so it must have no effects outside the database.

        Raises:
            DatabaseError: The database does not answer, refuses, or is still too busy after several attempts.
        """
        with self._translating():
            self._make_ready()
            no_more_after = time.monotonic() + _TRY_AGAIN_S
            for attempt in count(1):
                try:
                    with self._unit("write") as session:
                        return work(session)
                except SQLAlchemyError as exc:
                    if attempt == 1 and self.path is not None and cannot_write(exc):
                        # SQLite may have opened the file while its disk could only be read, and stays with that.
                        self._engine.dispose()
                        continue
                    if not is_worth_another_try(exc) or time.monotonic() > no_more_after:
                        raise
                time.sleep(random.uniform(0.002, 0.01) * min(attempt, 8))  # noqa: S311 - spreads writers, no secret
            raise AssertionError("count ends never")

    def now(self) -> datetime:
        """Return the time by this database (UTC): what expires is compared with it, whichever machine looks.

        Raises:
            DatabaseError: A server that was never asked does not answer.
        """
        if self.path is None and self.clock.known is None:
            with self.read():
                pass
        return self.clock.instant()

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
            kind, version, risks = server_facts(connection)
        return DatabaseFacts(kind, version, self.address, risks=risks)

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
    def _unit(self, mode: str, *, long: bool = False) -> Iterator[Session]:
        self._make_ready()
        engine = self._of(self._engine, mode, long=long)
        options: dict[str, Any] = {"expire_on_commit": False, "info": dict(self._info)}
        with self._turn(mode), Session(engine, **options) as session, _begin(session):
            if self.path is None and self.clock.is_due:
                self.clock.ask(session)
            yield session

    def _make_ready(self) -> None:
        self._stay_in_process()
        if not self._ready:
            told = self._outage.known
            with self._preparing:
                if not self._ready:
                    # Whoever held the lock may have waited in vain: nobody does so after them.
                    self._outage.tell_unless(told)
                    schema.ensure_current(self, half_copied=self._half_copied)
                    self._ready = True
                    self._tell_ready()

    @contextmanager
    def _turn(self, mode: str) -> Iterator[None]:
        if self.path is None or mode != "write":
            yield
            return
        queue = self.path.with_name(f"{self.path.name}.turn")
        with turn(queue, patience_s=self._timeouts.busy_s) as left_s:
            # Whoever does not queue (an upgrade, another program) is waited for with what patience is left.
            self._patience.left_s = max(0.5, left_s)
            try:
                yield
            finally:
                del self._patience.left_s

    def _tell_ready(self) -> None:
        if self._on_ready is not None:
            try:
                self._on_ready(self)
            except BaseException:
                self._ready = False
                raise

    @staticmethod
    def _of(engine: Engine, mode: str, *, long: bool = False) -> Engine:
        return engine.execution_options(**{_MODE: mode, _LONG: long})

    def _stay_in_process(self) -> None:
        if self._pid != os.getpid():
            # Connections belong to the parent: a child must neither use nor close them.
            self._engine.dispose(close=False)
            self._outage = self._make_outage()
            self._pid = os.getpid()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        driver_error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        with self._outage.asking():
            began = time.monotonic()
            try:
                yield
            except (SQLAlchemyError, driver_error) as exc:
                error = translated(exc, self.address)
                self._outage.note(error, took_s=time.monotonic() - began)
                if cannot_write(exc):
                    # SQLite opened the file for reading alone, and stays with that when it may be written again.
                    self._engine.dispose()
                raise error from exc

    def _make_engine(self, *, patient: bool = False) -> Engine:
        options: dict[str, Any] = {"hide_parameters": True, "poolclass": NullPool if patient else None}
        if not patient:
            options["pool_timeout"] = self._timeouts.answer_s
        if self.path:
            engine = create_engine(self._url, connect_args={"timeout": self._timeouts.busy_s}, **options)
            event.listen(engine, "do_connect", self._create_file)
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", partial(self._begin_sqlite, patient=patient))
            return engine
        if not patient:
            options |= {"pool_pre_ping": True, "pool_recycle": 1800}
        given = {
            "charset": "utf8mb4",
            "write_timeout": self._timeouts.connect_s,
            "init_command": f"SET SESSION innodb_lock_wait_timeout = {max(1, round(self._timeouts.busy_s))}",
        }
        arguments: dict[str, Any] = {name: value for name, value in given.items() if name not in self._url.query}
        # Until it is set anew when a unit begins, the time for an answer is the one for the server's greeting.
        arguments |= dict.fromkeys(("connect_timeout", "read_timeout"), self._timeouts.connect_s)
        if self._tls is not None:
            arguments["ssl"] = self._tls.options()
        url = self._url.difference_update_query(["connect_timeout", "read_timeout"])
        engine = create_engine(url, connect_args=arguments, **options)
        event.listen(engine, "do_connect", connect_mysql)
        event.listen(engine, "checkin", self._rest_mysql)
        event.listen(engine, "begin", partial(self._begin_mysql, patient=patient))
        return engine

    def _create_file(self, *_: object) -> None:
        assert self.path is not None
        try:
            require_directory(self.path.parent)
            create_private_file(self.path)
        except StorageError as exc:
            raise DatabaseError(exc.message_id, hint=exc.hint_id, **exc.params) from exc

    def _begin_mysql(self, connection: Connection, *, patient: bool) -> None:
        options = connection.get_execution_options()
        allowed_s = self._timeouts.long_s if options.get(_LONG) else self._timeouts.answer_s
        set_answer_time(connection.connection.dbapi_connection, 3600.0 if patient else allowed_s)
        begin_mysql(connection, "write" if _mode(connection) == "write" else "read")
        self._outage.end()

    def _rest_mysql(self, connection: object, _: object) -> None:
        set_answer_time(connection, self._timeouts.ping_s)

    def _begin_sqlite(self, connection: Connection, *, patient: bool) -> None:
        driver: Any = connection.connection.dbapi_connection
        if _mode(connection) == "write":
            driver.execute("PRAGMA query_only = OFF")
            left_s = getattr(self._patience, "left_s", self._timeouts.busy_s)
            # An upgrade waits for the one before it, as on a server.
            begin_immediate(driver, patience_s=self._timeouts.long_s if patient else left_s)
        else:
            driver.execute("PRAGMA query_only = ON")
            driver.execute("BEGIN")


def _begin(session: Session) -> SessionTransaction:
    """Begin the transaction of a session.

    A connection of the pool may have died with its server after it was last used: nothing was done with it yet, so
    another one takes its place. Where that took long it is a silence, which is not waited for twice.
    """
    began = time.monotonic()
    transaction = session.begin()
    try:
        session.connection()
    except DBAPIError as exc:
        session.rollback()
        if not exc.connection_invalidated or time.monotonic() - began >= SLOW_S:
            raise
        transaction = session.begin()
        session.connection()
    return transaction


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    prepare_connection(connection)


def _mode(connection: Connection) -> str:
    return str(connection.get_execution_options().get(_MODE, "read"))

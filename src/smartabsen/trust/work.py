"""One unit of work: what is read or changed together, by whom, and what the audit trail is told of it.

A service gets :class:`Units` and runs each of its jobs in one unit; no rule and no query opens a transaction itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, TypeVar

from ..kernel.actors import current_actor
from ..kernel.errors import DatabaseError, SmartAbsenError
from ..store.database import Database, Session
from . import audit_rows

T = TypeVar("T")
Transaction: TypeAlias = Session
"""A write transaction, for those who only hand it on."""
Part: TypeAlias = Callable[[Session], None]
"""What is done within somebody else's write transaction; it may be called several times."""


def nothing(_session: Session) -> None:
    """Do nothing in a transaction."""


def recorded(session: Session, action: str, subject: str) -> Mapping[str, str] | None:
    """Return the details of the last entry of the audit trail with an action and a subject, or None."""
    found = audit_rows.find(session, action=action, subject=subject, limit=1)
    return found[0].details if found else None


@dataclass(slots=True)
class Work:
    """One unit of work that may change rows.

    Attributes:
        session: The session of its transaction.
        actor: Who does it, for the audit trail.
        now: The time (UTC) by the database, when the unit began.
    """

    session: Session
    actor: str
    now: datetime

    def record(
        self, action: str, *, subject: str = "", details: Mapping[str, str] | None = None, actor: str | None = None
    ) -> None:
        """Append an entry to the audit trail, in the same transaction; see :func:`.audit_rows.append`.

        Args:
            actor: Who did it, where it is not who acts now: a kiosk, the owner of a phone.
        """
        who = self.actor if actor is None else actor
        audit_rows.append(self.session, actor=who, action=action, subject=subject, details=dict(details or {}))


class Units:
    """Begins units of work of one database.

    Args:
        database: Where they work, or what gives it when the first unit begins.
    """

    def __init__(self, database: Database | Callable[[], Database]) -> None:
        self._given = database
        self._errand = threading.local()

    @property
    def _database(self) -> Database:
        return self._given if isinstance(self._given, Database) else self._given()

    def now(self) -> datetime:
        """Return the time by the database (UTC); see :meth:`.Database.now`."""
        return self._database.now()

    def instant(self) -> datetime:
        """Return the time by the database (UTC), or by this machine where that never told it."""
        try:
            return self.now()
        except DatabaseError:
            return self._database.clock.instant()

    @contextmanager
    def read(self, *, long: bool = False) -> Iterator[Session]:
        """Give a session that cannot write; see :meth:`.Database.read`."""
        with self._database.read(long=long) as session:
            yield session

    def together(self) -> AbstractContextManager[None]:
        """Let the reads of this thread share one transaction for a ``with`` block; see :meth:`.Database.together`."""
        return self._database.together()

    def write(self, job: Callable[[Work], T]) -> T:
        """Run a job in one write transaction, and again where the server undid it; see :meth:`.Database.run_write`.

        Args:
            job: May be called several times, so it has no effects outside the database.

        Raises:
            DatabaseError: The database does not answer, refuses, or is too busy.
        """
        aside: list[Part] = getattr(self._errand, "aside", [])

        def work(session: Session) -> T:
            done = job(Work(session, current_actor(), self._database.clock.instant()))
            for part in aside:
                part(session)
            return done

        done = self._database.run_write(work)
        aside.clear()
        return done

    @contextmanager
    def errand(self) -> Iterator[None]:
        """Let this thread put small changes aside (:meth:`put_aside`) for a ``with`` block, as for one request.

        They are written with the next unit that writes, or at the end. Where they cannot be written then, nobody is
        told: nothing is put aside that matters so much.
        """
        aside: list[Part] = []
        self._errand.aside = aside
        try:
            yield
        finally:
            del self._errand.aside
            if aside:
                with suppress(SmartAbsenError):
                    self._database.run_write(lambda session: [part(session) for part in aside])

    def put_aside(self, part: Part) -> None:
        """Change something that may be lost with the next unit of this errand; without one, change it now.

        Raises:
            DatabaseError: There is no errand, and it cannot be written.
        """
        aside: list[Part] | None = getattr(self._errand, "aside", None)
        if aside is None:
            self._database.run_write(part)
        else:
            aside.append(part)

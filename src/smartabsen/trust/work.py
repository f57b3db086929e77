"""One unit of work: what is read or changed together, by whom, and what the audit trail is told of it.

A service gets :class:`Units` and runs each of its jobs in one unit; no rule and no query opens a transaction itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from ..kernel.actors import current_actor
from ..store.database import Database, Session
from . import audit_rows

T = TypeVar("T")


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

    def record(self, action: str, *, subject: str = "", details: Mapping[str, str] | None = None) -> None:
        """Append an entry to the audit trail, in the same transaction; see :func:`.audit_rows.append`."""
        audit_rows.append(self.session, actor=self.actor, action=action, subject=subject, details=dict(details or {}))


class Units:
    """Begins units of work of one database.

    Args:
        database: Where they work.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def read(self, *, long: bool = False) -> Iterator[Session]:
        """Give a session that cannot write; see :meth:`.Database.read`."""
        with self._database.read(long=long) as session:
            yield session

    def write(self, job: Callable[[Work], T]) -> T:
        """Run a job in one write transaction, and again where the server undid it; see :meth:`.Database.run_write`.

        Args:
            job: May be called several times, so it has no effects outside the database.

        Raises:
            DatabaseError: The database does not answer, refuses, or is too busy.
        """
        return self._database.run_write(
            lambda session: job(Work(session, current_actor(), self._database.clock.instant()))
        )

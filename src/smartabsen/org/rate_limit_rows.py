"""Counts of tries, shared by all processes. What is counted is stored as a hash: it may be an address or a name."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..store.changes import Tidy, changed_rows, do_now
from ..store.database import Database
from ..store.tables import RateLimitRow

_SWEEP_EVERY: Final = timedelta(minutes=5)


class RateLimitStore(Protocol):
    """Counts tries. The database does it; Redis can for several servers."""

    def hit(self, key: str, *, limit: int, per_s: int) -> int: ...

    def wait_s(self, key: str, *, limit: int) -> int: ...

    def give_back(self, key: str) -> None: ...

    def forget(self, key: str) -> None: ...

    def sweep(self) -> int: ...


class RateLimitTable:
    """Counts in one database, in windows that begin with the first try.

    Args:
        database: Where the table is.
        clock: Gives the present instant (UTC, aware); the database's by default.
        tidy: Does the work of removing what has expired, or has it done beside.
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime] | None = None, tidy: Tidy = do_now) -> None:
        self._database = database
        self._clock = clock or database.now
        self._tidy = tidy
        self._swept_at: datetime | None = None

    def hit(self, key: str, *, limit: int, per_s: int) -> int:
        """Count a try. One that is over the limit is not counted, and writes nothing.

        Args:
            key: What is counted, as ``login:siti``.
            limit: Tries that are allowed within ``per_s`` seconds.

        Returns:
            0 where it is allowed, else the whole seconds to wait.
        """
        wait = self.wait_s(key, limit=limit)
        if wait:
            return wait
        now = self._clock()
        self._sweep_now_and_then(now)
        return self._database.run_write(
            lambda session: _count(session, _hash(key), limit=limit, now=now, resets_at=now + timedelta(seconds=per_s))
        )

    def wait_s(self, key: str, *, limit: int) -> int:
        """Return the whole seconds until the next try is allowed, 0 where it is now. Counts and writes nothing."""
        now = self._clock()
        with self._database.read() as session:
            row = session.get(RateLimitRow, _hash(key))
            return _wait(row, limit, now) if row is not None and row.resets_at > now else 0

    def give_back(self, key: str) -> None:
        """Take one try back, as after a right one."""
        counted = (RateLimitRow.key_hash == _hash(key), RateLimitRow.count > 0)
        less = update(RateLimitRow).where(*counted).values(count=RateLimitRow.count - 1)
        self._database.run_write(lambda session: changed_rows(session, less))

    def forget(self, key: str) -> None:
        """Forget all tries of a key."""
        mine = delete(RateLimitRow).where(RateLimitRow.key_hash == _hash(key))
        self._database.run_write(lambda session: changed_rows(session, mine))

    def sweep(self) -> int:
        """Remove counts that mean nothing any more and return how many; :meth:`hit` does it now and then."""
        now = self._clock()
        self._swept_at = now
        old = delete(RateLimitRow).where(RateLimitRow.resets_at <= now)
        return self._database.run_write(lambda session: changed_rows(session, old))

    def _sweep_now_and_then(self, now: datetime) -> None:
        if self._swept_at is None or now - self._swept_at > _SWEEP_EVERY:
            self._tidy(self.sweep)


def _count(session: Session, key_hash: str, *, limit: int, now: datetime, resets_at: datetime) -> int:
    mine = RateLimitRow.key_hash == key_hash
    more = update(RateLimitRow).where(mine, RateLimitRow.resets_at > now, RateLimitRow.count < limit)
    if changed_rows(session, more.values(count=RateLimitRow.count + 1)):
        return 0
    anew = update(RateLimitRow).where(mine, RateLimitRow.resets_at <= now)
    if changed_rows(session, anew.values(count=1, resets_at=resets_at)):
        return 0
    row = session.scalar(select(RateLimitRow).where(mine).execution_options(populate_existing=True))
    if row is not None and row.count < limit:
        # Another process made it after our update found none: this try is not counted yet.
        return _count(session, key_hash, limit=limit, now=now, resets_at=resets_at)
    if row is None:
        try:
            with session.begin_nested():
                session.add(RateLimitRow(key_hash=key_hash, count=1, resets_at=resets_at))
        except IntegrityError:
            # Another process was faster; its count is there now.
            return _count(session, key_hash, limit=limit, now=now, resets_at=resets_at)
        return 0
    return _wait(row, limit, now)


def _wait(row: RateLimitRow, limit: int, now: datetime) -> int:
    return 0 if row.count < limit else max(1, math.ceil((row.resets_at - now).total_seconds()))


def _hash(key: str) -> str:
    return sha256(key.encode()).hexdigest()

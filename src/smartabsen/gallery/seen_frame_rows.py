"""Which frames have come from browsers, by their digests, for all processes. No picture is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..store.changes import Tidy, changed_rows, do_now
from ..store.database import Database
from ..store.tables import SeenFrameRow

KEPT: Final = timedelta(days=1)
_SWEEP_EVERY: Final = timedelta(minutes=30)


class SeenFrameTable:
    """Digests of frames in one database, kept for a day.

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

    def note(self, digests: Sequence[str], *, attempt: str) -> bool:
        """Keep the digests of an attempt, all or none.

        Args:
            digests: SHA-256 (hex) of the pixels of each frame.
            attempt: Its idempotency key: the same attempt that is sent again is no replay.

        Returns:
            True where none of them has come with another attempt; False where one has.
        """
        now = self._clock()
        if self._swept_at is None or now - self._swept_at > _SWEEP_EVERY:
            self._tidy(self.sweep)
        mine = sha256(attempt.encode()).hexdigest()
        return self._database.run_write(lambda session: _note(session, set(digests), mine, now))

    def claim(self, attempt: str, *, asked: str) -> bool:
        """Note what an attempt asks for, once.

        It is a row like those of the frames, under the hash of the key, so that one of two processes is the first.

        Args:
            attempt: Its idempotency key.
            asked: SHA-256 (hex) of all that was sent with it.

        Returns:
            True where the key is new or has come with the same; False where it came with something else.
        """
        name = sha256(f"key:{attempt}".encode()).hexdigest()

        def work(session: Session) -> bool:
            known = session.get(SeenFrameRow, name)
            if known is None:
                session.add(SeenFrameRow(digest=name, attempt=asked, seen_at=self._clock()))
                return True
            return known.attempt == asked

        try:
            return self._database.run_write(work)
        except IntegrityError:
            # Another process was the first at this very moment.
            return self._database.run_write(work)

    def sweep(self) -> int:
        """Remove digests that are older than a day and return how many; :meth:`note` does it now and then."""
        now = self._clock()
        self._swept_at = now
        old = delete(SeenFrameRow).where(SeenFrameRow.seen_at <= now - KEPT)
        return self._database.run_write(lambda session: changed_rows(session, old))


def _note(session: Session, digests: set[str], attempt: str, now: datetime) -> bool:
    found = session.execute(
        select(SeenFrameRow.digest, SeenFrameRow.attempt).where(SeenFrameRow.digest.in_(digests))
    ).all()
    if any(row.attempt != attempt for row in found):
        return False
    known = {row.digest for row in found}
    try:
        with session.begin_nested():
            new = sorted(digests - known)
            session.add_all(SeenFrameRow(digest=digest, attempt=attempt, seen_at=now) for digest in new)
    except IntegrityError:
        # Another process has noted one of them at this very moment.
        return False
    return True

"""Which frames have come from browsers, by their digests, for all processes. No picture is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .changes import Tidy, changed_rows, do_now
from .database import Database
from .tables import SeenFrameRow

KEPT: Final = timedelta(days=1)
_SWEEP_EVERY: Final = timedelta(minutes=30)


class SeenFrameTable:
    """Digests of frames in one database, kept for a day.

    Args:
        database: Where the table is.
        clock: Gives the present instant (UTC, aware).
        tidy: Does the work of removing what has expired, or has it done beside.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        tidy: Tidy = do_now,
    ) -> None:
        self._database = database
        self._clock = clock
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

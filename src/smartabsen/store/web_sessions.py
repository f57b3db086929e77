"""Sessions of browsers in the database. The cookie holds a random id; only its SHA-256 is stored.

A session ends when it was not used for its idle time, at its absolute end, and when it is revoked.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol

from sqlalchemy import ColumnElement, and_, delete, select, update

from ..domain import WebSession
from ..reading import parse_json
from .changes import changed_rows
from .database import Database
from .tables import WebSessionRow

_TOUCH_SHARE: Final = 0.1
"""A use is noted when so much of the idle time has passed since the last note: reading pages seldom writes."""


class WebSessionStore(Protocol):
    """Keeps sessions of browsers. The database does it; a faster store shared by several servers could."""

    def create(
        self, data: Mapping[str, object], *, idle_s: int, absolute_s: int, user_id: int | None = None
    ) -> str: ...

    def load(self, sid: str, *, touch: bool = True) -> WebSession | None: ...

    def save(self, sid: str, data: Mapping[str, object]) -> bool: ...

    def renew(self, sid: str, *, user_id: int | None = None) -> str | None: ...

    def revoke(self, sid: str) -> bool: ...

    def revoke_user(self, user_id: int, *, keep: str = "") -> int: ...

    def sweep(self) -> int: ...


class WebSessionTable:
    """The sessions of one database.

    Args:
        database: Where the table is.
        clock: Gives the present instant (UTC, aware).
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._clock = clock

    def create(self, data: Mapping[str, object], *, idle_s: int, absolute_s: int, user_id: int | None = None) -> str:
        """Start a session and return its id: 43 random characters. Ended ones are removed on the way.

        Args:
            data: Plain JSON values.
            idle_s: Seconds without use after which it ends.
            absolute_s: Seconds after which it ends in any case.
            user_id: Who is logged in.
        """
        self.sweep()
        now, sid = self._clock(), _new_id()
        row = WebSessionRow(
            id_hash=_hash(sid),
            user_id=user_id,
            data=json.dumps(dict(data)),
            created_at=now,
            idle_s=idle_s,
            idle_until=now + timedelta(seconds=min(idle_s, absolute_s)),
            expires_at=now + timedelta(seconds=absolute_s),
        )
        self._database.run_write(lambda session: session.merge(row))
        return sid

    def load(self, sid: str, *, touch: bool = True) -> WebSession | None:
        """Return a session that has not ended, or None.

        Args:
            touch: Whether this is a use that puts the idle end off; without, nothing is ever written.
        """
        now = self._clock()
        with self._database.read() as session:
            row = session.scalar(select(WebSessionRow).where(_alive(sid, now)))
        if row is None:
            return None
        idle_until = min(now + timedelta(seconds=row.idle_s), row.expires_at)
        if touch and (idle_until - row.idle_until).total_seconds() > _TOUCH_SHARE * row.idle_s:
            used = update(WebSessionRow).where(_alive(sid, now)).values(idle_until=idle_until)
            self._database.run_write(lambda session: changed_rows(session, used))
        return WebSession(parse_json(row.data), row.user_id, row.created_at)

    def save(self, sid: str, data: Mapping[str, object]) -> bool:
        """Store other data; False where the session has ended."""
        new = update(WebSessionRow).where(_alive(sid, self._clock())).values(data=json.dumps(dict(data)))
        return self._database.run_write(lambda session: changed_rows(session, new)) == 1

    def renew(self, sid: str, *, user_id: int | None = None) -> str | None:
        """Give a session another id, in one step: the old one is dead. To be called whenever rights grow.

        Args:
            user_id: Who has logged in; None leaves it as it was.

        Returns:
            The new id, None where the session has ended.
        """
        new_id = _new_id()
        values: dict[str, object] = {"id_hash": _hash(new_id)}
        if user_id is not None:
            values["user_id"] = user_id
        new = update(WebSessionRow).where(_alive(sid, self._clock())).values(**values)
        return new_id if self._database.run_write(lambda session: changed_rows(session, new)) == 1 else None

    def revoke(self, sid: str) -> bool:
        """End a session; False where there was none."""
        mine = delete(WebSessionRow).where(WebSessionRow.id_hash == _hash(sid))
        return self._database.run_write(lambda session: changed_rows(session, mine)) == 1

    def revoke_user(self, user_id: int, *, keep: str = "") -> int:
        """End all sessions of a user, as after a change of the password, and return how many.

        Args:
            keep: Id of a session that goes on.
        """
        theirs = delete(WebSessionRow).where(WebSessionRow.user_id == user_id, WebSessionRow.id_hash != _hash(keep))
        return self._database.run_write(lambda session: changed_rows(session, theirs))

    def sweep(self) -> int:
        """Remove sessions that have ended and return how many; without any, nothing is written."""
        now = self._clock()
        ended = WebSessionRow.idle_until <= now
        with self._database.read() as session:
            if session.scalar(select(WebSessionRow.id_hash).where(ended).limit(1)) is None:
                return 0
        return self._database.run_write(lambda session: changed_rows(session, delete(WebSessionRow).where(ended)))


def _alive(sid: str, now: datetime) -> ColumnElement[bool]:
    return and_(WebSessionRow.id_hash == _hash(sid), WebSessionRow.idle_until > now)


def _new_id() -> str:
    return secrets.token_urlsafe(32)


def _hash(sid: str) -> str:
    return sha256(sid.encode()).hexdigest()

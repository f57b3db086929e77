"""Sessions of browsers in the database. The cookie holds a random id; only its SHA-256 is stored.

A session ends when it was not used for its idle time, at its absolute end, and when it is revoked.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session

from ..kernel.domain import OpenSession, WebSession
from ..kernel.reading import parse_json
from ..kernel.texts import shortened
from ..store.changes import Tidy, changed_rows, do_now
from ..store.database import Database
from ..store.tables import ADDRESS_LENGTH, LABEL_LENGTH, WebSessionRow

_TOUCH_SHARE: Final = 0.1
"""A use is noted when so much of the idle time has passed since the last note: reading pages seldom writes."""
_LISTED: Final = 16


@dataclass(frozen=True, slots=True)
class Browser:
    """What people read of a browser: the address it came from, and what it calls itself; empty where not known."""

    address: str
    label: str


UNKNOWN_BROWSER: Final = Browser("", "")


def listed_id(sid_hash: str) -> str:
    """Return what names a session in lists: a part of the hash of its id, which opens nothing."""
    return sid_hash[:_LISTED]


class WebSessionStore(Protocol):
    """Keeps sessions of browsers. The database does it; a faster store shared by several servers could."""

    def create(
        self,
        data: Mapping[str, object],
        *,
        idle_s: int,
        absolute_s: int,
        user_id: int | None = None,
        browser: Browser = UNKNOWN_BROWSER,
    ) -> str: ...

    def load(self, sid: str, *, touch: bool = True) -> WebSession | None: ...

    def save(self, sid: str, data: Mapping[str, object]) -> bool: ...

    def renew(self, sid: str, *, user_id: int | None = None) -> str | None: ...

    def revoke(self, sid: str) -> bool: ...

    def revoke_user(self, user_id: int, *, keep: str = "") -> int: ...

    def list_user(self, user_id: int) -> tuple[OpenSession, ...]: ...

    def revoke_listed(self, user_id: int, session_id: str) -> bool: ...

    def sweep(self) -> int: ...

    def end_all(self) -> None: ...


class WebSessionTable:
    """The sessions of one database.

    Args:
        database: Where the table is.
        clock: Gives the present instant (UTC, aware); the database's by default.
        tidy: Does the work of removing what has expired, or has it done beside.
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime] | None = None, tidy: Tidy = do_now) -> None:
        self._database = database
        self._clock = clock or database.now
        self._tidy = tidy

    def create(
        self,
        data: Mapping[str, object],
        *,
        idle_s: int,
        absolute_s: int,
        user_id: int | None = None,
        browser: Browser = UNKNOWN_BROWSER,
    ) -> str:
        """Start a session and return its id: 43 random characters. Ended ones are removed on the way.

        Args:
            data: Plain JSON values.
            idle_s: Seconds without use after which it ends.
            absolute_s: Seconds after which it ends in any case.
            user_id: Who is logged in.
            browser: Where, for the list of their sessions.
        """
        self._tidy(self.sweep)
        now, sid = self._clock(), _new_id()
        row = WebSessionRow(
            id_hash=hash_sid(sid),
            user_id=user_id,
            data=json.dumps(dict(data)),
            created_at=now,
            idle_s=idle_s,
            idle_until=now + timedelta(seconds=min(idle_s, absolute_s)),
            expires_at=now + timedelta(seconds=absolute_s),
            last_seen_at=now,
            address=shortened(browser.address, ADDRESS_LENGTH),
            label=shortened(browser.label, LABEL_LENGTH),
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
        stale = max(idle_until - row.idle_until, now - _last_seen_at(row))
        if touch and stale.total_seconds() > _TOUCH_SHARE * row.idle_s:
            used = update(WebSessionRow).where(_alive(sid, now)).values(idle_until=idle_until, last_seen_at=now)
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
        values: dict[str, object] = {"id_hash": hash_sid(new_id)}
        if user_id is not None:
            values["user_id"] = user_id
        new = update(WebSessionRow).where(_alive(sid, self._clock())).values(**values)
        return new_id if self._database.run_write(lambda session: changed_rows(session, new)) == 1 else None

    def revoke(self, sid: str) -> bool:
        """End a session; False where there was none."""
        mine = delete(WebSessionRow).where(WebSessionRow.id_hash == hash_sid(sid))
        return self._database.run_write(lambda session: changed_rows(session, mine)) == 1

    def revoke_user(self, user_id: int, *, keep: str = "") -> int:
        """End all sessions of a user, as after a change of the password, and return how many.

        Args:
            keep: Id of a session that goes on.
        """
        theirs = delete(WebSessionRow).where(WebSessionRow.user_id == user_id, WebSessionRow.id_hash != hash_sid(keep))
        return self._database.run_write(lambda session: changed_rows(session, theirs))

    def list_user(self, user_id: int) -> tuple[OpenSession, ...]:
        """Return the sessions of a user that have not ended, the latest first."""
        theirs = select(WebSessionRow).where(WebSessionRow.user_id == user_id, WebSessionRow.idle_until > self._clock())
        with self._database.read() as session:
            rows = session.scalars(theirs.order_by(WebSessionRow.created_at.desc(), WebSessionRow.id_hash)).all()
        return tuple(
            OpenSession(
                listed_id(row.id_hash),
                row.created_at,
                _last_seen_at(row),
                row.expires_at,
                row.address or "",
                row.label or "",
            )
            for row in rows
        )

    def revoke_listed(self, user_id: int, session_id: str) -> bool:
        """End a session of a user's list; False where it is not in it."""
        with self._database.read() as session:
            hashes = session.scalars(select(WebSessionRow.id_hash).where(WebSessionRow.user_id == user_id)).all()
        found = [sid_hash for sid_hash in hashes if listed_id(sid_hash) == session_id]
        ended = delete(WebSessionRow).where(WebSessionRow.user_id == user_id, WebSessionRow.id_hash.in_(found))
        return bool(found) and self._database.run_write(lambda session: changed_rows(session, ended)) > 0

    def end_all(self) -> None:
        """End all sessions, of whomever."""
        self._database.run_write(end_all)

    def sweep(self) -> int:
        """Remove sessions that have ended and return how many; without any, nothing is written."""
        now = self._clock()
        ended = WebSessionRow.idle_until <= now
        with self._database.read() as session:
            if session.scalar(select(WebSessionRow.id_hash).where(ended).limit(1)) is None:
                return 0
        return self._database.run_write(lambda session: changed_rows(session, delete(WebSessionRow).where(ended)))


def end_all(session: Session) -> None:
    """End all sessions, as when an older state takes the place of the database."""
    session.execute(delete(WebSessionRow))


def _alive(sid: str, now: datetime) -> ColumnElement[bool]:
    return and_(WebSessionRow.id_hash == hash_sid(sid), WebSessionRow.idle_until > now)


def _last_seen_at(row: WebSessionRow) -> datetime:
    return row.last_seen_at or row.created_at


def _new_id() -> str:
    return secrets.token_urlsafe(32)


def hash_sid(sid: str) -> str:
    """Return what is stored of a session's id."""
    return sha256(sid.encode()).hexdigest()

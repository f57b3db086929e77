"""What keeps the audit trail beside the database: the key that signs, and the last head that this machine wrote.

Whoever can only write the database can sign nothing, and cannot make this file forget an entry that it knows: the head
goes on only while the trail holds the one before. A head that the trail does not hold any more stays, as a lost one,
until somebody answers for it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from ..kernel.errors import KeyMissingError, StorageError
from ..kernel.reading import parse_json, read_text
from ..store.file_lock import file_lock
from ..store.files import make_private_directory, storage_errors, write_atomically
from .audit_head import AuditHead
from .sealing import KeyRing

_KEEPER: Final = "smartabsen_keeper"
_PATIENCE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class KeptHead:
    """A head that this home knows.

    Attributes:
        at: When it came to know it, UTC: a restore explains only heads from before it.
    """

    head: AuditHead
    at: datetime


@dataclass(frozen=True, slots=True)
class KnownHeads:
    """What this home knows of the trail of one database.

    Attributes:
        last: The last head that it wrote; None before the first.
        lost: Heads that it had written, and that the trail did not hold any more when it went on.
    """

    last: KeptHead | None = None
    lost: tuple[KeptHead, ...] = ()


class TrailKeeper:
    """The key and the last head of one home.

    Args:
        ring: Gives the keys as they are now.
        path: Where the last head of each database is kept; None keeps none, as for a copy that is no live database.
    """

    def __init__(self, ring: Callable[[], KeyRing], path: Path | None) -> None:
        self._ring = ring
        self._path = path

    @property
    def info(self) -> dict[Any, Any]:
        """What a session must carry so that what it writes is signed and remembered."""
        return {_KEEPER: self}

    def ring(self) -> KeyRing | None:
        """Return the keys; None where there are none, or they cannot be read: what is written then is not signed."""
        try:
            ring = self._ring()
        except KeyMissingError:
            return None
        return ring if ring.active else None

    def known(self, database_id: str) -> KnownHeads:
        """Return what this home knows of the trail of a database. Raises StorageError."""
        return _parsed(self._read().get(database_id))

    def last_known(self, database_id: str) -> AuditHead | None:
        """Return the last head alone; None also where it cannot be read: that keeps nobody from working."""
        try:
            last = self.known(database_id).last
        except StorageError:
            return None
        return last.head if last is not None else None

    def remember(
        self, database_id: str, head: AuditHead, *, at: datetime, held: Iterable[AuditHead], lost: AuditHead | None
    ) -> None:
        """Keep a head in place of one that the trail holds. A file that cannot be written keeps nobody from working.

        Args:
            at: Now, by the clock that the entries of the trail have.
            held: Heads that the trail was seen to hold right before it got this one.
            lost: A head that it was seen not to hold.
        """
        if self._path is None:
            return
        now = KeptHead(head, at)
        try:
            with self._changing(database_id, timeout_s=_PATIENCE_S) as (known, put):
                if known.last is None or known.last.head in set(held):
                    put(dataclasses.replace(known, last=now))
                elif known.last.head == lost:
                    put(KnownHeads(now, (*known.lost, known.last)))
                # Else another process of this home has written meanwhile: the next entry is compared with its head.
        except StorageError:
            return

    def begin_anew(self, database_id: str, head: AuditHead, *, at: datetime) -> None:
        """Keep a head in place of the last one, after a restore; what was lost before stays so. Raises StorageError."""
        if self._path is not None:
            with self._changing(database_id) as (known, put):
                put(dataclasses.replace(known, last=KeptHead(head, at)))

    def settle(self, database_id: str, heads: Iterable[KeptHead]) -> None:
        """Forget lost heads that somebody answered for, or a restore explains. Raises StorageError."""
        settled = set(heads)
        if self._path is not None and settled:
            with self._changing(database_id) as (known, put):
                put(dataclasses.replace(known, lost=tuple(each for each in known.lost if each not in settled)))

    @contextmanager
    def _changing(
        self, database_id: str, timeout_s: float | None = None
    ) -> Iterator[tuple[KnownHeads, Callable[[KnownHeads], None]]]:
        assert self._path is not None
        lock_path = self._path.with_name(f".{self._path.name}.lock")
        with file_lock(lock_path) if timeout_s is None else file_lock(lock_path, timeout_s=timeout_s):
            yield self.known(database_id), lambda known: self._write(database_id, known)

    def _read(self) -> dict[str, Any]:
        if self._path is None or not self._path.exists():
            return {}
        with storage_errors(self._path):
            text = read_text(self._path, encoding="utf-8")
        try:
            found = parse_json(text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, database_id: str, known: KnownHeads) -> None:
        assert self._path is not None
        make_private_directory(self._path.parent)
        kept = {
            "last": _facts(known.last) if known.last is not None else None,
            "lost": [_facts(each) for each in known.lost],
        }
        content = {**self._read(), database_id: kept}
        write_atomically(self._path, (json.dumps(content, indent=2) + "\n").encode())


def keeper_of(session: Session) -> TrailKeeper | None:
    """Return the keeper of a session, None where what it writes is neither signed nor remembered."""
    found = session.info.get(_KEEPER)
    return found if isinstance(found, TrailKeeper) else None


def signing_ring(session: Session) -> KeyRing | None:
    """Return the keys that a session signs with, or None."""
    keeper = keeper_of(session)
    return keeper.ring() if keeper is not None else None


def _facts(kept: KeptHead) -> dict[str, str]:
    return {"head": str(kept.head), "at": kept.at.isoformat()}


def _parsed(stored: Any) -> KnownHeads:
    try:
        last = stored["last"]
        return KnownHeads(_kept(last) if last else None, tuple(_kept(each) for each in stored["lost"]))
    except (ValueError, KeyError, TypeError):
        return KnownHeads()


def _kept(facts: dict[str, str]) -> KeptHead:
    return KeptHead(AuditHead.parse(facts["head"]), datetime.fromisoformat(facts["at"]))

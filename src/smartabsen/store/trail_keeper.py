"""What keeps the audit trail beside the database: the key that signs, and the last head that this machine wrote.

Whoever can only write the database can sign nothing, and cannot make this file forget an entry that it knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from ..errors import KeyMissingError, StorageError
from .audit_head import AuditHead
from .file_lock import file_lock
from .files import make_private_directory, storage_errors, write_atomically
from .sealing import KeyRing

_KEEPER: Final = "smartabsen_keeper"
_PATIENCE_S: Final = 1.0


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

    def known(self, database_id: str) -> AuditHead | None:
        """Return the last head of a database that was written from this home, or None. Raises StorageError."""
        found = self._read().get(database_id)
        return AuditHead.parse(found) if found else None

    def remember(self, database_id: str, head: AuditHead) -> None:
        """Keep a head, unless a later one is kept. A file that cannot be written keeps nobody from working."""
        if self._path is None:
            return
        try:
            with file_lock(self._lock_path, timeout_s=_PATIENCE_S):
                known = self.known(database_id)
                if known is None or head.number > known.number:
                    self._write(database_id, head)
        except (StorageError, ValueError):
            return

    def begin_anew(self, database_id: str, head: AuditHead) -> None:
        """Keep a head in place of whatever is kept, after a restore. Raises StorageError."""
        if self._path is not None:
            with file_lock(self._lock_path):
                self._write(database_id, head)

    @property
    def _lock_path(self) -> Path:
        assert self._path is not None
        return self._path.with_name(f".{self._path.name}.lock")

    def _read(self) -> dict[str, str]:
        if self._path is None or not self._path.exists():
            return {}
        with storage_errors(self._path):
            text = self._path.read_text(encoding="utf-8")
        try:
            found = json.loads(text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, database_id: str, head: AuditHead) -> None:
        assert self._path is not None
        make_private_directory(self._path.parent)
        content = {**self._read(), database_id: str(head)}
        write_atomically(self._path, (json.dumps(content, indent=2) + "\n").encode())


def keeper_of(session: Session) -> TrailKeeper | None:
    """Return the keeper of a session, None where what it writes is neither signed nor remembered."""
    found = session.info.get(_KEEPER)
    return found if isinstance(found, TrailKeeper) else None


def signing_ring(session: Session) -> KeyRing | None:
    """Return the keys that a session signs with, or None."""
    keeper = keeper_of(session)
    return keeper.ring() if keeper is not None else None

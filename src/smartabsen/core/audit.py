"""The audit trail: looking into it, checking it, taking it along."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..errors import DatabaseAwayError, DatabaseError, InvalidInputError
from ..i18n import N_
from ..store import audit
from ..store.audit import AuditEntry as AuditEntry, AuditHead, AuditVerdict as AuditVerdict
from ..store.files import require_directory, write_atomically
from .bootstrap import Services

UNRECORDED: Final = N_(
    "Nothing is shown or exported without an entry in the audit trail, and that cannot be written now. Mend this, then "
    "try again."
)


class AuditTrail:
    """Who did what to whom, and whether the record of it is as it was written.

    Args:
        services: The parts of the installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def entries(
        self, *, actor: str = "", action: str = "", subject: str = "", limit: int = 100
    ) -> tuple[AuditEntry, ...]:
        """Return the last entries that match, the newest first; see :func:`smartabsen.store.audit.find`."""
        with self._services.database.read() as session:
            return audit.find(session, actor=actor, action=action, subject=subject, limit=limit)

    def verify(self, *, anchor: str = "") -> AuditVerdict:
        """Check every entry against the chain.

        Args:
            anchor: A head that was written down earlier, as ``NUMBER:HASH``: what :meth:`verify` and every export and
                backup give. Without one, a trail that was cut off or written anew together with its head looks whole.

        Raises:
            InvalidInputError: The anchor has another form.
        """
        known = _parsed(anchor) if anchor else None
        with self._services.database.read(long=True) as session:
            return audit.verify(session, known)

    def export(self, path: Path) -> AuditHead:
        """Write all entries as one JSON object a line, the oldest first, and the head as the last line.

        The export itself is an entry of the trail, the last one in it.

        Raises:
            StorageError: The file cannot be written.
        """
        require_directory(path.parent)
        self.note("audit.export", details={"file": path.name})
        with self._services.database.read(long=True) as session:
            text = "".join(f"{line}\n" for line in _lines(audit.entries(session)))
            head = audit.head(session)
        write_atomically(path, f"{text}{json.dumps({'head': str(head)})}\n".encode())
        return head

    def note(self, action: str, *, subject: str = "", details: dict[str, str] | None = None) -> None:
        """Add an entry about something that changed nothing, such as an export."""
        actor = self._services.actor
        self._services.database.run_write(
            lambda session: audit.append(session, actor=actor, action=action, subject=subject, details=details)
        )

    def note_reading(self, action: str, *, subject: str = "", details: dict[str, str] | None = None) -> None:
        """Add an entry about looking at data of people, to be called before it is shown or written anywhere.

        Raises:
            DatabaseError: It cannot be written, so nothing may be shown; the hint says so.
        """
        try:
            self.note(action, subject=subject, details=details)
        except DatabaseAwayError:
            raise
        except DatabaseError as exc:
            raise DatabaseError(exc.message_id, hint=UNRECORDED, **exc.params) from exc


def _lines(entries: Iterator[AuditEntry]) -> Iterator[str]:
    for one in entries:
        facts = {
            "number": one.number,
            "at": one.at.isoformat(),
            "actor": one.actor,
            "action": one.action,
            "subject": one.subject,
            "details": dict(one.details),
            "digest": one.digest,
        }
        yield json.dumps(facts, ensure_ascii=False)


def _parsed(anchor: str) -> AuditHead:
    try:
        return AuditHead.parse(anchor)
    except ValueError as exc:
        raise InvalidInputError(
            N_("“{anchor}” is no head of an audit trail."),
            hint=N_("It looks like 123:0a1b…, with 64 hexadecimal digits; “smartabsen audit verify” prints one."),
            anchor=anchor,
        ) from exc

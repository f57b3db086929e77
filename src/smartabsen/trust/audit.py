"""The audit trail: looking into it, checking it, taking it along."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ..app.bootstrap import Services
from ..kernel.errors import DatabaseAwayError, DatabaseError, InvalidInputError
from ..kernel.i18n import N_
from ..kernel.texts import checked_text
from ..people import employee_rows
from ..privacy import attendance_check_rows, record_check_rows, resealing_rows
from ..privacy.attendance_check_rows import (
    AttendanceProblem as AttendanceProblem,
    AttendanceVerdict as AttendanceVerdict,
)
from ..privacy.audit_check_rows import AuditVerdict as AuditVerdict, RestoreEntry, verify
from ..privacy.record_check_rows import RecordProblem as RecordProblem
from ..privacy.resealing_rows import BrokenSeal as BrokenSeal
from ..store import meta
from ..store.database import Session
from ..store.files import require_directory, write_atomically
from ..store.tables import NOTE_LENGTH
from . import audit_rows, signing_rows
from .audit_rows import AuditEntry as AuditEntry, AuditHead
from .sealing import no_key
from .signing_rows import Unsigned as Unsigned
from .trail_keeper import KeptHead

UNRECORDED: Final = N_(
    "Nothing is shown or exported without an entry in the audit trail, and that cannot be written now. Mend this, then "
    "try again."
)
LOOKING_S: Final = 600.0
"""So long the same person looking at the same page is one look."""


@dataclass(frozen=True, slots=True)
class FaceVerdict:
    """What a check of the sealed faces found.

    Attributes:
        rows: Templates and kept faces.
        broken: Those that were changed, moved from somebody else, or never sealed.
        checked: False where there is no key here.
    """

    rows: int
    broken: tuple[BrokenSeal, ...]
    checked: bool = True


class AuditTrail:
    """Who did what to whom, and whether the record of it is as it was written.

    Args:
        services: The parts of the installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._looked: dict[tuple[object, ...], float] = {}

    def entries(
        self, *, actor: str = "", action: str = "", subject: str = "", limit: int = 100
    ) -> tuple[AuditEntry, ...]:
        """Return the last entries that match, the newest first; see :func:`smartabsen.trust.audit_rows.find`."""
        with self._services.database.read() as session:
            return audit_rows.find(session, actor=actor, action=action, subject=subject, limit=limit)

    def verify(self, *, anchor: str = "") -> AuditVerdict:
        """Check every entry against the chain, its signature, and the last head that this home wrote.

        Args:
            anchor: A head that was written down earlier, as ``NUMBER:HASH``: what :meth:`verify` and every export and
                backup give. It shows what was cut off or written anew by somebody who can change this home, too.

        Raises:
            InvalidInputError: The anchor has another form.
            StorageError: The head that this home wrote cannot be read.
        """
        given = [parsed_head(anchor)] if anchor else []
        keeper = self._services.trail_keeper
        ring = keeper.ring()
        with self._services.database.read(long=True) as session:
            database_id = meta.database_id(session)
            known = keeper.known(database_id)
            kept = [known.last] if known.last is not None else []
            lost = [each.head for each in known.lost]
            verdict = verify(session, *given, *(each.head for each in kept), lost=lost, ring=ring)
            if ring is None or not verdict.problems or not (kept or lost):
                return verdict
            without = verify(session, *given, ring=ring)
            missing = [each for each in kept if not audit_rows.holds(session, each.head)]
        explained = {each for each in (*known.lost, *missing) if _is_explained(each, without.restores)}
        if without.problems or not explained:
            return verdict
        # A restore on another machine, which its signed entry tells of, replaced what this home had written.
        keeper.settle(database_id, explained)
        if explained.intersection(missing):
            keeper.begin_anew(database_id, without.head, at=self._services.instant())
        return self.verify(anchor=anchor)

    def verify_attendance(self) -> AttendanceVerdict:
        """Check every punch and day: their signatures, and whether days follow from their punches."""
        keeper = self._services.trail_keeper
        with self._services.database.read(long=True) as session:
            return attendance_check_rows.check(session, self._services.rules, keeper.ring())

    def compare_record(self) -> tuple[RecordProblem, ...]:
        """Compare what the audit trail tells of (times entered, leave, people, consents) with what is stored."""
        with self._services.database.read(long=True) as session:
            return record_check_rows.compare(session, self._services.site_zone)

    def verify_faces(self) -> FaceVerdict:
        """Open every template and kept face, and say which were not sealed for the person in whose row they lie.

        Seals whose key is not here are not judged.
        """
        ring = self._services.trail_keeper.ring()
        if ring is None:
            return FaceVerdict(0, (), checked=False)
        with self._services.database.read(long=True) as session:
            found = resealing_rows.check_seals(session, ring)
        rows = sum((*found.templates.values(), *found.crops.values()))
        return FaceVerdict(rows, tuple(one for one in found.broken if one.problem != "no_key"))

    def unsigned(self) -> Unsigned:
        """Count what :meth:`sign` would answer for: rows without a signature, and heads that the trail has lost.

        A signature of a key that is not here counts as none: that key may be lost for good.
        """
        keeper = self._services.trail_keeper
        with self._services.database.read(long=True) as session:
            lost = keeper.known(meta.database_id(session)).lost
            return replace(signing_rows.count_unsigned(session, keeper.ring()), heads=len(lost))

    def sign(self, *, reason: str) -> Unsigned:
        """Vouch for what has no signature: sign it as it is now, with an entry that says who did it and why.

        Rows whose signature does not fit keep it. Heads that this home wrote and that the trail has lost are named in
        the entry, and are no problem any more.

        Returns:
            How many rows were signed.

        Raises:
            InvalidInputError: The reason is empty or too long.
            KeyMissingError: There is no key.
        """
        services = self._services
        reason = checked_text(reason, field=N_("reason"), limit=NOTE_LENGTH, required=True)
        ring = services.trail_keeper.ring()
        if ring is None:
            raise no_key(place=services.key_chain.place)
        keeper = services.trail_keeper
        with services.database.read() as session:
            database_id = meta.database_id(session)
        lost = keeper.known(database_id).lost

        def work(session: Session) -> Unsigned:
            signed = replace(signing_rows.sign_unsigned(session, ring), heads=len(lost))
            counts = {"entries": signed.entries, "punches": signed.punches, "days": signed.days}
            details = {"reason": reason, **{name: str(count) for name, count in counts.items()}}
            details["lost"] = " ".join(str(each.head) for each in lost)
            audit_rows.append(session, actor=services.actor, action="audit.sign", details=details)
            return signed

        done = services.database.run_write(work)
        keeper.settle(database_id, lost)
        return done

    def export(self, path: Path) -> AuditHead:
        """Write all entries as one JSON object a line, the oldest first, and the head as the last line.

        The export itself is an entry of the trail, the last one in it.

        Raises:
            StorageError: The file cannot be written.
        """
        require_directory(path.parent)
        self.note("audit.export", details={"file": path.name})
        with self._services.database.read(long=True) as session:
            text = "".join(f"{line}\n" for line in _lines(audit_rows.entries(session)))
            head = audit_rows.head(session)
        write_atomically(path, f"{text}{json.dumps({'head': str(head)})}\n".encode())
        return head

    def note_page(self, action: str, *, subject: str = "", **details: str) -> None:
        """Add an entry about a page that somebody looks at, unless they looked at the same within :data:`LOOKING_S`.

        Sorting, paging and going back are one look.
        """
        what = (self._services.actor, action, subject, *sorted(details.items()))
        now = time.monotonic()
        with self._lock:
            self._looked = {each: at for each, at in self._looked.items() if now - at < LOOKING_S}
            if what in self._looked:
                return
        self.note(action, subject=subject, details=details)
        with self._lock:
            self._looked[what] = now

    def note_denied(self, user: str, place: str) -> None:
        """Add an entry about a user who asked for a page that is not theirs, once in a while for each page.

        Raises:
            DatabaseError: It cannot be written.
        """
        self.note_page("user.denied", subject=user, place=place)

    def note(
        self, action: str, *, subject: str = "", employee: str = "", details: Mapping[str, str] | None = None
    ) -> None:
        """Add an entry about something that changed nothing, such as an export; see :func:`note`."""
        note(self._services, action, subject=subject, employee=employee, details=details)

    def note_reading(
        self, action: str, *, subject: str = "", employee: str = "", details: Mapping[str, str] | None = None
    ) -> None:
        """Add an entry about looking at data of people, to be called before it is shown or written anywhere.

        Raises:
            DatabaseError: It cannot be written, so nothing may be shown; the hint says so.
        """
        try:
            self.note(action, subject=subject, employee=employee, details=details)
        except DatabaseAwayError:
            raise
        except DatabaseError as exc:
            raise DatabaseError(exc.message_id, hint=UNRECORDED, **exc.params) from exc


def note(
    services: Services,
    action: str,
    *,
    subject: str = "",
    employee: str = "",
    details: Mapping[str, str] | None = None,
) -> None:
    """Add an entry about something that changed nothing.

    Args:
        employee: A code as somebody typed it: the subject is the code as it is.
    """
    actor = services.actor

    def work(session: Session) -> None:
        whom = employee_rows.get(session, employee).code if employee else subject
        audit_rows.append(session, actor=actor, action=action, subject=whom, details=details)

    services.database.run_write(work)


def _is_explained(kept: KeptHead, restores: Sequence[RestoreEntry]) -> bool:
    """Return whether a restore that came after this home had written a head replaced that."""
    return any(
        each.at > kept.at and kept.head.number <= parsed_head(each.replaced).number
        for each in restores
        if each.replaced
    )


def _lines(entries: Iterator[AuditEntry]) -> Iterator[str]:
    for one in entries:
        facts = {
            "number": one.number,
            "at": one.at.isoformat(),
            "actor": one.actor,
            "action": one.action,
            "subject": one.subject,
            "details": dict(one.details),
            "previous": one.previous,
            "salt": one.salt,
            "content": one.content,
            "digest": one.digest,
            "signature": one.signature,
        }
        yield json.dumps(facts, ensure_ascii=False)


def parsed_head(anchor: str) -> AuditHead:
    """Return a head that somebody wrote down. Raises InvalidInputError."""
    try:
        return AuditHead.parse(anchor)
    except ValueError as exc:
        raise InvalidInputError(
            N_("“{anchor}” is no head of an audit trail."),
            hint=N_("It looks like 123:0a1b…, with 64 hexadecimal digits; “smartabsen audit verify” prints one."),
            anchor=anchor,
        ) from exc

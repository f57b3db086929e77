"""The audit trail: looking into it, checking it, taking it along."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Final, Protocol

from ..kernel.errors import DatabaseAwayError, DatabaseError, InvalidInputError
from ..kernel.i18n import N_
from ..kernel.texts import checked_text
from ..people import employee_rows
from ..privacy import record_check_rows, resealing_rows
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
from .looks import Looks
from .sealing import KeyRing, no_key
from .signing_rows import Unsigned as Unsigned
from .trail_keeper import KeptHead, TrailKeeper
from .work import Units, Work

UNRECORDED: Final = N_(
    "Nothing is shown or exported without an entry in the audit trail, and that cannot be written now. Mend this, then "
    "try again."
)


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


class HasUnits(Protocol):
    """What has the units of a database."""

    @property
    def units(self) -> Units: ...


class AuditTrail:
    """Who did what to whom, and whether the record of it is as it was written.

    Args:
        units: Of its database.
        keeper: Signs it, and remembers its head.
        check_days: Checks punches and days of a session, with the keys.
        zone: Of the site.
        key_place: Where the keys lie, for people.
    """

    def __init__(
        self,
        units: Units,
        keeper: TrailKeeper,
        *,
        check_days: Callable[[Session, KeyRing | None], AttendanceVerdict],
        zone: tzinfo,
        key_place: str,
    ) -> None:
        self._units = units
        self._keeper = keeper
        self._check_days = check_days
        self._zone = zone
        self._key_place = key_place
        self._looks = Looks(units)

    def entries(
        self, *, actor: str = "", action: str = "", subject: str = "", limit: int = 100
    ) -> tuple[AuditEntry, ...]:
        """Return the last entries that match, the newest first; see :func:`smartabsen.trust.audit_rows.find`."""
        with self._units.read() as session:
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
        keeper = self._keeper
        ring = keeper.ring()
        with self._units.read(long=True) as session:
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
            keeper.begin_anew(database_id, without.head, at=self._units.instant())
        return self.verify(anchor=anchor)

    def verify_attendance(self) -> AttendanceVerdict:
        """Check every punch and day: their signatures, and whether days follow from their punches."""
        keeper = self._keeper
        with self._units.read(long=True) as session:
            return self._check_days(session, keeper.ring())

    def compare_record(self) -> tuple[RecordProblem, ...]:
        """Compare what the audit trail tells of (times entered, leave, people, consents) with what is stored."""
        with self._units.read(long=True) as session:
            return record_check_rows.compare(session, self._zone)

    def verify_faces(self) -> FaceVerdict:
        """Open every template and kept face, and say which were not sealed for the person in whose row they lie.

        Seals whose key is not here are not judged.
        """
        ring = self._keeper.ring()
        if ring is None:
            return FaceVerdict(0, (), checked=False)
        with self._units.read(long=True) as session:
            found = resealing_rows.check_seals(session, ring)
        rows = sum((*found.templates.values(), *found.crops.values()))
        return FaceVerdict(rows, tuple(one for one in found.broken if one.problem != "no_key"))

    def unsigned(self) -> Unsigned:
        """Count what :meth:`sign` would answer for: rows without a signature, and heads that the trail has lost.

        A signature of a key that is not here counts as none: that key may be lost for good.
        """
        keeper = self._keeper
        with self._units.read(long=True) as session:
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
        reason = checked_text(reason, field=N_("reason"), limit=NOTE_LENGTH, required=True)
        keeper = self._keeper
        ring = keeper.ring()
        if ring is None:
            raise no_key(place=self._key_place)
        with self._units.read() as session:
            database_id = meta.database_id(session)
        lost = keeper.known(database_id).lost

        def sign(work: Work) -> Unsigned:
            signed = replace(signing_rows.sign_unsigned(work.session, ring), heads=len(lost))
            counts = {"entries": signed.entries, "punches": signed.punches, "days": signed.days}
            details = {"reason": reason, **{name: str(count) for name, count in counts.items()}}
            details["lost"] = " ".join(str(each.head) for each in lost)
            work.record("audit.sign", details=details)
            return signed

        done = self._units.write(sign)
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
        with self._units.read(long=True) as session:
            text = "".join(f"{line}\n" for line in _lines(audit_rows.entries(session)))
            head = audit_rows.head(session)
        write_atomically(path, f"{text}{json.dumps({'head': str(head)})}\n".encode())
        return head

    def note_page(self, action: str, *, subject: str = "", **details: str) -> None:
        """Add an entry about a page that somebody looks at, once in a while; see :class:`.looks.Looks`.

        Sorting, paging and going back are one look.
        """
        self._looks.note(action, subject, tuple(sorted(details.items())))

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
        note(self, action, subject=subject, employee=employee, details=details)

    def note_reading(
        self, action: str, *, subject: str = "", employee: str = "", details: Mapping[str, str] | None = None
    ) -> None:
        """Add an entry about looking at data of people; see :func:`note_reading`."""
        note_reading(self, action, subject=subject, employee=employee, details=details)

    @property
    def units(self) -> Units:
        """Those of its database."""
        return self._units


def note_reading(
    at: HasUnits, action: str, *, subject: str = "", employee: str = "", details: Mapping[str, str] | None = None
) -> None:
    """Add an entry about looking at data of people, to be called before it is shown or written anywhere.

    Raises:
        DatabaseError: It cannot be written, so nothing may be shown; the hint says so.
    """
    try:
        note(at, action, subject=subject, employee=employee, details=details)
    except DatabaseAwayError:
        raise
    except DatabaseError as exc:
        raise DatabaseError(exc.message_id, hint=UNRECORDED, **exc.params) from exc


def note(
    at: HasUnits, action: str, *, subject: str = "", employee: str = "", details: Mapping[str, str] | None = None
) -> None:
    """Add an entry about something that changed nothing.

    Args:
        at: Has the units of the database.
        employee: A code as somebody typed it: the subject is the code as it is.
    """

    def tell(work: Work) -> None:
        whom = employee_rows.get(work.session, employee).code if employee else subject
        work.record(action, subject=whom, details=details)

    at.units.write(tell)


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

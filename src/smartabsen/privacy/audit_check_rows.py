"""Checking the audit trail: chain, head, signatures, heads that were written down elsewhere, and what was erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ..store import meta
from ..store.tables import AuditRow
from ..trust.audit_head import AuditHead
from ..trust.audit_rows import BEGINNING, PURPOSE, content_of, digest_of, head, read_details, rows
from ..trust.sealing import KeyRing, Signature
from ..trust.signing_rows import BEGIN
from .audit_erasure_rows import EMPTY, erased_numbers

RESTORE: Final = "backup.restore"


class ProblemKind(StrEnum):
    """What a verification can find."""

    CHANGED = "changed"
    """The entry does not have its own hash any more."""
    MISSING = "missing"
    """There is no entry of this number."""
    MOVED = "moved"
    """The entry does not follow the one that stands before it."""
    FOREIGN = "foreign"
    """A row that was not added by a program of ours; the number is its row id."""
    CUT_OFF = "cut_off"
    """A head knows entries after this one, or another one in its place."""
    LOST = "lost"
    """This home had written the trail up to this entry; it was cut off before it, or replaced, and went on."""
    FORGED = "forged"
    """The signature of the entry does not fit to it."""
    UNSIGNED = "unsigned"
    """Entries from this one on, up to ``last``, are not signed although there is a key."""
    NO_KEY = "no_key"
    """The entry is signed with a key that is not here."""
    BEGUN_AGAIN = "begun_again"
    """Signing begins a second time here: somebody took the mark of its beginning away."""
    OTHER_DATABASE = "other_database"
    """The database had another identity when signing began: nobody would find the heads that were kept of it."""


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """A broken place: what, and at which entry.

    Attributes:
        last: The last entry of the place, 0 where it is one entry.
    """

    kind: ProblemKind
    number: int
    last: int = 0


@dataclass(frozen=True, slots=True)
class RestoreEntry:
    """A restore that the trail tells of.

    Attributes:
        number: Of its entry.
        replaced: Head of the trail that was replaced; empty where there was none.
        safety: Name of the backup that holds it.
    """

    number: int
    at: datetime
    actor: str
    replaced: str
    safety: str


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What a verification found.

    Attributes:
        entries: Entries that were read.
        head: Of the last one, fit to be written down.
        problems: None when every entry is as it was written.
        signed: Entries whose signature fits.
        unsigned_before: Entries from before there was a key: nothing but the chain speaks for them.
        erased: Entries whose person was erased: their content cannot be checked any more.
        signatures_checked: Whether there was a key to check them with.
        restores: Backups that were restored: what the trail held after them lies in their safety copies.
    """

    entries: int
    head: AuditHead
    problems: tuple[AuditProblem, ...]
    signed: int = 0
    unsigned_before: int = 0
    erased: int = 0
    signatures_checked: bool = False
    restores: tuple[RestoreEntry, ...] = ()


class _Trail:
    """The trail as it is read, entry after entry."""

    def __init__(
        self,
        database_id: str,
        erased: Mapping[int, tuple[int, str]],
        known: Sequence[AuditHead],
        ring: KeyRing | None,
    ) -> None:
        self.problems: list[AuditProblem] = []
        self.last = AuditHead(0, BEGINNING)
        self.count = self.signed = self.erased = 0
        self.unsigned: list[int] = []
        self.first_signed = 0
        self.restores: list[RestoreEntry] = []
        self._erased, self._ring = erased, ring
        self._known = known
        self._database_id = database_id
        self._begun = False

    def read(self, row: AuditRow) -> None:
        self.count += 1
        number = row.number or 0
        if number > self.last.number + 1:
            self._find(ProblemKind.MISSING, self.last.number + 1)
        elif row.previous != self.last.digest:
            self._find(ProblemKind.MOVED, number)
        if not self._is_itself(row, number) or any(
            each.number == number and each.digest != row.digest for each in self._known
        ):
            self._find(ProblemKind.CHANGED, number)
        self._look_at_signature(row, number)
        if row.action == BEGIN:
            if self._begun:
                self._find(ProblemKind.BEGUN_AGAIN, number)
            self._begun = True
            if read_details(row.details).get("database", self._database_id) != self._database_id:
                self._find(ProblemKind.OTHER_DATABASE, number)
        if row.action == RESTORE:
            details = read_details(row.details)
            replaced, safety = str(details.get("replaced", "")), str(details.get("safety", ""))
            self.restores.append(RestoreEntry(number, row.at_utc, row.actor, replaced, safety))
        self.last = AuditHead(number, row.digest or "")

    def end(self, stored: AuditHead) -> None:
        if stored != self.last or any(each.number > self.last.number for each in self._known):
            self._find(ProblemKind.CUT_OFF, self.last.number)
        if self._ring is None:
            return
        # Where there is a key, whatever is added is signed: an end without a signature is somebody else's.
        begin = self.first_signed or self.last.number
        late = [number for number in self.unsigned if number >= begin]
        self.unsigned = [number for number in self.unsigned if number < begin]
        start = 0
        for place, number in enumerate(late):
            if place + 1 == len(late) or late[place + 1] != number + 1:
                self.problems.append(AuditProblem(ProblemKind.UNSIGNED, late[start], number))
                start = place + 1

    def _is_itself(self, row: AuditRow, number: int) -> bool:
        erasing, pseudonym = self._erased.get(number, (0, ""))
        if erasing > number and row.salt is None and row.details == EMPTY and row.subject == pseudonym:
            self.erased += 1
            return row.content is None or digest_of(row, number, row.previous) == row.digest
        if row.content is not None and content_of(row) != row.content:
            return False
        return digest_of(row, number, row.previous) == row.digest

    def _look_at_signature(self, row: AuditRow, number: int) -> None:
        if self._ring is None:
            return
        found = self._ring.check_signature(row.signature, PURPOSE, [row.digest])
        if found is Signature.NONE:
            self.unsigned.append(number)
            return
        self.first_signed = self.first_signed or number
        if found is Signature.GOOD:
            self.signed += 1
        else:
            self._find(ProblemKind.NO_KEY if found is Signature.NO_KEY else ProblemKind.FORGED, number)

    def _find(self, kind: ProblemKind, number: int) -> None:
        self.problems.append(AuditProblem(kind, number))


def verify(
    session: Session, *known: AuditHead, lost: Sequence[AuditHead] = (), ring: KeyRing | None = None
) -> AuditVerdict:
    """Check every entry against the chain.

    Args:
        known: Heads that were written down earlier: their entries must still be there, as they were.
        lost: Heads that were not held when the trail went on: each is a problem, whatever the trail holds now.
        ring: Checks the signatures; None leaves them unchecked.

    Returns:
        What is broken, in the order of the chain; of a gap its first number is named.
    """
    trail = _Trail(meta.database_id(session), erased_numbers(session), known, ring)
    for row in rows(session):
        trail.read(row)
    trail.end(head(session))
    strangers = session.scalars(
        select(AuditRow.id).where(or_(AuditRow.number.is_(None), AuditRow.number < 1)).order_by(AuditRow.id)
    )
    trail.problems += [AuditProblem(ProblemKind.FOREIGN, row_id) for row_id in strangers]
    trail.problems += [AuditProblem(ProblemKind.LOST, each.number) for each in lost]
    return AuditVerdict(
        entries=trail.count,
        head=trail.last,
        problems=tuple(dict.fromkeys(trail.problems)),
        signed=trail.signed,
        unsigned_before=len(trail.unsigned),
        erased=trail.erased,
        signatures_checked=ring is not None,
        restores=tuple(trail.restores),
    )

"""The audit trail: who did what to whom, and when. Entries are added, never changed.

Each entry has a number, without gaps, and the hash of the one before; its own hash covers both. The head, the number
and the hash of the last entry, is kept apart. Whoever edits, deletes, reorders or cuts off entries breaks the chain or
its head; whoever can rewrite the whole database can also rewrite both, which shows against a head that was written
down elsewhere: every export and every backup carries one.

Writers are serialised by the head, for as short as can be: entries are chained right before their transaction commits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import event, or_, select, update
from sqlalchemy.orm import Session

from .tables import LABEL_LENGTH, AuditRow, MetaRow
from .texts import shortened

HEAD: Final = "audit_head"
"""Name of the head in the meta table: ``NUMBER:HASH``."""
BEGINNING: Final = "0" * 64
"""What the first entry has as the hash of the one before."""
NEWEST_FIRST: Final = (AuditRow.number.desc(), AuditRow.id.desc())
"""By the place in the chain, which its hashes cover; row ids are covered by nothing."""
UNREADABLE: Final = "unreadable"
"""Name, in the details of an entry, of what was put in the place of its details and is none."""
_WAITING: Final = "smartabsen_audit"
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry.

    Attributes:
        at: UTC.
        actor: Who did it: a user of the system, a kiosk.
        action: What, as a stable word: ``employee.rename``.
        subject: To whom or what, as an employee's code.
        details: More, as text by name.
        number: Its place in the chain, from 1; 0 for a row that no program of ours added.
        digest: Its hash, 64 hex characters.
    """

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, str]
    number: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class AuditHead:
    """Number and hash of the last entry; ``str`` and :meth:`parse` are its written form."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> AuditHead:
        """Read the written form. Raises ValueError."""
        number, _, digest = text.strip().partition(":")
        if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise ValueError("a head of the audit trail is NUMBER:HASH with 64 hex characters")
        return cls(int(number), digest)


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
    """The head knows entries after this one, or another one in its place."""


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """A broken place: what, and at which entry."""

    kind: ProblemKind
    number: int


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What a verification found.

    Attributes:
        entries: Entries that were read.
        head: Of the last one, fit to be written down.
        problems: None when every entry is as it was written.
    """

    entries: int
    head: AuditHead
    problems: tuple[AuditProblem, ...]


def append(
    session: Session, *, actor: str, action: str, subject: str = "", details: Mapping[str, str] | None = None
) -> None:
    """Add an entry, in the same transaction as what it tells of."""
    row = AuditRow(
        at_utc=datetime.now(UTC),
        actor=shortened(actor, LABEL_LENGTH),
        action=action,
        subject=shortened(subject, LABEL_LENGTH),
        details=json.dumps(dict(details or {}), ensure_ascii=False, sort_keys=True),
    )
    session.add(row)
    session.flush()
    waiting: list[AuditRow] | None = session.info.get(_WAITING)
    if waiting is None:
        session.info[_WAITING] = [row]
        event.listen(session, "before_commit", _chain)
    else:
        waiting.append(row)


def latest(session: Session, limit: int = 100) -> tuple[AuditEntry, ...]:
    """Return the last entries, the newest first."""
    rows = session.scalars(select(AuditRow).order_by(*NEWEST_FIRST).limit(limit))
    return tuple(_entry(row) for row in rows)


def find(
    session: Session, *, actor: str = "", action: str = "", subject: str = "", limit: int = 100
) -> tuple[AuditEntry, ...]:
    """Return the last entries that match, the newest first.

    Args:
        actor, subject: Exactly these; empty for all.
        action: This word or those that begin with it and a dot: ``punch`` finds ``punch.manual``.
    """
    query = select(AuditRow).order_by(*NEWEST_FIRST).limit(limit)
    if actor:
        query = query.where(AuditRow.actor == actor)
    if subject:
        query = query.where(AuditRow.subject == subject)
    if action:
        query = query.where((AuditRow.action == action) | AuditRow.action.startswith(f"{action}.", autoescape=True))
    return tuple(_entry(row) for row in session.scalars(query))


def entries(session: Session) -> Iterator[AuditEntry]:
    """Yield all entries in the order of the chain, a page at a time."""
    return (_entry(row) for row in _rows(session))


def head(session: Session) -> AuditHead:
    """Return number and hash of the last entry."""
    stored = session.scalar(select(MetaRow.value).where(MetaRow.name == HEAD))
    return AuditHead.parse(stored) if stored else AuditHead(0, BEGINNING)


def verify(session: Session, known: AuditHead | None = None) -> AuditVerdict:
    """Check every entry against the chain.

    Args:
        known: A head that was written down earlier: its entry must still be there, as it was.

    Returns:
        What is broken, in the order of the chain; of a gap its first number is named.
    """
    problems: list[AuditProblem] = []
    last = AuditHead(0, BEGINNING)
    count = 0
    for row in _rows(session):
        count += 1
        number = row.number or 0
        if number > last.number + 1:
            problems.append(AuditProblem(ProblemKind.MISSING, last.number + 1))
        elif row.previous != last.digest:
            problems.append(AuditProblem(ProblemKind.MOVED, number))
        digest = _digest(row, number, row.previous)
        if digest != row.digest:
            problems.append(AuditProblem(ProblemKind.CHANGED, number))
        if known is not None and number == known.number and digest != known.digest:
            problems.append(AuditProblem(ProblemKind.CHANGED, number))
        last = AuditHead(number, row.digest or "")
    if head(session) != last or (known is not None and known.number > last.number):
        problems.append(AuditProblem(ProblemKind.CUT_OFF, last.number))
    strangers = session.scalars(
        select(AuditRow.id).where(or_(AuditRow.number.is_(None), AuditRow.number < 1)).order_by(AuditRow.id)
    )
    problems += [AuditProblem(ProblemKind.FOREIGN, row_id) for row_id in strangers]
    return AuditVerdict(count, last, tuple(dict.fromkeys(problems)))


def _rows(session: Session) -> Iterator[AuditRow]:
    after = 0
    while True:
        query = select(AuditRow).where(AuditRow.number > after).order_by(AuditRow.number).limit(_PAGE)
        rows = session.scalars(query).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1].number or 0
        session.expunge_all()


def _chain(session: Session) -> None:
    """Give the entries of a transaction their places, the last thing before it commits."""
    if session.in_nested_transaction():
        return
    waiting: list[AuditRow] = session.info[_WAITING]
    # Those of a savepoint that was rolled back are not in the session any more.
    rows = [row for row in waiting if row in session]
    waiting.clear()
    if not rows:
        return
    # The lock on the head; SQLite holds the lock on the whole database already.
    stored = session.scalar(select(MetaRow.value).where(MetaRow.name == HEAD).with_for_update())
    last = AuditHead.parse(stored or "")
    for row in rows:
        number = last.number + 1
        row.number, row.previous, row.digest = number, last.digest, _digest(row, number, last.digest)
        last = AuditHead(number, row.digest)
    session.flush()
    session.execute(update(MetaRow).where(MetaRow.name == HEAD).values(value=str(last)))


def _digest(row: AuditRow, number: int, previous: str | None) -> str:
    facts = [number, row.at_utc.isoformat(), row.actor, row.action, row.subject, row.details, previous]
    return sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()


def _entry(row: AuditRow) -> AuditEntry:
    details, number = read_details(row.details), row.number or 0
    return AuditEntry(row.id, row.at_utc, row.actor, row.action, row.subject, details, number, row.digest or "")


def read_details(stored: str) -> Mapping[str, str]:
    """Return the details of an entry; what somebody damaged is given as it stands, for :func:`verify` names its row."""
    try:
        details: Any = json.loads(stored)
    except ValueError:
        details = None
    return details if isinstance(details, dict) else {UNREADABLE: stored}


def about(session: Session, code: str) -> list[dict[str, str]]:
    """Return what was done about an employee and when, the oldest first; not by whom."""
    rows = session.scalars(select(AuditRow).where(AuditRow.subject == code).order_by(AuditRow.number))
    return [{"at_utc": row.at_utc.isoformat(), "action": row.action, "details": row.details} for row in rows]

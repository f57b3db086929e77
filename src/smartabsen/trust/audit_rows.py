"""The audit trail: who did what to whom, and when. Entries are added, never changed.

Each entry has a number, without gaps, and the hash of the one before; its own hash covers both. The head, the number
and the hash of the last entry, is kept apart. Whoever edits, deletes, reorders or cuts off entries breaks the chain or
its head. Whoever can rewrite the whole database can also rewrite both, but has no key: each hash is signed with one of
the ring. What remains is to cut the end off and to put an earlier head back, which shows against a head that was
written down elsewhere: each home keeps the last one it wrote, and every export and every backup carries one.
``store.audit_check`` looks for all of that.

The hash of an entry covers subject and details as a salted hash of their own (``content``): when a person is erased,
both go with the salt, and the chain still holds. Nobody can guess from what stays whom it was about.

Writers are serialised by the head, for as short as can be: entries are chained right before their transaction commits.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from ..kernel.origin import current_address
from ..kernel.reading import parse_json
from ..kernel.texts import shortened
from ..store import meta
from ..store.clock import moment
from ..store.tables import LABEL_LENGTH, AuditRow, MetaRow
from .audit_head import AuditHead as AuditHead
from .trail_keeper import keeper_of

HEAD: Final = "audit_head"
"""Name of the head in the meta table: ``NUMBER:HASH``."""
BEGINNING: Final = "0" * 64
"""What the first entry has as the hash of the one before."""
NEWEST_FIRST: Final = (AuditRow.number.desc(), AuditRow.id.desc())
"""By the place in the chain, which its hashes cover; row ids are covered by nothing."""
UNREADABLE: Final = "unreadable"
"""Name, in the details of an entry, of what was put in the place of its details and is none."""
ADDRESS: Final = "address"
"""Name, in the details of an entry, of the address from which a request came that caused it.

Among the details it is covered by the hash of the entry, and goes with them when a person is erased.
"""
PURPOSE: Final = "audit"
"""What signatures of entries are for."""
_WAITING: Final = "smartabsen_audit"
_WRITTEN: Final = "smartabsen_audit_head"
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
        previous: The hash of the one before.
        content: The salted hash of subject and details that its hash covers, and its salt; empty in old entries.
        signature: Of its hash; empty where no key was there.
    """

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, str]
    number: int = 0
    digest: str = ""
    previous: str = ""
    content: str = ""
    salt: str = ""
    signature: str = ""

    @property
    def address(self) -> str:
        """Where the request came from; empty for what a command or a kiosk did."""
        return self.details.get(ADDRESS, "")

    @property
    def further(self) -> Mapping[str, str]:
        """The details without the address."""
        return {name: value for name, value in self.details.items() if name != ADDRESS}


@dataclass(frozen=True, slots=True)
class _Written:
    """What a transaction did to the trail, to be remembered once it is stored."""

    database_id: str
    head: AuditHead
    held: frozenset[AuditHead]
    lost: AuditHead | None


def append(
    session: Session, *, actor: str, action: str, subject: str = "", details: Mapping[str, str] | None = None
) -> None:
    """Add an entry, in the same transaction as what it tells of; with the address of the request that caused it."""
    facts = dict(details or {})
    if address := current_address():
        facts[ADDRESS] = address
    row = AuditRow(
        at_utc=moment(session),
        actor=shortened(actor, LABEL_LENGTH),
        action=action,
        subject=shortened(subject, LABEL_LENGTH),
        details=json.dumps(facts, ensure_ascii=False, sort_keys=True),
        salt=secrets.token_hex(16),
    )
    row.content = content_of(row)
    session.add(row)
    session.flush()
    waiting: list[AuditRow] | None = session.info.get(_WAITING)
    if waiting is None:
        session.info[_WAITING] = [row]
        event.listen(session, "before_commit", _chain)
        event.listen(session, "after_commit", _remember)
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
    return (_entry(row) for row in rows(session))


def head(session: Session) -> AuditHead:
    """Return number and hash of the last entry."""
    stored = session.scalar(select(MetaRow.value).where(MetaRow.name == HEAD))
    return AuditHead.parse(stored) if stored else AuditHead(0, BEGINNING)


def holds(session: Session, known: AuditHead) -> bool:
    """Return whether the trail has a head as the entry of its number."""
    digest = session.scalar(select(AuditRow.digest).where(AuditRow.number == known.number))
    return digest == known.digest or known == AuditHead(0, BEGINNING)


def rows(session: Session) -> Iterator[AuditRow]:
    """Yield all rows in the order of the chain, a page at a time."""
    after = 0
    while True:
        query = select(AuditRow).where(AuditRow.number > after).order_by(AuditRow.number).limit(_PAGE)
        page = session.scalars(query).all()
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].number or 0
        session.expunge_all()


def _chain(session: Session) -> None:
    """Give the entries of a transaction their places, the last thing before it commits."""
    if session.in_nested_transaction():
        return
    waiting: list[AuditRow] = session.info[_WAITING]
    # Those of a savepoint that was rolled back are not in the session any more.
    added = [row for row in waiting if row in session]
    waiting.clear()
    if not added:
        return
    keeper = keeper_of(session)
    ring = keeper.ring() if keeper is not None else None
    # Before the lock: what this home has written is stored for longer than it takes to get it.
    database_id = meta.database_id(session) if keeper is not None else ""
    known = keeper.last_known(database_id) if keeper is not None else None
    # The lock on the head; SQLite holds the lock on the whole database already.
    stored = session.scalar(select(MetaRow.value).where(MetaRow.name == HEAD).with_for_update())
    before = last = AuditHead.parse(stored or "")
    for row in added:
        number = last.number + 1
        row.number, row.previous, row.digest = number, last.digest, digest_of(row, number, last.digest)
        row.signature = ring.sign(PURPOSE, [row.digest]) if ring is not None else None
        last = AuditHead(number, row.digest)
    session.flush()
    session.execute(update(MetaRow).where(MetaRow.name == HEAD).values(value=str(last)))
    if keeper is not None:
        held: set[AuditHead] = {before}
        lost: AuditHead | None = None
        if known is not None and known != before:
            # Others have gone on since, or somebody cut the end off.
            if holds(session, known):
                held.add(known)
            else:
                lost = known
        session.info[_WRITTEN] = _Written(database_id, last, frozenset(held), lost)


def _remember(session: Session) -> None:
    """Let the home know the head, once it is stored."""
    written: _Written | None = session.info.pop(_WRITTEN, None)
    keeper = keeper_of(session)
    if written is not None and keeper is not None:
        keeper.remember(written.database_id, written.head, at=moment(session), held=written.held, lost=written.lost)


def content_of(row: AuditRow) -> str:
    """Return the salted hash of what an erasure takes out of an entry."""
    return _hash([row.salt, row.subject, row.details])


def digest_of(row: AuditRow, number: int, previous: str | None) -> str:
    """Return the hash of an entry at its place in the chain."""
    at = row.at_utc.isoformat()
    if row.content is None:
        # From before an entry could forget its person.
        return _hash([number, at, row.actor, row.action, row.subject, row.details, previous])
    # Whoever acted for themselves is named by the content alone.
    actor = "" if row.actor == row.subject else row.actor
    return _hash([number, at, actor, row.action, row.content, previous])


def _hash(facts: list[object]) -> str:
    return sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at_utc,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        details=read_details(row.details),
        number=row.number or 0,
        digest=row.digest or "",
        previous=row.previous or "",
        content=row.content or "",
        salt=row.salt or "",
        signature=row.signature or "",
    )


def read_details(stored: str) -> Mapping[str, str]:
    """Return the details of an entry; what somebody damaged is given as it stands: a verification names its row."""
    try:
        details: Any = parse_json(stored)
    except ValueError:
        details = None
    return details if isinstance(details, dict) else {UNREADABLE: stored}


def last_at(session: Session, action: str) -> datetime | None:
    """Return when an action was done last (UTC), None where it never was."""
    return session.scalar(
        select(AuditRow.at_utc).where(AuditRow.action == action).order_by(AuditRow.id.desc()).limit(1)
    )


def about(session: Session, code: str) -> list[dict[str, str]]:
    """Return what was done about an employee and when, the oldest first; not by whom, nor from where."""
    rows = session.scalars(select(AuditRow).where(AuditRow.subject == code).order_by(AuditRow.number))
    return [
        {"at_utc": row.at_utc.isoformat(), "action": row.action, "details": _without_address(row.details)}
        for row in rows
    ]


def _without_address(stored: str) -> str:
    details = dict(read_details(stored))
    return stored if details.pop(ADDRESS, None) is None else json.dumps(details, ensure_ascii=False, sort_keys=True)

"""Signatures of punches and entries of the audit trail: whoever writes the database without a key makes none.

A punch is signed with all its columns but its number, and with numbers and keys of the punches of its day that were
there before it: one that was changed, slipped in or deleted shows. Days are not signed: they follow from punches, from
leave, which the audit trail has, and from rules, which :func:`state_rules` signs. An entry marks where older versions
ended to sign days, and those signatures stay to be checked. What a machine without a key writes has no signature; so
has what is from before there was a key: :func:`begin` notes where signing begins.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.orm import Session

from ..store import meta
from ..store.database import Database
from ..store.tables import KEY_ID_LENGTH, Absensi, AuditRow, Karyawan, PunchRow
from . import audit_rows
from .sealing import KeyRing, Signature, facts_version
from .trail_keeper import signing_ring

BEGIN: Final = "audit.signing_begins"
"""The action of the entry from which on everything is signed."""
DAYS_END: Final = "audit.day_signing_ends"
"""The action of the entry after which days are not signed any more."""
NEW_RULES: Final = "attendance.rules"
"""The action of entries that say by which other rules days are derived from then on."""
PUNCH: Final = "punch"
DAY: Final = "day"
RULES: Final = "rules"
PUNCH_FACTS: Final = 2
"""The version of what signatures of punches cover now."""
_BEGUN: Final = "signing_begun"
_STATED: Final = "stated_rules"
_PAGE: Final = 500

Stated = tuple[tuple[str, str], ...]
"""Rules as names and values, in a fixed order."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """From where on everything is signed: higher row ids than these.

    Attributes:
        days: None where days were never signed.
        employees: The audit trail knows everybody with a higher row id; None where it began before it told of people.
    """

    punches: int
    days: int | None
    employees: int | None


@dataclass(frozen=True, slots=True)
class Unsigned:
    """How many rows have no signature, or one of a key that is not here.

    Attributes:
        heads: Heads that this home wrote and the trail has lost; they cannot be signed, only answered for.
    """

    entries: int
    punches: int
    days: int
    heads: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.entries + self.punches + self.days + self.heads


@dataclass(frozen=True, slots=True)
class DaysEnd:
    """Where the signing of days ended: the last row ids of then, and the number of the entry that says so.

    A home that never signed days has zeros.
    """

    number: int = 0
    punches: int = 0
    days: int = 0

    def is_before(self, day: Absensi, punches: Iterable[int]) -> bool:
        """Return whether a day is as it was then, as far as its punches (row ids) tell."""
        return day.id <= self.days and all(row_id <= self.punches for row_id in punches)


def punch_facts(row: PunchRow, version: int, earlier: Iterable[tuple[int, str]]) -> list[object]:
    """Return what the signature of a punch covers.

    Args:
        version: Of version 1, the offset of the clock is covered only where there is one.
        earlier: Row id and idempotency key of each punch of the day that was stored before; covered since version 2.
    """
    facts: list[object] = [
        row.karyawan_id,
        row.idempotency_key,
        row.at_utc.isoformat(),
        row.work_date.isoformat(),
        row.method,
        row.status,
        row.kiosk,
        _measure(row.similarity),
        _measure(row.liveness),
        row.model_digest,
        row.note,
        bool(row.clock_trusted),
        row.created_at.isoformat(),
        row.supersedes_id,
    ]
    if version > 1:
        return [*facts, _measure(row.clock_offset_s), sorted([number, key] for number, key in earlier)]
    return [*facts, _measure(row.clock_offset_s)] if row.clock_offset_s is not None else facts


def day_facts(row: Absensi, punches: Iterable[tuple[int, str]]) -> list[object]:
    """Return what the signature of a day covers.

    Args:
        punches: Row id and idempotency key of each punch of the day.
    """
    return [
        row.karyawan_id,
        row.tanggal.isoformat(),
        row.jam_masuk.isoformat() if row.jam_masuk else None,
        row.jam_pulang.isoformat() if row.jam_pulang else None,
        row.status,
        row.menit_terlambat,
        row.menit_kerja,
        row.keterangan,
        sorted([number, key] for number, key in punches),
    ]


def sign_punch(session: Session, row: PunchRow) -> None:
    """Sign a punch before it is stored; without a key it stays unsigned."""
    ring = signing_ring(session)
    if ring is not None:
        facts = punch_facts(row, PUNCH_FACTS, _punches_of(session, row.karyawan_id, row.work_date))
        row.signature = ring.sign(PUNCH, facts, version=PUNCH_FACTS)


def begin(database: Database) -> None:
    """Note where signing begins, once, where there is a key. Raises DatabaseError."""
    with database.read() as session:
        if signing_ring(session) is None or meta.find(session, _BEGUN) is not None:
            return

    def work(session: Session) -> None:
        if not meta.compare_and_set(session, _BEGUN, expected=None, value="1"):
            return
        last = {
            "punches": session.scalar(select(func.max(PunchRow.id))) or 0,
            "employees": session.scalar(select(func.max(Karyawan.id))) or 0,
        }
        details = {name: str(number) for name, number in last.items()}
        details["database"] = meta.database_id(session)
        audit_rows.append(session, actor="smartabsen", action=BEGIN, details=details)

    database.run_write(work)


def find_beginning(session: Session) -> Beginning | None:
    """Return from where on everything is signed; None where signing has not begun."""
    query = select(AuditRow.details).where(AuditRow.action == BEGIN).order_by(AuditRow.number).limit(1)
    stored = session.scalar(query)
    if stored is None:
        return None
    details = audit_rows.read_details(stored)

    def last(name: str) -> int | None:
        number = str(details.get(name, ""))
        return int(number) if number.isdecimal() else None

    return Beginning(last("punches") or 0, last("days"), last("employees"))


def state_rules(database: Database, rules: Stated) -> None:
    """Remember by which rules days are derived, signed where there is a key.

    The first time, an entry marks where the signing of days ends, if there are days; other rules than before are an
    entry each. Raises DatabaseError.
    """
    with database.read() as session:
        if rules in stated_rules(session, signing_ring(session)):
            return

    def work(session: Session) -> None:
        meta.lock(session)
        known, ring = _stated(session), signing_ring(session)
        last_day = session.scalar(select(func.max(Absensi.id)))
        if known and rules not in known:
            audit_rows.append(session, actor="smartabsen", action=NEW_RULES, details=dict(rules))
        elif not known and last_day:
            last = {"days": last_day, "punches": session.scalar(select(func.max(PunchRow.id))) or 0}
            details = {name: str(number) for name, number in last.items()}
            audit_rows.append(session, actor="smartabsen", action=DAYS_END, details=details)
        _put_stated(session, {**known, rules: ring.sign(RULES, rules) if ring is not None else None})

    database.run_write(work)


def stated_rules(session: Session, ring: KeyRing | None) -> tuple[Stated, ...]:
    """Return the rules by which days were derived since the signing of days ended; with a ring only those it signed."""
    return tuple(
        rules
        for rules, signature in _stated(session).items()
        if ring is None or ring.check_signature(signature, RULES, rules) is Signature.GOOD
    )


def find_days_end(session: Session) -> DaysEnd:
    """Return where the signing of days ended."""
    query = select(AuditRow.number, AuditRow.details).where(AuditRow.action == DAYS_END).order_by(AuditRow.number)
    found = session.execute(query.limit(1)).first()
    if found is None:
        return DaysEnd()
    details = audit_rows.read_details(found.details)
    return DaysEnd(found.number or 0, int(details["punches"]), int(details["days"]))


def count_unsigned(session: Session, ring: KeyRing | None) -> Unsigned:
    """Return how many rows have no signature, or one of a key that is not here; of days, those that are still old."""
    counts = []
    for kind in _kinds(session):
        key_id = func.substr(kind.table.signature, 1, KEY_ID_LENGTH)
        found = session.execute(select(key_id, func.count()).where(kind.signed_by_hand).group_by(key_id))
        counts.append(sum(count for name, count in found if ring is None or name not in ring.ids))
    return Unsigned(*counts)


def sign_unsigned(session: Session, ring: KeyRing) -> Unsigned:
    """Sign every row that :func:`count_unsigned` counts as it is now, and the rules of days; return how many rows."""
    counts = []
    for kind in _kinds(session):
        count = 0
        for row in _pages(session, kind, lambda signature: _key_of(signature) not in ring.ids):
            kind.sign(row, ring)
            count += 1
        counts.append(count)
    stated = _stated(session)
    _put_stated(session, {rules: known if _key_of(known) in ring.ids else ring.sign(RULES, rules)
                          for rules, known in stated.items()})  # fmt: skip
    return Unsigned(*counts)


def sign_anew(database: Database, ring: KeyRing, dropped: frozenset[str]) -> int:
    """Sign with the active key what a key signed that is about to be dropped; return how many rows.

    A signature that does not fit stays as it is: nobody vouches for that row.
    """

    def work(session: Session) -> int:
        count = 0
        for kind in _kinds(session):
            for row in _pages(session, kind, lambda signature: _key_of(signature) in dropped):
                if kind.check(row, ring) is Signature.GOOD:
                    kind.sign(row, ring)
                    count += 1
        good = stated_rules(session, ring)
        _put_stated(session, {rules: ring.sign(RULES, rules) if rules in good else known
                              for rules, known in _stated(session).items()})  # fmt: skip
        return count

    return database.run_write(work)


class Resigning:
    """Signs rows of attendance again after a change that is ours, such as blanking notes.

    Only rows whose signature fits before the change get one after it; without a key none does. To be made before the
    change.

    Args:
        session: Of the transaction that changes them.
        rows: Ids of the rows that will change, by table.
    """

    def __init__(self, session: Session, rows: Mapping[type[Any], Sequence[int]]) -> None:
        self._session = session
        self._ring = ring = signing_ring(session)
        self._good: list[tuple[_Kind, list[int]]] = []
        for kind in _kinds(session)[1:]:
            found = session.scalars(select(kind.table).where(kind.table.id.in_(rows.get(kind.table, ()))))
            good = [
                row.id for row in found if row.signature and (ring is None or kind.check(row, ring) is Signature.GOOD)
            ]
            self._good.append((kind, good))

    def sign(self) -> None:
        """Sign them as they are now."""
        self._session.expire_all()
        for kind, row_ids in self._good:
            for row_id in row_ids:
                row = self._session.get(kind.table, row_id)
                if row is not None:
                    kind.sign(row, self._ring)
        self._session.flush()


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of signed rows.

    Attributes:
        version: Of the facts that a signature made now covers.
        facts: Returns what the signature of a row covers in a version.
        signed_by_hand: Which rows somebody may vouch for.
    """

    table: type[Any]
    purpose: str
    version: int
    facts: Callable[[Any, int], list[object]]
    signed_by_hand: ColumnElement[bool] = field(default_factory=true)

    def sign(self, row: Any, ring: KeyRing | None) -> None:
        facts = self.facts(row, self.version)
        row.signature = ring.sign(self.purpose, facts, version=self.version) if ring is not None else None

    def check(self, row: Any, ring: KeyRing) -> Signature:
        return ring.check_signature(row.signature, self.purpose, self.facts(row, facts_version(row.signature)))


def _kinds(session: Session) -> tuple[_Kind, ...]:
    end = find_days_end(session)
    later = select(PunchRow.id).where(
        PunchRow.karyawan_id == Absensi.karyawan_id, PunchRow.work_date == Absensi.tanggal, PunchRow.id > end.punches
    )

    def facts_of_punch(row: PunchRow, version: int) -> list[object]:
        of_day = _punches_of(session, row.karyawan_id, row.work_date) if version > 1 else []
        return punch_facts(row, version, [each for each in of_day if each[0] < row.id])

    def facts_of_day(row: Absensi, _version: int) -> list[object]:
        return day_facts(row, _punches_of(session, row.karyawan_id, row.tanggal))

    return (
        _Kind(AuditRow, audit_rows.PURPOSE, 1, lambda row, _version: [row.digest]),
        _Kind(PunchRow, PUNCH, PUNCH_FACTS, facts_of_punch),
        _Kind(Absensi, DAY, 1, facts_of_day, and_(Absensi.id <= end.days, ~later.exists())),
    )


def _pages(session: Session, kind: _Kind, wanted: Callable[[str | None], bool]) -> Iterator[Any]:
    table = kind.table
    found = session.execute(select(table.id, table.signature).where(kind.signed_by_hand).order_by(table.id)).all()
    ids = [row_id for row_id, signature in found if wanted(signature)]
    for start in range(0, len(ids), _PAGE):
        yield from session.scalars(select(table).where(table.id.in_(ids[start : start + _PAGE]))).all()
        session.flush()
        session.expunge_all()


def _stated(session: Session) -> dict[Stated, str | None]:
    stored = json.loads(meta.find(session, _STATED) or "[]")
    return {tuple((name, value) for name, value in rules): signature for rules, signature in stored}


def _put_stated(session: Session, stated: Mapping[Stated, str | None]) -> None:
    if stated:
        meta.put(session, _STATED, json.dumps(list(stated.items())))


def _punches_of(session: Session, employee_id: int, work_date: date) -> list[tuple[int, str]]:
    query = select(PunchRow.id, PunchRow.idempotency_key)
    found = session.execute(query.where(PunchRow.karyawan_id == employee_id, PunchRow.work_date == work_date))
    return [(row_id, key) for row_id, key in found]


def _key_of(signature: str | None) -> str:
    return (signature or "").partition(":")[0]


def _measure(value: float | None) -> str | None:
    # Nine digits are equal on every kind of database.
    return None if value is None else f"{value:.9g}"

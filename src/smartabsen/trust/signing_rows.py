"""Signatures of punches, days and entries of the audit trail: whoever writes the database without a key makes none.

A punch is signed with all its columns but its number; a day with all its columns and with the numbers and keys of its
punches, so that a punch that was changed, slipped in or deleted shows in two places. What a machine without a key
writes has no signature; so has what is from before there was a key: :func:`begin` notes where signing begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..store import meta
from ..store.database import Database
from ..store.tables import KEY_ID_LENGTH, Absensi, AuditRow, Karyawan, PunchRow
from . import audit_rows
from .sealing import KeyRing, Signature
from .trail_keeper import signing_ring

BEGIN: Final = "audit.signing_begins"
"""The action of the entry from which on everything is signed."""
PUNCH: Final = "punch"
DAY: Final = "day"
_BEGUN: Final = "signing_begun"
_PAGE: Final = 500

Facts = Callable[[Any], list[object]]


@dataclass(frozen=True, slots=True)
class Beginning:
    """From where on everything is signed: higher row ids than these.

    Attributes:
        employees: The audit trail knows everybody with a higher row id; None where it began before it told of people.
    """

    punches: int
    days: int
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


def punch_facts(row: PunchRow) -> list[object]:
    """Return what the signature of a punch covers.

    The offset of the clock came later: a punch without one is signed as before, so one that was slipped in or taken
    out breaks the signature all the same.
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
    if row.clock_offset_s is not None:
        facts.append(_measure(row.clock_offset_s))
    return facts


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
    row.signature = ring.sign(PUNCH, punch_facts(row)) if ring is not None else None


def sign_day(session: Session, row: Absensi) -> None:
    """Sign a day as it is now, its punches being stored; without a key it loses its signature."""
    ring = signing_ring(session)
    row.signature = ring.sign(DAY, day_facts(row, _punches_of(session, row))) if ring is not None else None


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
            "days": session.scalar(select(func.max(Absensi.id))) or 0,
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

    return Beginning(last("punches") or 0, last("days") or 0, last("employees"))


def count_unsigned(session: Session, ring: KeyRing | None) -> Unsigned:
    """Return how many rows have no signature, or one of a key that is not here."""
    counts = []
    for table in (AuditRow, PunchRow, Absensi):
        key_id = func.substr(table.signature, 1, KEY_ID_LENGTH)
        found = session.execute(select(key_id, func.count()).group_by(key_id))
        counts.append(sum(count for name, count in found if ring is None or name not in ring.ids))
    return Unsigned(*counts)


def sign_unsigned(session: Session, ring: KeyRing) -> Unsigned:
    """Sign every row that has no signature, or one of a key that is not here, as it is now; return how many."""
    counts = []
    for table, purpose, facts in _kinds(session):
        count = 0
        for row in _pages(session, table, lambda signature: _key_of(signature) not in ring.ids):
            row.signature = ring.sign(purpose, facts(row))
            count += 1
        counts.append(count)
    return Unsigned(*counts)


def sign_anew(database: Database, ring: KeyRing, dropped: frozenset[str]) -> int:
    """Sign with the active key what a key signed that is about to be dropped; return how many rows.

    A signature that does not fit stays as it is: nobody vouches for that row.
    """

    def work(session: Session) -> int:
        count = 0
        for table, purpose, facts in _kinds(session):
            for row in _pages(session, table, lambda signature: _key_of(signature) in dropped):
                if ring.check_signature(row.signature, purpose, facts(row)) is Signature.GOOD:
                    row.signature = ring.sign(purpose, facts(row))
                    count += 1
        return count

    return database.run_write(work)


class Resigning:
    """Signs the attendance of one person again after a change that is ours, such as blanking notes.

    Only rows whose signature fits before the change get one after it; without a key none does. To be made before the
    change.
    """

    def __init__(self, session: Session, employee_id: int) -> None:
        self._session = session
        self._ring = signing_ring(session)
        self._good: dict[type[Any], list[int]] = {}
        for table, purpose, facts in _kinds(session)[1:]:
            rows = session.scalars(select(table).where(table.karyawan_id == employee_id))
            self._good[table] = [row.id for row in rows if self._fits(row, purpose, facts)]

    def sign(self) -> None:
        """Sign them as they are now."""
        self._session.expire_all()
        for table, purpose, facts in _kinds(self._session)[1:]:
            for row_id in self._good[table]:
                row = self._session.get(table, row_id)
                if row is not None:
                    row.signature = self._ring.sign(purpose, facts(row)) if self._ring is not None else None
        self._session.flush()

    def _fits(self, row: Any, purpose: str, facts: Facts) -> bool:
        ring = self._ring
        return ring is None or ring.check_signature(row.signature, purpose, facts(row)) is Signature.GOOD


def _kinds(session: Session) -> Sequence[tuple[type[Any], str, Facts]]:
    return (
        (AuditRow, audit_rows.PURPOSE, lambda row: [row.digest]),
        (PunchRow, PUNCH, punch_facts),
        (Absensi, DAY, lambda row: day_facts(row, _punches_of(session, row))),
    )


def _pages(session: Session, table: type[Any], wanted: Callable[[str | None], bool]) -> Iterator[Any]:
    found = session.execute(select(table.id, table.signature).order_by(table.id)).all()
    ids = [row_id for row_id, signature in found if wanted(signature)]
    for start in range(0, len(ids), _PAGE):
        yield from session.scalars(select(table).where(table.id.in_(ids[start : start + _PAGE]))).all()
        session.flush()
        session.expunge_all()


def _punches_of(session: Session, row: Absensi) -> list[tuple[int, str]]:
    query = select(PunchRow.id, PunchRow.idempotency_key)
    found = session.execute(query.where(PunchRow.karyawan_id == row.karyawan_id, PunchRow.work_date == row.tanggal))
    return [(row_id, key) for row_id, key in found]


def _key_of(signature: str | None) -> str:
    return (signature or "").partition(":")[0]


def _measure(value: float | None) -> str | None:
    # Nine digits are equal on every kind of database.
    return None if value is None else f"{value:.9g}"

"""Everything about one person in the database, whatever table it is in: to hand it over, and to erase it.

The tables are found by their foreign keys, so that a table of tomorrow is not forgotten: rows of a table that refers to
``karyawan`` are the person's, and so are the rows that refer to those. Attendance (``punches``, ``absensi``) is kept or
deleted as the policy says; all the rest goes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import (
    Column,
    CursorResult,
    LargeBinary,
    Select,
    Table,
    and_,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from ..kernel.domain import Employee
from ..kernel.reading import parse_json, read_bytes
from ..people import consent_rows, employee_rows
from ..store.clock import moment
from ..store.file_lock import file_lock
from ..store.files import PRIVATE_FILE, make_private_directory, storage_errors
from ..store.tables import Absensi, Base, ErasureRow, FaceCropRow, Karyawan, PunchRow, TemplateRow, UtcDateTime
from ..trust.signing_rows import Resigning

FACE: Final = "face"
ALL: Final = "all"
KEPT_TABLES: Final = ("absensi", "punches")
_SECRET_COLUMNS: Final = frozenset({"credential", "token", "karyawan_id", "signature"})
_BLANK: Final[Mapping[str, str | None]] = {"note": "", "keterangan": "", "similarity": None, "liveness": None}
"""What attendance loses when it is pseudonymised: free text, and measures of a face."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The memory of an erasure. It holds nothing that names the person.

    Attributes:
        employee_id, employee_made_at: The row that it is about: its id and the instant it was made, which also tell it
            from a row of another database, and from the row of whoever got the id after a restore.
        scope: ``face`` (templates, kept faces, consent) or ``all``.
        attendance: ``pseudonymise`` or ``delete``.
        at: When it was asked for, UTC.
        requested_by: By whom.
        reason: Why; it names nobody.
        person: UUID, as a queue names the person; empty in those of an earlier version.
    """

    employee_id: int
    employee_made_at: datetime
    scope: str
    attendance: str
    at: datetime
    requested_by: str
    reason: str = ""
    person: str = ""

    @property
    def pseudonym(self) -> str:
        """What stands in the place of code and name."""
        return f"ERASED-{self.employee_id}"


class TombstoneFile:
    """The tombstones of a home, one JSON object a line: they outlive a database that is replaced by an older one.

    Args:
        path: Made, private, with the first one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, tombstone: Tombstone) -> None:
        """Add one; it is on the disk when this returns. Raises StorageError."""
        facts = {
            name: each.isoformat() if isinstance(each, datetime) else each for name, each in asdict(tombstone).items()
        }
        with file_lock(self.path.with_name(f".{self.path.name}.lock")), storage_errors(self.path):
            make_private_directory(self.path.parent)
            old = read_bytes(self.path) if self.path.exists() else b""
            if not self.path.exists():
                self.path.touch(mode=PRIVATE_FILE)
            with self.path.open("ab") as file:
                # A line that a crash tore ends here, and is passed over by readers.
                file.write((b"\n" if old and not old.endswith(b"\n") else b"") + json.dumps(facts).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())

    def read(self) -> tuple[Tombstone, ...]:
        """Return all, the oldest first. Raises StorageError."""
        with storage_errors(self.path):
            lines = read_bytes(self.path).splitlines() if self.path.exists() else []
        return tuple(found for line in lines if (found := _parsed(line)) is not None)


def stored_tombstones(session: Session) -> tuple[tuple[Tombstone, bool], ...]:
    """Return the tombstones in the database, the oldest first, each with whether it is carried out."""
    rows = session.scalars(select(ErasureRow).order_by(ErasureRow.id))
    return tuple((_tombstone(row), row.done_at is not None) for row in rows)


def last_tombstone(session: Session) -> int:
    """Return the id of the last tombstone, 0 without one: it tells a running program that there is a new one."""
    return session.scalar(select(func.max(ErasureRow.id))) or 0


def erased_ids(session: Session) -> frozenset[int]:
    """Return the row ids of all people whose face was erased at some time, and who have nobody else's row now."""
    return frozenset(session.scalars(_erased()))


def erased_entirely(session: Session) -> frozenset[int]:
    """Return the same of those who were erased altogether."""
    return frozenset(session.scalars(_erased().where(ErasureRow.scope == ALL)))


def _erased() -> Select[Any]:
    other = (Karyawan.id == ErasureRow.karyawan_id, Karyawan.created_at != ErasureRow.karyawan_created_at)
    return select(ErasureRow.karyawan_id).where(~select(Karyawan.id).where(*other).exists())


def find_target(session: Session, tombstone: Tombstone) -> Employee | None:
    """Return the employee whom a tombstone is about, as they are in this database; None where they are not there."""
    row = session.get(Karyawan, tombstone.employee_id)
    if row is None or row.created_at != tombstone.employee_made_at:
        return None
    return employee_rows.get_by_id(session, row.id)


def is_taken(session: Session, employee_id: int) -> bool:
    """Return whether there is an employee with a row id."""
    return session.get(Karyawan, employee_id) is not None


def is_needed(session: Session, tombstone: Tombstone) -> bool:
    """Return whether something is there that a tombstone wants gone."""
    target = find_target(session, tombstone)
    if target is None:
        return False
    if tombstone.scope == ALL and target.code != tombstone.pseudonym:
        return True
    return any(
        session.scalar(_faces(table, tombstone).with_only_columns(func.count())) for table in (TemplateRow, FaceCropRow)
    )


def punches_of(session: Session, employee_id: int) -> tuple[tuple[int, date], ...]:
    """Return row id and work date of every punch of an employee."""
    query = select(PunchRow.id, PunchRow.work_date).where(PunchRow.karyawan_id == employee_id)
    return tuple((punch_id, work_date) for punch_id, work_date in session.execute(query))


def count_rows(session: Session, employee_id: int) -> dict[str, int]:
    """Return how many rows each table has of a person; tables without any are left out."""
    counts = {
        table.name: session.scalar(select(func.count()).select_from(table).where(condition)) or 0
        for table, condition in _own_tables(employee_id)
    }
    return {name: count for name, count in counts.items() if count}


def erase_rows(session: Session, tombstone: Tombstone) -> dict[str, int]:
    """Carry a tombstone out in the database, and store it; return how many rows of each table are gone.

    Several calls do the same as one.
    """
    _store(session, tombstone)
    if find_target(session, tombstone) is None:
        return {}
    employee_id = tombstone.employee_id
    employee_rows.lock(session, employee_id)
    if tombstone.scope == FACE:
        consent_rows.withdraw(session, employee_id)
        return {
            table.__tablename__: _delete(session, delete(table).where(_faces_condition(table, tombstone)))
            for table in (TemplateRow, FaceCropRow)
        }
    deletes_attendance = tombstone.attendance == "delete"
    gone = {}
    attendance = Resigning(session, employee_id)
    for table, condition in _own_tables(employee_id):
        if table.name in KEPT_TABLES and not deletes_attendance:
            blank = {name: value for name, value in _BLANK.items() if name in table.c}
            session.execute(update(table).where(condition).values(**blank))
        else:
            gone[table.name] = _delete(session, delete(table).where(condition))
    if deletes_attendance:
        session.execute(delete(Karyawan).where(Karyawan.id == employee_id))
    else:
        session.execute(
            update(Karyawan)
            .where(Karyawan.id == employee_id)
            .values(
                kode=tombstone.pseudonym,
                kode_kunci=employee_rows.code_key(tombstone.pseudonym),
                nama=tombstone.pseudonym,
                jabatan="",
                telepon=None,
                email=None,
                persetujuan_at=None,
                cari=tombstone.pseudonym.casefold(),
                aktif=False,
                nonaktif_sejak=func.coalesce(Karyawan.nonaktif_sejak, literal(tombstone.at, UtcDateTime())),
            )
        )
        attendance.sign()
    session.expire_all()
    return {name: count for name, count in gone.items() if count}


def mark_done(session: Session, tombstone: Tombstone) -> None:
    """Remember that files and model are done, too."""
    session.execute(
        update(ErasureRow)
        .where(ErasureRow.karyawan_id == tombstone.employee_id, ErasureRow.at_utc == tombstone.at)
        .values(done_at=moment(session))
    )


def rows_of(session: Session, employee_id: int) -> dict[str, list[dict[str, Any]]]:
    """Return everything about a person by table, for the person: no ciphertext, no secrets, no hashes of secrets."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table, condition in ((Karyawan.__table__, Karyawan.id == employee_id), *_own_tables(employee_id)):
        assert isinstance(table, Table)
        columns = [column for column in table.columns if _may_be_shown(column)]
        rows = session.execute(select(*columns).where(condition).order_by(*table.primary_key.columns))
        found[table.name] = [dict(row._mapping) for row in rows]
    return found


def delete_attendance_before(session: Session, first_kept: date) -> dict[str, int]:
    """Delete attendance of work dates before ``first_kept``; return how many rows of each table are gone."""
    gone = {}
    for table, column in ((PunchRow.__table__, PunchRow.work_date), (Absensi.__table__, Absensi.tanggal)):
        assert isinstance(table, Table)
        for child, condition in _referring(table, select(table.c.id).where(column < first_kept)):
            gone[child.name] = _delete(session, delete(child).where(condition))
        gone[table.name] = _delete(session, delete(table).where(column < first_kept))
    return gone


def count_attendance_before(session: Session, first_kept: date) -> dict[str, int]:
    """Return how many rows :func:`delete_attendance_before` would delete."""
    return {
        table.__tablename__: session.scalar(select(func.count()).select_from(table).where(column < first_kept)) or 0
        for table, column in ((PunchRow, PunchRow.work_date), (Absensi, Absensi.tanggal))
    }


def _own_tables(employee_id: int) -> Iterator[tuple[Table, Any]]:
    """Yield the tables with rows of a person, those that refer to others first, with the condition for them."""
    person = Karyawan.__table__
    assert isinstance(person, Table)
    for table in reversed(Base.metadata.sorted_tables):
        own = [column == employee_id for column in table.columns if column.references(person.c.id)]
        if own:
            for child, condition in _referring(table, select(*table.primary_key.columns).where(or_(*own))):
                if not any(column.references(person.c.id) for column in child.columns):
                    yield child, condition
            yield table, or_(*own)


def _referring(table: Table, keys: Select[Any]) -> Iterator[tuple[Table, Any]]:
    for child in Base.metadata.sorted_tables:
        for column in child.columns:
            if child is not table and any(key.column.table is table for key in column.foreign_keys):
                yield child, column.in_(keys)


def _may_be_shown(column: Column[Any]) -> bool:
    hashed = column.name.endswith(("_hash", "_sha256")) and column.name != "text_sha256"
    return not (isinstance(column.type, LargeBinary) or hashed or column.name in _SECRET_COLUMNS)


def _faces_condition(table: type[TemplateRow | FaceCropRow], tombstone: Tombstone) -> Any:
    own = table.karyawan_id == tombstone.employee_id
    # Who came back and agreed again has faces that are younger than the tombstone.
    return own if tombstone.scope == ALL else and_(own, table.created_at <= tombstone.at)


def _faces(table: type[TemplateRow | FaceCropRow], tombstone: Tombstone) -> Select[Any]:
    return select(table.id).where(_faces_condition(table, tombstone))


def _store(session: Session, tombstone: Tombstone) -> None:
    known = session.scalar(
        select(ErasureRow.id).where(ErasureRow.karyawan_id == tombstone.employee_id, ErasureRow.at_utc == tombstone.at)
    )
    if known is None:
        session.add(
            ErasureRow(
                karyawan_id=tombstone.employee_id,
                karyawan_created_at=tombstone.employee_made_at,
                scope=tombstone.scope,
                attendance=tombstone.attendance,
                at_utc=tombstone.at,
                requested_by=tombstone.requested_by,
                reason=tombstone.reason,
                karyawan_uuid=tombstone.person or None,
            )
        )
        session.flush()


def _delete(session: Session, statement: Any) -> int:
    return cast(CursorResult[Any], session.execute(statement)).rowcount


def _tombstone(row: ErasureRow) -> Tombstone:
    return Tombstone(
        employee_id=row.karyawan_id,
        employee_made_at=row.karyawan_created_at,
        scope=row.scope,
        attendance=row.attendance,
        at=row.at_utc,
        requested_by=row.requested_by,
        reason=row.reason,
        person=row.karyawan_uuid or "",
    )


def _parsed(line: bytes) -> Tombstone | None:
    try:
        facts: Mapping[str, Any] = parse_json(line)
        return Tombstone(
            employee_id=int(facts["employee_id"]),
            employee_made_at=datetime.fromisoformat(facts["employee_made_at"]),
            scope=str(facts["scope"]),
            attendance=str(facts["attendance"]),
            at=datetime.fromisoformat(facts["at"]),
            requested_by=str(facts["requested_by"]),
            reason=str(facts.get("reason", "")),
            person=str(facts.get("person", "")),
        )
    except (ValueError, KeyError, TypeError):
        return None

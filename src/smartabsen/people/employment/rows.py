"""Terms of employment, former codes and sealed wages in the database; each function works in the session it gets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ...kernel.codes import code_key
from ...kernel.texts import folded
from ...store import meta
from ...store.clock import moment
from ...store.tables import SEARCH_LENGTH, EmploymentTermsRow, FormerCodeRow, Karyawan, WageRow
from .model import Agreed


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Of an employee what the employment needs."""

    id: int
    code: str
    name: str
    uuid: str
    joined: date | None
    left: date | None


@dataclass(frozen=True, slots=True)
class FormerCode:
    """A code that somebody had before; ``until`` is UTC."""

    employee_id: int
    code: str
    until: datetime


def people(session: Session, ids: Collection[int] | None = None) -> tuple[PersonRow, ...]:
    """Return employees by row id, all of them for None: one statement."""
    columns = (Karyawan.kode, Karyawan.nama, Karyawan.uuid, Karyawan.tanggal_bergabung, Karyawan.tanggal_keluar)
    query = select(Karyawan.id, *columns)
    if ids is not None:
        query = query.where(Karyawan.id.in_(ids))
    rows = session.execute(query.order_by(Karyawan.id))
    return tuple(
        PersonRow(row_id, code, name, uuid or "", joined, left) for row_id, code, name, uuid, joined, left in rows
    )


def agreed(session: Session, ids: Collection[int] | None = None) -> Mapping[int, list[Agreed]]:
    """Return what was agreed, by row id of the employee, the earliest first: one statement."""
    query = select(EmploymentTermsRow).order_by(EmploymentTermsRow.karyawan_id, EmploymentTermsRow.valid_from)
    if ids is not None:
        query = query.where(EmploymentTermsRow.karyawan_id.in_(ids))
    found: dict[int, list[Agreed]] = {}
    for row in session.scalars(query):
        found.setdefault(row.karyawan_id, []).append(
            Agreed(row.valid_from, row.site_id, row.department_id, row.week, row.shortest_day, row.exempt_clause)
        )
    return found


def put_agreed(session: Session, employee_id: int, valid_from: date, said: Mapping[str, object]) -> None:
    """Store what was said from a date on; what an existing row of that date says besides stays."""
    row = session.scalar(
        select(EmploymentTermsRow).where(
            EmploymentTermsRow.karyawan_id == employee_id, EmploymentTermsRow.valid_from == valid_from
        )
    )
    if row is None:
        row = EmploymentTermsRow(karyawan_id=employee_id, valid_from=valid_from)
        session.add(row)
    for name, value in said.items():
        setattr(row, "exempt_clause" if name == "exempt" else name, value)
    session.flush()


def put_dates(session: Session, employee_id: int, *, joined: date | None, left: date | None) -> None:
    """Store the first and the last day of an employment."""
    row = session.get_one(Karyawan, employee_id)
    row.tanggal_bergabung, row.tanggal_keluar = joined, left
    session.flush()


def recode(session: Session, employee_id: int, code: str) -> None:
    """Give an employee another code, which must be free; the old one is remembered as theirs."""
    row = session.get_one(Karyawan, employee_id)
    # Back to a code of their own: it is a former one no more.
    own = FormerCodeRow.code_key == code_key(code)
    session.execute(delete(FormerCodeRow).where(FormerCodeRow.karyawan_id == employee_id, own))
    if code_key(row.kode) != code_key(code):
        former = FormerCodeRow(
            karyawan_id=employee_id, code=row.kode, code_key=row.kode_kunci, until_utc=moment(session)
        )
        session.add(former)
    row.kode, row.kode_kunci = code, code_key(code)
    row.cari = folded(f"{row.kode} {row.nama} {row.jabatan}")[:SEARCH_LENGTH]
    session.flush()
    # The code stands in the caches of kiosks.
    meta.raise_gallery_generation(session)


def former_codes(session: Session, employee_id: int) -> tuple[FormerCode, ...]:
    """Return the codes that an employee had before, the oldest first."""
    query = select(FormerCodeRow).where(FormerCodeRow.karyawan_id == employee_id).order_by(FormerCodeRow.id)
    return tuple(FormerCode(row.karyawan_id, row.code, row.until_utc) for row in session.scalars(query))


def sealed_wages(session: Session, ids: Collection[int] | None = None) -> Iterator[tuple[int, str, date, bytes]]:
    """Yield row id and UUID of the employee, first day and sealed wage, the earliest first: one statement."""
    query = (
        select(WageRow.karyawan_id, Karyawan.uuid, WageRow.valid_from, WageRow.wage)
        .join(Karyawan, Karyawan.id == WageRow.karyawan_id)
        .order_by(WageRow.karyawan_id, WageRow.valid_from)
    )
    if ids is not None:
        query = query.where(WageRow.karyawan_id.in_(ids))
    for employee_id, uuid, valid_from, sealed in session.execute(query):
        yield employee_id, uuid or "", valid_from, sealed


def put_wage(session: Session, employee_id: int, valid_from: date, sealed: bytes, *, key_id: str) -> None:
    """Store a sealed wage in place of the one of the same date."""
    row = session.scalar(select(WageRow).where(WageRow.karyawan_id == employee_id, WageRow.valid_from == valid_from))
    if row is None:
        session.add(WageRow(karyawan_id=employee_id, valid_from=valid_from, wage=sealed, key_id=key_id))
    else:
        row.wage, row.key_id = sealed, key_id
    session.flush()

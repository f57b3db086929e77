"""Seals of the whole database: which key new ones get, changing the key, checking.

Rows are worked through in batches of one transaction each, so that a program that is killed leaves every row sealed
with the old key or with the new one; the same call goes on with the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, cast

import numpy as np
from sqlalchemy import ColumnElement, CursorResult, LargeBinary, delete, func, or_, select
from sqlalchemy.orm import Session

from ..gallery import model_rows
from ..kernel.domain import ModelIdentity
from ..kernel.errors import KeyMissingError
from ..people import employee_rows
from ..store import meta
from ..store.database import Database
from ..store.tables import FaceCropRow, Karyawan, TemplateRow
from ..trust.sealing import OLD_MAGIC, KeyRing, Owner, crop_binding, is_old, sealing_key_of, template_binding

Progress: TypeAlias = Callable[[int, int], None]
_Row: TypeAlias = TemplateRow | FaceCropRow
_TABLES: Final[tuple[type[_Row], ...]] = (TemplateRow, FaceCropRow)
_BATCH: Final = 200
_TOLERANCE: Final = 1e-3
_LOOKED_UP: Final = 200
"""Of so many broken rows it is found out whose they were: each takes a try for each employee and photo."""


@dataclass(frozen=True, slots=True)
class BrokenSeal:
    """A row that does not open.

    Attributes:
        kind: ``template`` or ``crop``.
        id: Row id.
        code, name: The employee's in whose row it lies.
        problem: ``broken`` (changed, or moved from somebody else), ``unsealed``, ``no_key``.
        key_id: What it is sealed with, empty where it is not.
        belongs_to: Code of the employee whose it was when it was sealed, where that is another one who is known.
    """

    kind: str
    id: int
    code: str
    name: str
    problem: str
    key_id: str
    belongs_to: str = ""


@dataclass(frozen=True, slots=True)
class SealCheck:
    """What a check of every row found: rows by key id, those that do not open, and how many seals are of version 1."""

    templates: dict[str, int]
    crops: dict[str, int]
    broken: tuple[BrokenSeal, ...]
    old: int = 0


def key_ids(session: Session) -> frozenset[str]:
    """Return the ids of the keys that anything here is sealed with."""
    found = (session.scalars(select(table.key_id).distinct()) for table in _TABLES)
    return frozenset(key_id for ids in found for key_id in ids if key_id)


def count_not_sealed_with(session: Session, key_id: str) -> int:
    """Return the number of rows that are sealed with another key."""
    return sum(
        session.scalar(select(func.count()).select_from(table).where(table.key_id != key_id)) or 0 for table in _TABLES
    )


def count_old(session: Session) -> int:
    """Return the number of rows whose seal is of version 1: it names people by their row ids."""
    return sum(session.scalar(select(func.count()).select_from(table).where(_is_old(table))) or 0 for table in _TABLES)


def reseal(database: Database, ring: KeyRing, *, on_progress: Progress | None = None) -> int:
    """Seal everything with the active key and in the present version that is not; return how many rows that were.

    The key of the database is changed first, so that whatever is stored meanwhile has the new one already.

    Raises:
        KeyMissingError: A row is sealed with a key that is not in the ring.
        DatabaseError: The database does not answer. What is done stays done.
    """
    database.run_write(lambda session: meta.put(session, meta.ACTIVE_KEY, ring.active))
    with database.read() as session:
        total = sum(
            session.scalar(select(func.count()).select_from(table).where(_is_stale(table, ring.active))) or 0
            for table in _TABLES
        )
    done, passed_over = 0, frozenset[tuple[type[_Row], int]]()

    def batch(session: Session) -> tuple[int, frozenset[tuple[type[_Row], int]]]:
        changed, broken = 0, set(passed_over)
        for table in _TABLES:
            known = [row_id for kind, row_id in broken if kind is table]
            query = select(table).where(_is_stale(table, ring.active), table.key_id != "", table.id.not_in(known))
            for row in cast(Sequence[_Row], session.scalars(query.limit(_BATCH - changed)).all()):
                owner = Owner(row.karyawan_id, employee_rows.lock(session, row.karyawan_id).uuid)
                plain = ring.open(_sealed(row), _bound_to(row, owner.name_in(_sealed(row))))
                if plain is None:
                    # Broken before: it stays as it is for “keys check”, and does not stop the others.
                    broken.add((table, row.id))
                    continue
                _put(row, ring.seal(plain, _bound_to(row, owner.uuid or "")))
                row.key_id = ring.active
                changed += 1
        return changed, frozenset(broken)

    while True:
        before = passed_over
        changed, passed_over = database.run_write(batch)
        done += changed
        if on_progress is not None:
            on_progress(done, total)
        if not changed and passed_over == before:
            break
    database.run_write(lambda session: model_rows.reseal_record(session, ring))
    if done:
        database.scrub()
    return done


def check_seals(session: Session, ring: KeyRing) -> SealCheck:
    """Open every row and say which do not open."""
    counts: dict[type[_Row], dict[str, int]] = {TemplateRow: {}, FaceCropRow: {}}
    broken: list[tuple[_Row, BrokenSeal]] = []
    old = 0
    for row, code, name, uuid in _rows_with_owners(session):
        key_id = sealing_key_of(_sealed(row)) or ""
        counts[type(row)][key_id] = counts[type(row)].get(key_id, 0) + 1
        old += is_old(_sealed(row))
        problem = _problem(row, Owner(row.karyawan_id, uuid), key_id, ring)
        if problem:
            kind = "template" if isinstance(row, TemplateRow) else "crop"
            broken.append((row, BrokenSeal(kind, row.id, code, name, problem, key_id)))
    moved = _find_owners(session, [row for row, one in broken if one.problem == "broken"][:_LOOKED_UP], ring)
    named = (replace(one, belongs_to=moved.get((type(row), row.id), "")) for row, one in broken)
    return SealCheck(counts[TemplateRow], counts[FaceCropRow], tuple(named), old)


def owners_of_moved(session: Session, template_ids: Sequence[int], ring: KeyRing) -> dict[int, str]:
    """Return the codes of those for whom templates that do not open were sealed, by row id, as far as known."""
    query = select(TemplateRow).where(TemplateRow.id.in_(template_ids[:_LOOKED_UP]))
    return {row_id: code for (_, row_id), code in _find_owners(session, session.scalars(query).all(), ring).items()}


def delete_broken(session: Session, broken: tuple[BrokenSeal, ...]) -> int:
    """Delete rows that do not open; return how many there were."""
    deleted = 0
    for kind, table in (("template", TemplateRow), ("crop", FaceCropRow)):
        ids = [one.id for one in broken if one.kind == kind]
        deleted += cast(CursorResult[Any], session.execute(delete(table).where(table.id.in_(ids)))).rowcount
    return deleted


def discard_all(session: Session) -> int:
    """Delete all biometric data, and let the next enrolment fix engine and key anew; return how many rows there were.

    For a key that is lost for good: nothing that it sealed can be opened any more.
    """
    deleted = 0
    for table in _TABLES:
        deleted += cast(CursorResult[Any], session.execute(delete(table))).rowcount
    model_rows.remove_record(session)
    for fact in (meta.ACTIVE_KEY, meta.ACTIVE_MODEL):
        meta.remove(session, fact)
    return deleted


def _find_owners(session: Session, rows: Sequence[_Row], ring: KeyRing) -> dict[tuple[type[_Row], int], str]:
    """Return the codes of those whom moved rows were sealed for: tried with everybody, and each other's photos."""
    if not rows:
        return {}
    people = [
        (code, Owner(row_id, uuid))
        for row_id, code, uuid in session.execute(select(Karyawan.id, Karyawan.kode, Karyawan.uuid))
    ]
    digests = {kind: {row.photo_digest for row in rows if type(row) is kind} for kind in _TABLES}
    found: dict[tuple[type[_Row], int], str] = {}
    for row in rows:
        sealed = _sealed(row)
        for code, owner in people:
            name = owner.name_in(sealed)
            tries = (_bound_to(row, name, photo_digest=digest) for digest in digests[type(row)])
            if any(ring.open(sealed, each) is not None for each in tries):
                found[type(row), row.id] = code
                break
    return found


def _is_old(table: type[_Row]) -> ColumnElement[bool]:
    column = TemplateRow.embedding if table is TemplateRow else FaceCropRow.crop
    return func.substr(column, 1, len(OLD_MAGIC), type_=LargeBinary) == OLD_MAGIC


def _is_stale(table: type[_Row], key_id: str) -> ColumnElement[bool]:
    return or_(table.key_id != key_id, _is_old(table))


def _rows_with_owners(session: Session) -> Iterator[tuple[_Row, str, str, str | None]]:
    for table in _TABLES:
        query = select(table, Karyawan.kode, Karyawan.nama, Karyawan.uuid).join(Karyawan).order_by(table.id)
        yield from cast(Any, session.execute(query.execution_options(yield_per=_BATCH)))


def _problem(row: _Row, owner: Owner, key_id: str, ring: KeyRing) -> str:
    if not key_id:
        return "unsealed"
    try:
        plain = ring.open(_sealed(row), _bound_to(row, owner.name_in(_sealed(row))))
    except KeyMissingError:
        return "no_key"
    if plain is None:
        return "broken"
    return "" if isinstance(row, FaceCropRow) or _is_embedding(plain, row.dimension) else "broken"


def _sealed(row: _Row) -> bytes:
    return row.embedding if isinstance(row, TemplateRow) else row.crop


def _put(row: _Row, sealed: bytes) -> None:
    if isinstance(row, TemplateRow):
        row.embedding = sealed
    else:
        row.crop = sealed


def _bound_to(row: _Row, owner: str, *, photo_digest: str = "") -> bytes:
    if isinstance(row, TemplateRow):
        model = ModelIdentity(row.engine, row.model_digest, row.dimension)
        return template_binding(owner, model, photo_digest or row.photo_digest)
    return crop_binding(owner, photo_digest or row.photo_digest)


def _is_embedding(plain: bytes, dimension: int) -> bool:
    return len(plain) == 4 * dimension and bool(
        abs(float(np.linalg.norm(np.frombuffer(plain, dtype="<f4"))) - 1.0) <= _TOLERANCE
    )

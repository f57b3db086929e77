"""Seals of the whole database: which key new ones get, changing the key, checking.

Rows are worked through in batches of one transaction each, so that a program that is killed leaves every row sealed
with the old key or with the new one; the same call goes on with the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

import numpy as np
from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.orm import Session

from ..domain import ModelIdentity
from ..errors import KeyMissingError
from . import meta, model_record
from .database import Database
from .keys import KeyChain
from .sealing import KeyRing, crop_binding, no_key, sealing_key_of, template_binding
from .tables import FaceCropRow, Karyawan, TemplateRow

Progress: TypeAlias = Callable[[int, int], None]
_Row: TypeAlias = TemplateRow | FaceCropRow
_TABLES: Final[tuple[type[_Row], ...]] = (TemplateRow, FaceCropRow)
_BATCH: Final = 200
_TOLERANCE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class BrokenSeal:
    """A row that does not open.

    Attributes:
        kind: ``template`` or ``crop``.
        id: Row id.
        code, name: The employee's in whose row it lies.
        problem: ``broken`` (changed, or moved from somebody else), ``unsealed``, ``no_key``.
        key_id: What it is sealed with, empty where it is not.
    """

    kind: str
    id: int
    code: str
    name: str
    problem: str
    key_id: str


@dataclass(frozen=True, slots=True)
class SealCheck:
    """What a check of every row found: rows by key id, and those that do not open."""

    templates: dict[str, int]
    crops: dict[str, int]
    broken: tuple[BrokenSeal, ...]


def ring_for_writing(session: Session, chain: KeyChain) -> KeyRing:
    """Return the keys with that one active which this database wants new data sealed with; the first caller fixes it.

    Raises:
        KeyMissingError: There is no key, or the wanted one is not among those that are here.
    """
    ring = chain.ring()
    if not ring.active:
        raise no_key(place=ring.place)
    return ring.with_active(meta.claim_active_key(session, ring.active))


def has_seals(session: Session) -> bool:
    """Return whether this database has ever been sealed: its key is fixed."""
    return meta.find(session, meta.ACTIVE_KEY) is not None


def key_ids(session: Session) -> frozenset[str]:
    """Return the ids of the keys that anything here is sealed with."""
    found = (session.scalars(select(table.key_id).distinct()) for table in _TABLES)
    return frozenset(key_id for ids in found for key_id in ids if key_id)


def count_not_sealed_with(session: Session, key_id: str) -> int:
    """Return the number of rows that are sealed with another key."""
    return sum(
        session.scalar(select(func.count()).select_from(table).where(table.key_id != key_id)) or 0 for table in _TABLES
    )


def reseal(database: Database, ring: KeyRing, *, on_progress: Progress | None = None) -> int:
    """Seal everything with the active key that is sealed with another one; return how many rows that were.

    The key of the database is changed first, so that whatever is stored meanwhile has the new one already.

    Raises:
        KeyMissingError: A row is sealed with a key that is not in the ring.
        DatabaseError: The database does not answer. What is done stays done.
    """
    database.run_write(lambda session: meta.put(session, meta.ACTIVE_KEY, ring.active))
    with database.read() as session:
        total = count_not_sealed_with(session, ring.active)
    done, passed_over = 0, frozenset[tuple[type[_Row], int]]()

    def batch(session: Session) -> tuple[int, frozenset[tuple[type[_Row], int]]]:
        changed, broken = 0, set(passed_over)
        for table in _TABLES:
            known = [row_id for kind, row_id in broken if kind is table]
            query = select(table).where(table.key_id != ring.active, table.key_id != "", table.id.not_in(known))
            for row in cast(Sequence[_Row], session.scalars(query.limit(_BATCH - changed)).all()):
                plain = ring.open(_sealed(row), _bound_to(row))
                if plain is None:
                    # Broken before: it stays as it is for “keys check”, and does not stop the others.
                    broken.add((table, row.id))
                    continue
                _put(row, ring.seal(plain, _bound_to(row)))
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
    database.run_write(lambda session: model_record.reseal_record(session, ring))
    if done:
        database.scrub()
    return done


def check_seals(session: Session, ring: KeyRing) -> SealCheck:
    """Open every row and say which do not open."""
    counts: dict[type[_Row], dict[str, int]] = {TemplateRow: {}, FaceCropRow: {}}
    broken = []
    for row, code, name in _rows_with_owners(session):
        key_id = sealing_key_of(_sealed(row)) or ""
        counts[type(row)][key_id] = counts[type(row)].get(key_id, 0) + 1
        problem = _problem(row, key_id, ring)
        if problem:
            kind = "template" if isinstance(row, TemplateRow) else "crop"
            broken.append(BrokenSeal(kind, row.id, code, name, problem, key_id))
    return SealCheck(counts[TemplateRow], counts[FaceCropRow], tuple(broken))


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
    model_record.remove_record(session)
    for fact in (meta.ACTIVE_KEY, meta.ACTIVE_MODEL):
        meta.remove(session, fact)
    return deleted


def _rows_with_owners(session: Session) -> Iterator[tuple[_Row, str, str]]:
    for table in _TABLES:
        query = select(table, Karyawan.kode, Karyawan.nama).join(Karyawan).order_by(table.id)
        yield from cast(Any, session.execute(query.execution_options(yield_per=_BATCH)))


def _problem(row: _Row, key_id: str, ring: KeyRing) -> str:
    if not key_id:
        return "unsealed"
    try:
        plain = ring.open(_sealed(row), _bound_to(row))
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


def _bound_to(row: _Row) -> bytes:
    if isinstance(row, TemplateRow):
        model = ModelIdentity(row.engine, row.model_digest, row.dimension)
        return template_binding(row.karyawan_id, model, row.photo_digest)
    return crop_binding(row.karyawan_id, row.photo_digest)


def _is_embedding(plain: bytes, dimension: int) -> bool:
    return len(plain) == 4 * dimension and bool(
        abs(float(np.linalg.norm(np.frombuffer(plain, dtype="<f4"))) - 1.0) <= _TOLERANCE
    )

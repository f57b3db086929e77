"""A whole database copied into another one, of either kind, and compared row by row.

A copy that was cut off goes on where it was: the target says whose copy it is, and what it holds already is compared,
not copied again. What differs in the end (the source went on changing) is copied anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Table, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from ..kernel.errors import ConflictError, IntegrityError
from ..kernel.i18n import N_
from . import meta, schema
from .database import Database
from .tables import Base

BATCH: Final = 500
_ACKNOWLEDGED: Final = {"punches": "created_at", "audit": "at_utc"}
"""Tables whose rows stand for something that was promised, and the column that tells two rows of one id apart."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class TableCopy:
    """One table: how many rows, and the SHA-256 over all of them in the order of their keys."""

    name: str
    rows: int
    digest: str


def copy_database(source: Database, target: Database, *, on_progress: Progress | None = None) -> tuple[TableCopy, ...]:
    """Copy everything, and compare it.

    Args:
        target: Empty, or with an unfinished copy of this source.
        on_progress: Called with the rows done and their total.

    Raises:
        ConflictError: The target is the source itself, or holds something else, such as a punch of its own.
        SchemaError: The schema of either is not this program's.
        IntegrityError: The copy differs from the source although it was made twice: the source is being written.
        DatabaseError: One of them does not answer, or refuses.
    """
    if str(source.address) == str(target.address):
        raise ConflictError(N_("A database cannot be copied onto itself."))
    schema.ensure_current(source)
    target.accept_half_copied()
    schema.ensure_current(target, half_copied=True)
    with source.read(long=True) as reading:
        identity = meta.database_id(reading)
        _claim(target, identity)
        tables = [table for table in Base.metadata.sorted_tables if table.name != "meta"]
        progress = _Counter(sum(_count(reading, table) for table in tables), on_progress)
        for table in tables:
            with target.read(long=True) as session:
                _refuse_strangers(reading, session, target, table)
        for table in tables:
            _copy_table(reading, target, table, progress)
        copied = tuple(_compare(reading, target, table) for table in tables)
        for table in tables:
            _carry_last_id(reading, source, target, table)
        _replace_meta(reading, target)
    return copied


def table_digest(session: Session, table: Table) -> TableCopy:
    """Return count and checksum of a table; the same rows give the same one on every kind of database."""
    digest = sha256()
    rows = 0
    for row in _rows(session, table, after=None):
        digest.update(json.dumps([_plain(value) for value in row.values()], ensure_ascii=False).encode() + b"\n")
        rows += 1
    return TableCopy(table.name, rows, digest.hexdigest())


class _Counter:
    def __init__(self, total: int, on_progress: Progress | None) -> None:
        self._done, self._total, self._tell = 0, total, on_progress

    def add(self, rows: int) -> None:
        self._done += rows
        if self._tell is not None:
            self._tell(self._done, max(self._total, self._done))


def _claim(target: Database, identity: str) -> None:
    with target.write() as session:
        claimed = meta.find(session, meta.COPY_OF)
        if claimed == identity:
            return
        filled = [
            table.name for table in Base.metadata.sorted_tables if table.name != "meta" and _count(session, table)
        ]
        if claimed is not None or filled or meta.database_id(session) == identity:
            raise ConflictError(
                N_("The database {address} is not empty: a copy goes into a new one."),
                hint=N_("Make an empty database, or name another one."),
                address=target.address,
            )
        meta.put(session, meta.COPY_OF, identity)


def _copy_table(reading: Session, target: Database, table: Table, progress: _Counter) -> None:
    key = _single_key(table)
    with target.read(long=True) as session:
        there = _count(session, table)
        last = session.scalar(select(func.max(table.c[key]))) if key and there else None
    if there and last is None:
        with target.write(long=True) as session:
            session.execute(delete(table))
        there = 0
    progress.add(there)
    batch: list[dict[str, Any]] = []
    for row in _rows(reading, table, after=last):
        batch.append(dict(row))
        if len(batch) == BATCH:
            _store(target, table, batch, progress)
    _store(target, table, batch, progress)


def _store(target: Database, table: Table, batch: list[dict[str, Any]], progress: _Counter) -> None:
    if not batch:
        return
    with target.write(long=True) as session:
        session.execute(insert(table), batch)
    progress.add(len(batch))
    batch.clear()


def _compare(reading: Session, target: Database, table: Table) -> TableCopy:
    wanted = table_digest(reading, table)
    with target.read(long=True) as session:
        found = table_digest(session, table)
    if found != wanted:
        # The source changed since an earlier part of this copy.
        with target.write(long=True) as session:
            _refuse_strangers(reading, session, target, table)
            _replace_rows(reading, session, table)
        with target.read(long=True) as session:
            found = table_digest(session, table)
    if found != wanted:
        raise IntegrityError(
            N_("The copy of the table {table} differs from its source."),
            hint=N_("Stop everything that writes to the source, and copy again."),
            table=table.name,
        )
    return found


def _refuse_strangers(reading: Session, session: Session, target: Database, table: Table) -> None:
    """Refuse a target that was used meanwhile: what it acknowledged must neither be deleted nor written over."""
    born = _ACKNOWLEDGED.get(table.name)
    if born is None:
        return
    query = select(table.c.id, table.c[born])
    known = {(row.id, row[1]) for row in reading.execute(query)}
    if any((row.id, row[1]) not in known for row in session.execute(query)):
        raise ConflictError(
            N_("The unfinished copy {address} holds rows in {table} that its source does not know."),
            hint=N_("It was used before it was complete. Keep it for a look, and copy into an empty database."),
            address=target.address,
            table=table.name,
        )


def _replace_rows(reading: Session, session: Session, table: Table) -> None:
    wanted = {_key_of(table, row): dict(row) for row in _rows(reading, table, after=None)}
    found = {_key_of(table, row): dict(row) for row in _rows(session, table, after=None)}
    for key in found.keys() - wanted.keys():
        session.execute(delete(table).where(*_is_row(table, found[key])))
    for key, row in wanted.items():
        if key not in found:
            session.execute(insert(table), [row])
        elif found[key] != row:
            session.execute(update(table).where(*_is_row(table, row)).values(**row))


def _carry_last_id(reading: Session, source: Database, target: Database, table: Table) -> None:
    """Row ids are never used twice, not even that of a last row that was deleted: the log names them."""
    if _single_key(table) != "id":
        return
    if source.path:
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        last = reading.scalar(query, {"name": table.name})
    else:
        query = text(
            "SELECT AUTO_INCREMENT - 1 FROM information_schema.tables"
            " WHERE table_schema = DATABASE() AND table_name = :name"
        )
        last = reading.scalar(query, {"name": table.name})
    if not last:
        return
    with target.connect(exclusive=True) as connection:
        if target.path:
            change = text("UPDATE sqlite_sequence SET seq = :last WHERE name = :name AND seq < :last")
            changed = connection.execute(change, {"last": int(last), "name": table.name}).rowcount
            known = text("SELECT count(*) FROM sqlite_sequence WHERE name = :name")
            if not changed and not connection.scalar(known, {"name": table.name}):
                added = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")
                connection.execute(added, {"last": int(last), "name": table.name})
        else:
            connection.execute(text(f"ALTER TABLE {table.name} AUTO_INCREMENT = {int(last) + 1}"))


def _replace_meta(reading: Session, target: Database) -> None:
    facts = Base.metadata.tables["meta"]
    rows = [dict(row) for row in _rows(reading, facts, after=None) if row["name"] != meta.COPY_OF]
    with target.write(long=True) as session:
        session.execute(delete(facts))
        session.execute(insert(facts), rows)


def _rows(session: Session, table: Table, *, after: object) -> Iterator[Mapping[str, Any]]:
    query = select(table).order_by(*table.primary_key.columns)
    key = _single_key(table)
    if key and after is not None:
        query = query.where(table.c[key] > after)
    result = session.execute(query.execution_options(yield_per=BATCH))
    return ({str(name): value for name, value in row.items()} for row in result.mappings())


def _single_key(table: Table) -> str:
    names = [column.name for column in table.primary_key.columns]
    return names[0] if len(names) == 1 else ""


def _key_of(table: Table, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key.columns)


def _is_row(table: Table, row: Mapping[str, Any]) -> list[Any]:
    return [column == row[column.name] for column in table.primary_key.columns]


def _count(session: Session, table: Table) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def _plain(value: object) -> object:
    """Return a value as JSON has it, the same for both kinds of databases."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value

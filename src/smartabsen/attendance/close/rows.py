"""Closed periods in the database."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ...store.tables import ErasureRow, Karyawan, PeriodPartRow, PeriodReopeningRow, PeriodRow
from .model import Month, Period, Reopening


@dataclass(frozen=True, slots=True)
class Part:
    """A sealed part of a period.

    Attributes:
        employee_id: Of a person's part; None of an export.
        name: UUID of the person, or the name of the export.
        digest: SHA-256 of what is sealed.
    """

    id: int
    employee_id: int | None
    name: str
    digest: str
    content: bytes
    key_id: str


def closed_days(
    session: Session, employee_ids: Collection[int], first: date, last: date
) -> Callable[[int, date], bool]:
    """Return how to ask whether a date lies in a closed period: a source of the inputs of days."""
    del employee_ids
    months = {
        Month.parse(month)
        for month in session.scalars(
            select(PeriodRow.month).where(
                PeriodRow.is_closed, PeriodRow.month.between(str(Month.of(first)), str(Month.of(last)))
            )
        )
    }
    return lambda _employee_id, day: bool(months) and Month.of(day) in months


def lock_everybody(session: Session) -> tuple[int, ...]:
    """Keep all others from writing about anybody until the transaction ends; return all row ids, in order."""
    return tuple(session.scalars(select(Karyawan.id).order_by(Karyawan.id).with_for_update()))


def people(session: Session) -> dict[int, tuple[str, str, str]]:
    """Return code, name and UUID of everybody by row id."""
    query = select(Karyawan.id, Karyawan.kode, Karyawan.nama, Karyawan.uuid)
    return {row_id: (code, name, uuid or "") for row_id, code, name, uuid in session.execute(query)}


def erased(session: Session) -> frozenset[str]:
    """Return the UUIDs of people who were erased: what was frozen of them is gone with a reason."""
    return frozenset(uuid for uuid in session.scalars(select(ErasureRow.karyawan_uuid)) if uuid)


def closed(session: Session) -> tuple[Period, ...]:
    """Return the periods that are closed, in the order in which they were."""
    query = select(PeriodRow).where(PeriodRow.is_closed).order_by(PeriodRow.id)
    return tuple(_period(row) for row in session.scalars(query))


def all_periods(session: Session) -> tuple[Period, ...]:
    """Return every month's last closing, the newest month first."""
    last = {row.month: row for row in session.scalars(select(PeriodRow).order_by(PeriodRow.id))}
    return tuple(_period(last[month]) for month in sorted(last, reverse=True))


def find(session: Session, month: Month) -> Period | None:
    """Return the last closing of a month, or None."""
    query = select(PeriodRow).where(PeriodRow.month == str(month)).order_by(PeriodRow.id.desc()).limit(1)
    row = session.scalar(query)
    return _period(row) if row is not None else None


def add(session: Session, month: Month, *, by: str, at: datetime, rulesets: tuple[str, ...]) -> int:
    """Store a closed period without what it freezes, and return its id."""
    row = PeriodRow(
        month=str(month),
        is_closed=True,
        closed_by=by,
        closed_at=at,
        rulesets=json.dumps(rulesets),
        hash="",
        summary="",
    )
    session.add(row)
    session.flush()
    return row.id


def finish(session: Session, period_id: int, *, summary: str, digest: str) -> None:
    """Store what a period freezes, and its hash."""
    session.execute(update(PeriodRow).where(PeriodRow.id == period_id).values(summary=summary, hash=digest))


def open_again(session: Session, period_id: int) -> None:
    """Note that a period is not closed any more."""
    session.execute(update(PeriodRow).where(PeriodRow.id == period_id).values(is_closed=False))


def add_part(
    session: Session, period_id: int, *, name: str, digest: str, content: bytes, key_id: str, employee_id: int | None
) -> None:
    """Store a sealed part."""
    session.add(
        PeriodPartRow(
            period_id=period_id,
            karyawan_id=employee_id,
            name=name,
            digest=digest,
            content=content,
            key_id=key_id,
        )
    )


def parts(session: Session, period_id: int, *, employee_ids: Collection[int] | None = None) -> Iterator[Part]:
    """Return the parts of people, or of some of them."""
    query = select(PeriodPartRow).where(PeriodPartRow.period_id == period_id, PeriodPartRow.karyawan_id.is_not(None))
    if employee_ids is not None:
        query = query.where(PeriodPartRow.karyawan_id.in_(employee_ids))
    return (_part(row) for row in session.scalars(query.order_by(PeriodPartRow.name)))


def exports(session: Session, period_id: int) -> tuple[Part, ...]:
    """Return the exports of a period."""
    query = select(PeriodPartRow).where(PeriodPartRow.period_id == period_id, PeriodPartRow.karyawan_id.is_(None))
    return tuple(_part(row) for row in session.scalars(query.order_by(PeriodPartRow.name)))


def ask(session: Session, period_id: int, *, reason: str, by: str, at: datetime) -> int:
    """Store a wish to open a period again, and return its id."""
    row = PeriodReopeningRow(period_id=period_id, reason=reason, asked_by=by, asked_at=at)
    session.add(row)
    session.flush()
    return row.id


def find_wish(session: Session, wish_id: int) -> Reopening | None:
    """Return a wish, or None; the row is locked."""
    query = (
        select(PeriodReopeningRow, PeriodRow.month)
        .join(PeriodRow, PeriodRow.id == PeriodReopeningRow.period_id)
        .where(PeriodReopeningRow.id == wish_id)
        .with_for_update()
    )
    for row, month in session.execute(query):
        return Reopening(
            row.id, Month.parse(month), row.period_id, row.reason, row.asked_by, row.asked_at, row.confirmed_by or ""
        )
    return None


def confirm(session: Session, wish_id: int, *, by: str, at: datetime) -> None:
    """Note who confirmed a wish."""
    session.execute(
        update(PeriodReopeningRow).where(PeriodReopeningRow.id == wish_id).values(confirmed_by=by, confirmed_at=at)
    )


def _period(row: PeriodRow) -> Period:
    try:
        rulesets = tuple(str(each) for each in json.loads(row.rulesets))
    except (ValueError, TypeError):
        rulesets = (row.rulesets,)
    return Period(
        row.id, Month.parse(row.month), row.is_closed, row.closed_by, row.closed_at, row.hash, rulesets, row.summary
    )


def _part(row: PeriodPartRow) -> Part:
    return Part(row.id, row.karyawan_id, row.name, row.digest, row.content, row.key_id)

"""The calendar in the database, and who works on joint leave. Every function works in the session it is given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ...store.clock import moment
from ...store.tables import CalendarDayRow, JointLeaveWorkedRow
from .model import CalendarDay, CalendarKind
from .rows import try_add


def days(session: Session, first: date, last: date) -> tuple[CalendarDay, ...]:
    """Return the calendar of a range, ordered by date and kind: one statement."""
    query = (
        select(CalendarDayRow)
        .where(CalendarDayRow.day.between(first, last))
        .order_by(CalendarDayRow.day, CalendarDayRow.kind, CalendarDayRow.id)
    )
    return tuple(_day(row) for row in session.scalars(query))


def add(session: Session, new: Iterable[CalendarDay]) -> None:
    """Add days."""
    now = moment(session)
    for each in new:
        session.add(
            CalendarDayRow(
                day=each.day,
                kind=each.kind.value,
                region=each.region,
                site_id=each.site_id or 0,
                name=each.name,
                source=each.source,
                is_tentative=each.tentative,
                is_taken=each.taken,
                created_at=now,
            )
        )
    session.flush()


def replace(session: Session, day: CalendarDay) -> None:
    """Store other facts of a day that is there."""
    row = _row(session, day)
    row.name, row.source, row.is_tentative, row.is_taken = day.name, day.source, day.tentative, day.taken
    session.flush()


def remove(session: Session, gone: Iterable[CalendarDay]) -> None:
    """Delete days."""
    for each in gone:
        session.delete(_row(session, each))
    session.flush()


def worked(session: Session, first: date, last: date) -> frozenset[tuple[int, date]]:
    """Return who works on which days of joint leave in a range: one statement."""
    query = select(JointLeaveWorkedRow.karyawan_id, JointLeaveWorkedRow.work_date).where(
        JointLeaveWorkedRow.work_date.between(first, last)
    )
    return frozenset((person, day) for person, day in session.execute(query))


def set_worked(session: Session, employee_id: int, day: date, *, works: bool) -> bool:
    """Store whether a person works on a day of joint leave; return whether that changed."""
    condition = (JointLeaveWorkedRow.karyawan_id == employee_id, JointLeaveWorkedRow.work_date == day)
    known = session.scalar(select(JointLeaveWorkedRow.id).where(*condition)) is not None
    if known and not works:
        session.execute(delete(JointLeaveWorkedRow).where(*condition))
    if works and not known:
        return try_add(session, JointLeaveWorkedRow(karyawan_id=employee_id, work_date=day, created_at=moment(session)))
    return known is not works


def _row(session: Session, day: CalendarDay) -> CalendarDayRow:
    return session.scalars(
        select(CalendarDayRow).where(
            CalendarDayRow.day == day.day,
            CalendarDayRow.kind == day.kind.value,
            CalendarDayRow.region == day.region,
            CalendarDayRow.site_id == (day.site_id or 0),
        )
    ).one()


def _day(row: CalendarDayRow) -> CalendarDay:
    return CalendarDay(
        day=row.day,
        name=row.name,
        kind=CalendarKind(row.kind),
        region=row.region,
        site_id=row.site_id or None,
        source=row.source,
        tentative=row.is_tentative,
        taken=row.is_taken,
    )

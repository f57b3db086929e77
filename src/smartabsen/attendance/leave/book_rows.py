"""Requests for leave, their days and steps, and the ledger in the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, delete, func, insert, select, update
from sqlalchemy.orm import Session

from ...store.tables import (
    Karyawan,
    LeaveAttachmentRow,
    LeaveDayRow,
    LeaveDelegationRow,
    LeaveKindRow,
    LeaveLedgerRow,
    LeaveRequestRow,
    LeaveStepRow,
)
from ..rules.model import DayStatus, Portion
from ..rules.ruleset import LeaveKind
from .model import Entry, LeaveRequest, LeaveStep, LedgerEntry, RequestState


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What is stored of a request when it is made.

    Attributes:
        days: Half days by day.
    """

    employee_id: int
    kind: LeaveKind
    first: date
    last: date
    portion: Portion
    days: Mapping[date, int]
    note: str
    steps_wanted: int


def firm_kinds(session: Session) -> tuple[LeaveKind, ...]:
    """Return the kinds that the firm added, by code."""
    return tuple(
        LeaveKind(
            code=row.code,
            label=row.label,
            status=DayStatus(row.status),
            account=row.account,
            most_days=row.most_days,
            calendar=row.calendar,
            counts_as_work=row.counts_as_work,
            is_active=row.active,
        )
        for row in session.scalars(select(LeaveKindRow).order_by(LeaveKindRow.code))
    )


def put_kind(session: Session, kind: LeaveKind) -> None:
    """Store a kind of the firm, in the place of the one with its code."""
    session.merge(
        LeaveKindRow(
            code=kind.code,
            label=kind.label,
            status=kind.status.value,
            account=kind.account,
            most_days=kind.most_days,
            calendar=kind.calendar,
            counts_as_work=kind.counts_as_work,
            active=kind.is_active,
        )
    )
    session.flush()


def add(session: Session, new: NewRequest, *, by: str, at: datetime) -> int:
    """Store a request with its days, and return its row id."""
    row = LeaveRequestRow(
        karyawan_id=new.employee_id,
        kind=new.kind.code,
        account=new.kind.account,
        first_day=new.first,
        last_day=new.last,
        part_of_day=new.portion.value,
        half_days=sum(new.days.values()),
        state=RequestState.REQUESTED.value,
        steps_wanted=new.steps_wanted,
        steps_done=0,
        note=new.note,
        asked_by=by,
        asked_at=at,
    )
    session.add(row)
    session.flush()
    _add_days(session, row.id, new.employee_id, new.days)
    return row.id


def replace_days(session: Session, request: LeaveRequest, days: Mapping[date, int]) -> None:
    """Let a request count other days."""
    session.execute(delete(LeaveDayRow).where(LeaveDayRow.request_id == request.id))
    _add_days(session, request.id, request.employee_id, days)
    _change(session, request.id, half_days=sum(days.values()))


def set_state(session: Session, request_id: int, state: RequestState, *, steps_done: int) -> None:
    """Store what became of a request, and how many approvals it has."""
    _change(session, request_id, state=state.value, steps_done=steps_done)


def add_step(session: Session, request_id: int, step: LeaveStep) -> None:
    """Store a decision about a request."""
    session.add(
        LeaveStepRow(
            request_id=request_id,
            decision=step.decision,
            actor=step.actor,
            in_place_of=step.in_place_of,
            reason=step.reason,
            at_utc=step.at,
        )
    )
    session.flush()


def steps_of(session: Session, request_id: int) -> tuple[LeaveStep, ...]:
    """Return the decisions about a request, the oldest first."""
    rows = session.scalars(select(LeaveStepRow).where(LeaveStepRow.request_id == request_id).order_by(LeaveStepRow.id))
    return tuple(LeaveStep(row.decision, row.actor, row.in_place_of, row.reason, row.at_utc) for row in rows)


def employee_of(session: Session, request_id: int) -> int | None:
    """Return the row id of whose request it is; None where there is no such request."""
    return session.scalar(select(LeaveRequestRow.karyawan_id).where(LeaveRequestRow.id == request_id))


def find(session: Session, request_id: int) -> LeaveRequest | None:
    """Return a request as it is now, or None."""
    found = session.execute(
        _requests().where(LeaveRequestRow.id == request_id).execution_options(populate_existing=True)
    ).first()
    return _request(*found) if found else None


def find_all(
    session: Session,
    *,
    employee_ids: Collection[int] | None = None,
    states: Collection[RequestState] | None = None,
    first: date | None = None,
    last: date | None = None,
) -> tuple[LeaveRequest, ...]:
    """Return requests that touch a period, by first day, then code."""
    conditions: list[ColumnElement[bool]] = []
    if employee_ids is not None:
        conditions.append(LeaveRequestRow.karyawan_id.in_(employee_ids))
    if states is not None:
        conditions.append(LeaveRequestRow.state.in_([each.value for each in states]))
    if first is not None:
        conditions.append(LeaveRequestRow.last_day >= first)
    if last is not None:
        conditions.append(LeaveRequestRow.first_day <= last)
    query = _requests().where(*conditions).order_by(LeaveRequestRow.first_day, Karyawan.kode, LeaveRequestRow.id)
    return tuple(_request(*each) for each in session.execute(query.execution_options(populate_existing=True)))


def days_of(session: Session, request_id: int) -> dict[date, int]:
    """Return the half days by day that a request counts."""
    query = select(LeaveDayRow.day, LeaveDayRow.half_days).where(LeaveDayRow.request_id == request_id)
    return {row.day: row.half_days for row in session.execute(query.order_by(LeaveDayRow.day))}


def held_days(session: Session, employee_id: int, account: str, *, without: int = 0) -> dict[date, int]:
    """Return the half days by day of requests that have an approval and wait for the last one.

    Args:
        without: Row id of a request that is left out.
    """
    query = (
        select(LeaveDayRow.day, LeaveDayRow.half_days)
        .join(LeaveRequestRow, LeaveRequestRow.id == LeaveDayRow.request_id)
        .where(
            LeaveRequestRow.karyawan_id == employee_id,
            LeaveRequestRow.account == account,
            LeaveRequestRow.state == RequestState.REQUESTED.value,
            LeaveRequestRow.steps_done > 0,
            LeaveRequestRow.id != without,
        )
    )
    held: dict[date, int] = defaultdict(int)
    for day, halves in session.execute(query):
        held[day] += halves
    return held


def approved_days(
    session: Session, first: date, last: date, *, employee_ids: Collection[int] | None = None
) -> tuple[tuple[int, date, str, Portion], ...]:
    """Return row id of the employee, day, kind and portion of approved leave in a period."""
    query = (
        select(LeaveDayRow.karyawan_id, LeaveDayRow.day, LeaveRequestRow.kind, LeaveRequestRow.part_of_day)
        .join(LeaveRequestRow, LeaveRequestRow.id == LeaveDayRow.request_id)
        .where(LeaveDayRow.day.between(first, last), LeaveRequestRow.state == RequestState.APPROVED.value)
        .order_by(LeaveDayRow.karyawan_id, LeaveDayRow.day, LeaveRequestRow.id)
    )
    if employee_ids is not None:
        query = query.where(LeaveDayRow.karyawan_id.in_(employee_ids))
    return tuple((person, day, kind, Portion(portion)) for person, day, kind, portion in session.execute(query))


def post(session: Session, employee_id: int, entry: LedgerEntry, *, by: str, at: datetime) -> int:
    """Add a row to the ledger, and return its id; that of ``entry`` does not count."""
    row = LeaveLedgerRow(
        karyawan_id=employee_id,
        account=entry.account,
        entry=entry.entry.value,
        half_days=entry.half_days,
        day=entry.day,
        expires_on=entry.expires_on,
        request_id=entry.request_id,
        lot_id=entry.lot_id,
        note=entry.note,
        actor=by,
        at_utc=at,
    )
    session.add(row)
    session.flush()
    return row.id


def ledger(session: Session, employee_id: int, account: str) -> tuple[LedgerEntry, ...]:
    """Return the ledger of one person and account, the oldest row first."""
    query = (
        select(LeaveLedgerRow)
        .where(LeaveLedgerRow.karyawan_id == employee_id, LeaveLedgerRow.account == account)
        .order_by(LeaveLedgerRow.id)
    )
    return tuple(
        LedgerEntry(
            row.id, row.account, Entry(row.entry), row.half_days, row.day, row.expires_on, row.request_id, row.lot_id,
            row.note, row.actor, row.at_utc,
        )
        for row in session.scalars(query)
    )  # fmt: skip


def balances(session: Session) -> dict[tuple[int, str], int]:
    """Return the sum of everybody's ledger in half days, by row id of the employee and account."""
    query = select(LeaveLedgerRow.karyawan_id, LeaveLedgerRow.account, func.sum(LeaveLedgerRow.half_days)).group_by(
        LeaveLedgerRow.karyawan_id, LeaveLedgerRow.account
    )
    return {(person, account): int(total) for person, account, total in session.execute(query)}


def accounts_of(session: Session, employee_id: int) -> tuple[str, ...]:
    """Return the accounts of which somebody has a ledger."""
    query = select(LeaveLedgerRow.account).where(LeaveLedgerRow.karyawan_id == employee_id).distinct()
    return tuple(sorted(session.scalars(query)))


def people_with_expiry(session: Session, today: date) -> tuple[tuple[int, str], ...]:
    """Return row id and account of those who were given something whose last day is over."""
    query = (
        select(LeaveLedgerRow.karyawan_id, LeaveLedgerRow.account).where(LeaveLedgerRow.expires_on < today).distinct()
    )
    return tuple((person, account) for person, account in session.execute(query))


def delegate(session: Session, principal: str, delegate_to: str, first: date, last: date, at: datetime) -> int:
    """Store who approves in whose place, and return the row id."""
    row = LeaveDelegationRow(principal=principal, delegate=delegate_to, first_day=first, last_day=last, created_at=at)
    session.add(row)
    session.flush()
    return row.id


def may_stand_in(session: Session, actor: str, principal: str, today: date) -> bool:
    """Return whether somebody may approve in another one's place on a day."""
    query = select(LeaveDelegationRow.id).where(
        LeaveDelegationRow.delegate == actor,
        LeaveDelegationRow.principal == principal,
        LeaveDelegationRow.first_day <= today,
        LeaveDelegationRow.last_day >= today,
    )
    return session.scalar(query.limit(1)) is not None


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """An attachment as it is stored: sealed."""

    id: int
    request_id: int
    employee_id: int
    name: str
    digest: str
    content: bytes


def add_letter(session: Session, letter: StoredLetter, *, key_id: str, at: datetime) -> int:
    """Store an attachment, and return its row id; that of ``letter`` does not count."""
    row = LeaveAttachmentRow(
        request_id=letter.request_id,
        karyawan_id=letter.employee_id,
        name=letter.name,
        digest=letter.digest,
        content=letter.content,
        key_id=key_id,
        created_at=at,
    )
    session.add(row)
    session.flush()
    return row.id


def letters_of(session: Session, request_id: int) -> tuple[StoredLetter, ...]:
    """Return the attachments of a request, the oldest first."""
    query = select(LeaveAttachmentRow).where(LeaveAttachmentRow.request_id == request_id)
    return tuple(
        StoredLetter(row.id, row.request_id, row.karyawan_id, row.name, row.digest, row.content)
        for row in session.scalars(query.order_by(LeaveAttachmentRow.id))
    )


def letter_names(session: Session, request_id: int) -> tuple[str, ...]:
    """Return the names of the attachments of a request."""
    query = select(LeaveAttachmentRow.name).where(LeaveAttachmentRow.request_id == request_id)
    return tuple(session.scalars(query.order_by(LeaveAttachmentRow.id)))


def _change(session: Session, request_id: int, **values: object) -> None:
    session.execute(update(LeaveRequestRow).where(LeaveRequestRow.id == request_id).values(**values))


def _add_days(session: Session, request_id: int, employee_id: int, days: Mapping[date, int]) -> None:
    rows = [
        {"request_id": request_id, "day": day, "karyawan_id": employee_id, "half_days": halves}
        for day, halves in days.items()
    ]
    if rows:
        session.execute(insert(LeaveDayRow), rows)


def _requests() -> Select[LeaveRequestRow, str, str]:
    return select(LeaveRequestRow, Karyawan.kode, Karyawan.nama).join(
        Karyawan, Karyawan.id == LeaveRequestRow.karyawan_id
    )


def _request(row: LeaveRequestRow, code: str, name: str) -> LeaveRequest:
    return LeaveRequest(
        id=row.id,
        employee_id=row.karyawan_id,
        code=code,
        name=name,
        kind=row.kind,
        label=row.kind,
        account=row.account,
        first=row.first_day,
        last=row.last_day,
        portion=Portion(row.part_of_day),
        half_days=row.half_days,
        state=RequestState(row.state),
        steps_wanted=row.steps_wanted,
        steps_done=row.steps_done,
        note=row.note,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
    )


def people(session: Session, employee_ids: Collection[int]) -> tuple[tuple[str, str], ...]:
    """Return code and name of people by row id, by code."""
    query = select(Karyawan.kode, Karyawan.nama).where(Karyawan.id.in_(employee_ids)).order_by(Karyawan.kode)
    return tuple((code, name) for code, name in session.execute(query))

"""Corrections of times in the database: punches that supersede others, which stay as they are."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..kernel.domain import AttendanceDay, Employee, Punch, PunchMethod, Status
from ..kernel.errors import ConflictError, InvalidInputError, KeyReusedError
from ..kernel.i18n import N_
from ..people import employee_rows
from . import day_rows, punch_rows
from .recording_rows import Days, PunchRules, checked


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of a correction.

    Attributes:
        new: Whether this call stored it, and not an earlier one with the same key.
        entry: The correction as it is stored.
        original: The punch that it supersedes, None for one that was forgotten.
        before, after: The day before and after it, None where there was or is none.
    """

    new: bool
    employee: Employee
    entry: Punch
    original: Punch | None
    before: AttendanceDay | None
    after: AttendanceDay | None


def store(session: Session, entry: Punch, rules: PunchRules, days: Days | None = None) -> Corrected:
    """Store a correction and derive its day again, under the employee's lock.

    Whoever is inactive by now can still be corrected: the day may lie before that.

    Args:
        session: Of a write transaction, for this alone.
        entry: Without an id, of method CORRECTION or VOID; a VOID supersedes a punch.
        days: Judges the day; without it the rules alone derive it.

    Raises:
        NotFoundError: There is no such employee or punch.
        ConflictError: The punch was corrected already, belongs to another day, or another one stands at that instant.
        InvalidInputError: Key or reason has another form.
    """
    entry = checked(entry)
    if not entry.note:
        raise InvalidInputError(N_("The {field} is empty."), field=N_("reason"))
    employee = employee_rows.lock(session, entry.employee_id)
    look = days.look if days is not None else partial(day_rows.find, session)
    before = look(employee.id, entry.work_date)
    known = punch_rows.find_by_key(session, entry.key)
    original = None if entry.supersedes is None else punch_rows.get(session, entry.supersedes)
    if known is not None:
        if _what_was_entered(known) != _what_was_entered(entry):
            raise KeyReusedError(
                N_("This was entered before, with another time or reason."),
                hint=N_("Look at the record: what was entered first counts. Change it there if it is wrong."),
            )
        return Corrected(False, employee, known, original, before, before)
    others = punch_rows.of_day(session, employee.id, entry.work_date)
    if original is not None and original.id not in {other.id for other in others}:
        raise ConflictError(N_("The punch belongs to another person or day."))
    if original is not None and original.id in {other.supersedes for other in others}:
        raise _corrected_meanwhile()
    if entry.method is not PunchMethod.VOID and _stands_at(entry, others):
        raise ConflictError(
            N_("{name} has a punch at that time already."),
            hint=N_("Choose another time, or leave it as it is."),
            name=employee.name,
        )
    if days is not None:
        return _store_and_judge(session, employee, entry, original, before, days)
    after = day_rows.with_leave(rules.derive_day((*others, entry)), before)
    # What a day without any punch would be called is told by nobody; the punch keeps the word it had.
    status = after.status if after is not None else original.status if original is not None else None
    assert status is not None
    try:
        stored = punch_rows.insert(session, entry, status)
    except IntegrityError as exc:
        raise _corrected_meanwhile() from exc
    settled = day_rows.settle(session, employee.id, entry.work_date, rules.derive_day((*others, stored)))
    return Corrected(True, employee, stored, original, before, settled)


def _store_and_judge(
    session: Session, employee: Employee, entry: Punch, original: Punch | None, before: AttendanceDay | None, days: Days
) -> Corrected:
    told = original.status if original is not None else None
    try:
        stored = punch_rows.insert(session, entry, told or Status.PRESENT)
    except IntegrityError as exc:
        raise _corrected_meanwhile() from exc
    settled = days.settle(employee.id, entry.work_date)
    after = days.look(employee.id, entry.work_date)
    # What a day without any punch is called is told by nobody; the punch keeps the word it had.
    status = settled.attendance(entry.work_date).status if after is not None else told or Status.PRESENT
    return Corrected(True, employee, punch_rows.tell(session, stored, entry.work_date, status), original, before, after)


def _what_was_entered(entry: Punch) -> Punch:
    return dataclasses.replace(entry, id=0, status=None, clock_trusted=True, clock_offset_s=None)


def _stands_at(entry: Punch, others: tuple[Punch, ...]) -> bool:
    gone = {other.supersedes for other in others} | {entry.supersedes}
    return any(
        other.at == entry.at and other.id not in gone and other.method is not PunchMethod.VOID for other in others
    )


def _corrected_meanwhile() -> ConflictError:
    return ConflictError(
        N_("This punch was corrected already."), hint=N_("Look at the day again, and correct the entry that counts.")
    )

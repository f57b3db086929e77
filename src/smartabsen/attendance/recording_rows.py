"""How an attempt becomes a punch: decided in the database, in one transaction, whichever process it comes from."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Final, Protocol

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..kernel.domain import AttendanceDay, Employee, Outcome, Punch, PunchResult
from ..kernel.errors import ConflictError, InvalidInputError, KeyReusedError
from ..kernel.i18n import N_
from ..kernel.texts import checked_text, shortened
from ..people import employee_rows
from ..store.tables import LABEL_LENGTH, NOTE_LENGTH
from . import day_rows, punch_rows as punches

_KEY: Final = re.compile(rf"[!-~]{{1,{LABEL_LENGTH}}}")


class PunchRules(Protocol):
    """What recording needs of the rules; ``attendance.rules.Rules`` is one."""

    def standing_punch(self, neighbours: Iterable[Punch], at: datetime) -> Punch | None:
        """Return the punch that already stands for an attempt at ``at``, given the nearest ones, or None."""
        ...

    def derive_day(self, punches: Sequence[Punch]) -> AttendanceDay | None:
        """Derive the day from all punches of one employee on one work date; None where corrections left none."""
        ...


def record(session: Session, attempt: Punch, rules: PunchRules, *, exact: bool = False) -> PunchResult:
    """Store a punch unless its key is known or another punch stands, and derive its day again.

    The employee's lock comes first, so that of several attempts at once each sees what the one before has stored.

    Args:
        session: Of a write transaction, for this alone.
        attempt: A punch without an id. Its ``person`` says whose it is, its row id only where that is empty. Its key
            is 1 to 100 printable ASCII characters without blanks.
        rules: Cooldown and the day's rules.
        exact: A repetition of this attempt has the same instant and place, as one that a kiosk keeps. Otherwise each
            try has its own, and only what was asked for must be the same: whose punch, how, and with which note.

    Raises:
        NotFoundError: There is no such employee.
        ConflictError: The employee is inactive.
        KeyReusedError: The key belongs to a punch of somebody else, or to one with another note, method, time.
        InvalidInputError: The key has another form, or the note is too long.
    """
    attempt = checked(attempt)
    employee = _locked(session, attempt)
    attempt = dataclasses.replace(attempt, employee_id=employee.id)
    known = punches.find_by_key(session, attempt.key)
    if known is None:
        if not employee.active:
            raise ConflictError(
                N_("{name} ({code}) is not active and cannot punch."),
                hint=N_("If that is wrong: smartabsen employee activate {code}"),
                name=employee.name,
                code=employee.code,
            )
        standing = rules.standing_punch(punches.neighbours(session, employee.id, attempt.at), attempt.at)
        if standing is not None:
            return _answer(session, employee, standing, rules, outcome=Outcome.ALREADY_RECORDED)
        return _store(session, employee, attempt, rules)
    if known.employee_id != employee.id:
        raise _key_is_taken(attempt.key)
    if _asked(known, exact=exact) != _asked(attempt, exact=exact):
        raise KeyReusedError(
            N_("The key “{key}” belongs to another attempt: its note, time or kind differs."),
            hint=N_("Give each attempt a key of its own."),
            key=attempt.key,
        )
    return _answer(session, employee, known, rules, outcome=Outcome.RECOGNIZED)


def derive_again(session: Session, employee_id: int, work_date: date, rules: PunchRules) -> AttendanceDay | None:
    """Derive a day again from its punches, as after a change of the rules, and store it; leave keeps its status.

    Returns:
        The day; None where there is neither a punch that counts nor a leave.

    Raises:
        NotFoundError: There is no such employee.
    """
    employee_rows.lock(session, employee_id)
    stored = punches.of_day(session, employee_id, work_date)
    if not stored:
        return day_rows.find(session, employee_id, work_date)
    return day_rows.settle(session, employee_id, work_date, rules.derive_day(stored))


def clear_leave(session: Session, employee_id: int, work_date: date, rules: PunchRules) -> AttendanceDay | None:
    """Take a leave back: the day becomes what its punches say, or is gone where there are none.

    Raises:
        NotFoundError: There is no such employee.
    """
    employee_rows.lock(session, employee_id)
    before = day_rows.find(session, employee_id, work_date)
    if before is not None and before.status in day_rows.LEAVE:
        day_rows.delete(session, employee_id, work_date)
    return derive_again(session, employee_id, work_date, rules)


def _locked(session: Session, attempt: Punch) -> Employee:
    if attempt.person:
        return employee_rows.lock_person(session, attempt.person)
    return employee_rows.lock(session, attempt.employee_id)


def _store(session: Session, employee: Employee, attempt: Punch, rules: PunchRules) -> PunchResult:
    before = day_rows.find(session, employee.id, attempt.work_date)
    others = punches.of_day(session, employee.id, attempt.work_date)
    day = day_rows.with_leave(rules.derive_day((*others, attempt)), before)
    assert day is not None
    try:
        punch = punches.insert(session, attempt, day.status)
    except IntegrityError as exc:
        # Another employee's attempt with the same key was stored after we looked.
        raise _key_is_taken(attempt.key) from exc
    return PunchResult(Outcome.RECOGNIZED, employee, punch, day_rows.save(session, day), new=True)


def _answer(session: Session, employee: Employee, punch: Punch, rules: PunchRules, *, outcome: Outcome) -> PunchResult:
    # The punch may have been taken out since; what a repetition is told is what it was told then.
    day = day_rows.find(session, employee.id, punch.work_date) or rules.derive_day((punch,))
    assert day is not None
    return PunchResult(outcome, employee, punch, day)


def checked(attempt: Punch) -> Punch:
    """Return an attempt as it can be stored: key and note checked, the instant in UTC.

    Raises:
        InvalidInputError: The key has another form, or the note is too long.
    """
    if attempt.at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    if not _KEY.fullmatch(attempt.key):
        raise InvalidInputError(N_("A key of an attempt is 1 to 100 ASCII characters without blanks."))
    return dataclasses.replace(
        attempt,
        # SQLite and MariaDB keep microseconds in UTC: what is compared now must equal what is read later.
        at=attempt.at.astimezone(UTC),
        kiosk=shortened(attempt.kiosk, LABEL_LENGTH),
        note=checked_text(attempt.note, field=N_("note"), limit=NOTE_LENGTH),
    )


def _asked(punch: Punch, *, exact: bool) -> tuple[object, ...]:
    """Return what a repetition must have in common with the punch that its key stored."""
    asked: tuple[object, ...] = (punch.method, punch.note)
    return (*asked, punch.at, punch.kiosk) if exact else asked


def _key_is_taken(key: str) -> KeyReusedError:
    return KeyReusedError(
        N_("The key “{key}” belongs to a punch of somebody else."),
        hint=N_("Give each attempt a key of its own."),
        key=key,
    )

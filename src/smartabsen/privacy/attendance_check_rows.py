"""Checking attendance: are punches as they were written, and do the days follow from them?

Punches are proven by their signatures, days by being derived again: by one of the rules that were in force since days
are not signed any more. Before that, a day is proven by its signature; one without is compared as far as any rules
would give the same, for nobody knows by which it was derived.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..attendance import day_rows as days, punch_rows as punches
from ..attendance.rules.punches import Rules
from ..kernel.domain import AttendanceDay, Punch, PunchMethod
from ..store.tables import Absensi, AuditRow, ErasureRow, Karyawan, PunchRow
from ..trust.audit_rows import read_details
from ..trust.sealing import KeyRing, Signature, facts_version
from ..trust.signing_rows import (
    DAY,
    PUNCH,
    Beginning,
    day_facts,
    find_beginning,
    find_days_end,
    punch_facts,
    stated_rules,
)
from .erasure_rows import ALL
from .record_check_rows import days_told

_CORRECTIONS: Final = tuple(f"punch.{method.value}" for method in (PunchMethod.CORRECTION, PunchMethod.VOID))

_NO_DEPARTURE: Final = 10**6


class AttendanceProblemKind(StrEnum):
    """What a check of attendance can find."""

    PUNCH_CHANGED = "punch_changed"
    """The punch is not the one that was signed."""
    PUNCH_UNSIGNED = "punch_unsigned"
    """The punch is not signed although there is a key."""
    PUNCH_NO_KEY = "punch_no_key"
    """The punch is signed with a key that is not here."""
    PUNCH_UNRECORDED = "punch_unrecorded"
    """A correction that the audit trail does not know."""
    DAY_CHANGED = "day_changed"
    """The day, or which punches it has, is not what was signed."""
    DAY_UNSIGNED = "day_unsigned"
    """The day is from when days were signed, was not derived again since, and has no signature."""
    DAY_NO_KEY = "day_no_key"
    """The day is signed with a key that is not here."""
    DAY_MISSING = "day_missing"
    """There are punches that count, but no day."""
    DAY_EMPTY = "day_empty"
    """There is a day, but neither punch nor leave."""
    DIFFERS = "differs"
    """A column of the day is not what its punches give."""


@dataclass(frozen=True, slots=True)
class AttendanceProblem:
    """One thing that is not as it should be.

    Attributes:
        code: The employee's.
        punch: Row id of the punch, 0 where it is about the day.
        column: Of ``absensi``; empty where no single one is meant.
        stored, derived: What stands in it, and what the punches give; instants are UTC.
    """

    kind: AttendanceProblemKind
    code: str
    work_date: date
    punch: int = 0
    column: str = ""
    stored: datetime | str | int | None = None
    derived: datetime | str | int | None = None


@dataclass(frozen=True, slots=True)
class AttendanceVerdict:
    """What a check found.

    Attributes:
        punches, days: Rows that were looked at.
        signed: Those of them whose signature fits.
        problems: Ordered by employee and date.
    """

    punches: int
    days: int
    signed: int
    problems: tuple[AttendanceProblem, ...]


def check(session: Session, rules: Rules, ring: KeyRing | None) -> AttendanceVerdict:
    """Check all punches and days.

    Args:
        rules: Of today; those that were in force before are known.
        ring: Checks the signatures; None leaves them unchecked.
    """
    checker = _Checker(session, rules, ring)
    problems = tuple(checker.run())
    return AttendanceVerdict(checker.punches, checker.days, checker.signed, problems)


class _Checker:
    def __init__(self, session: Session, rules: Rules, ring: KeyRing | None) -> None:
        self.punches = self.days = self.signed = 0
        self._session, self._rules, self._ring = session, rules, ring
        # Where signing has not begun, nothing has to be signed.
        self._begun = find_beginning(session)
        self._days_end = find_days_end(session)
        stated = map(Rules.of_stated, stated_rules(session, ring))
        self._any_rules = (rules, *(each for each in stated if each.stated != rules.stated))
        self._leave_since = set(_dates_told(session, ("leave.enter", "leave.take_back"), after=self._days_end.number))
        self._judged = set(_dates_told(session, ("day.recompute",), after=0))
        entries = session.scalars(select(AuditRow.details).where(AuditRow.action.in_(_CORRECTIONS)))
        self._corrections = {str(read_details(details).get("entry", "")) for details in entries}
        # Their entries have forgotten what they were about.
        self._forgotten = set(session.scalars(select(ErasureRow.karyawan_id).where(ErasureRow.scope == ALL)))

    def run(self) -> Iterator[AttendanceProblem]:
        people = self._session.execute(select(Karyawan.id, Karyawan.kode).order_by(Karyawan.kode)).all()
        for employee_id, code in people:
            made: dict[date, list[PunchRow]] = defaultdict(list)
            for punch in self._rows(PunchRow, employee_id):
                made[punch.work_date].append(punch)
            stored = {day.tanggal: day for day in self._rows(Absensi, employee_id)}
            for work_date in sorted({*made, *stored}):
                own = made.get(work_date, [])
                for number, row in enumerate(own):
                    yield from self._look_at_punch(row, own[:number], code)
                yield from self._look_at_day(stored.get(work_date), own, code, work_date)
            self._session.expunge_all()

    def _rows(self, table: type[Any], employee_id: int) -> Sequence[Any]:
        return self._session.scalars(select(table).where(table.karyawan_id == employee_id).order_by(table.id)).all()

    def _look_at_punch(self, row: PunchRow, earlier: Sequence[PunchRow], code: str) -> Iterator[AttendanceProblem]:
        self.punches += 1
        before = [(each.id, each.idempotency_key) for each in earlier]
        found = self._signature(row.signature, PUNCH, punch_facts(row, facts_version(row.signature), before))
        kinds = {
            Signature.BROKEN: AttendanceProblemKind.PUNCH_CHANGED,
            Signature.NO_KEY: AttendanceProblemKind.PUNCH_NO_KEY,
            Signature.NONE: AttendanceProblemKind.PUNCH_UNSIGNED,
        }
        if found in kinds and (found is not Signature.NONE or row.id > self._beginning.punches):
            yield AttendanceProblem(kinds[found], code, row.work_date, row.id)
        correction = row.method in (PunchMethod.CORRECTION, PunchMethod.VOID)
        if correction and str(row.id) not in self._corrections and row.karyawan_id not in self._forgotten:
            yield AttendanceProblem(AttendanceProblemKind.PUNCH_UNRECORDED, code, row.work_date, row.id)

    def _look_at_day(
        self, row: Absensi | None, own: Sequence[PunchRow], code: str, work_date: date
    ) -> Iterator[AttendanceProblem]:
        made = [punches.from_row(each) for each in own]
        if row is None:
            if self._rules.derive_day(made) is not None:
                yield AttendanceProblem(AttendanceProblemKind.DAY_MISSING, code, work_date)
            return
        self.days += 1
        if row.judged_at is not None:
            # A result of the rules with a date; judging it again is left to those, an entry tells of its range.
            if work_date not in self._judged:
                yield AttendanceProblem(AttendanceProblemKind.DAY_CHANGED, code, work_date)
            return
        found = self._signature(row.signature, DAY, day_facts(row, [(each.id, each.idempotency_key) for each in own]))
        if found is Signature.GOOD:
            return
        kinds = {
            Signature.BROKEN: AttendanceProblemKind.DAY_CHANGED,
            Signature.NO_KEY: AttendanceProblemKind.DAY_NO_KEY,
        }
        if found in kinds:
            yield AttendanceProblem(kinds[found], code, work_date)
        is_old = self._days_end.is_before(row, (each.id for each in own))
        if found is Signature.NONE and is_old and self._was_signed(row):
            yield AttendanceProblem(AttendanceProblemKind.DAY_UNSIGNED, code, work_date)
        yield from self._compare(row, made, code, is_old=is_old)

    def _was_signed(self, row: Absensi) -> bool:
        first = self._beginning.days
        return first is not None and row.id > first and row.tanggal not in self._leave_since

    def _compare(self, row: Absensi, made: Sequence[Punch], code: str, *, is_old: bool) -> Iterator[AttendanceProblem]:
        stored = days.from_row(row)
        found: list[tuple[tuple[str, Any, Any], ...]] = []
        for rules in self._unknown_rules() if is_old else self._any_rules:
            derived = days.with_leave(rules.derive_day(made) if made else None, stored)
            if derived is None:
                yield AttendanceProblem(AttendanceProblemKind.DAY_EMPTY, code, stored.work_date)
                return
            found.append(tuple(_differences(row, stored, derived, made, is_old=is_old)))
        for column, is_now, should_be in min(found, key=len):
            kind = AttendanceProblemKind.DIFFERS
            yield AttendanceProblem(kind, code, stored.work_date, 0, column, is_now, should_be)

    def _unknown_rules(self) -> tuple[Rules, ...]:
        """Return those that are known, and such as take every later punch for a departure, or none."""
        here = self._any_rules[0]
        return (*self._any_rules, replace(here, min_work_minutes=0), replace(here, min_work_minutes=_NO_DEPARTURE))

    @property
    def _beginning(self) -> Beginning:
        assert self._begun is not None
        return self._begun

    def _signature(self, signature: str | None, purpose: str, facts: list[object]) -> Signature | None:
        """Return what a signature says; None where nothing is to be said: no key here, or signing has not begun."""
        if self._ring is None or self._begun is None:
            return None
        found = self._ring.check_signature(signature, purpose, facts)
        self.signed += found is Signature.GOOD
        return found


def _differences(
    row: Absensi, stored: AttendanceDay, derived: AttendanceDay, made: Sequence[Punch], *, is_old: bool
) -> Iterator[tuple[str, Any, Any]]:
    """Yield the columns that are not what punches give, with what they hold and what they should hold."""
    # The word of the day, as the last punch of it was told: by which start of work it came about is not known.
    told = max(made, key=lambda punch: punch.id).status if made else None
    accepts_word = is_old and stored.status is told
    same_word = stored.status is derived.status
    has_note = is_old or stored.status in days.LEAVE
    columns: tuple[tuple[str, Any, Any], ...] = (
        ("jam_masuk", stored.clock_in, derived.clock_in),
        ("jam_pulang", stored.clock_out, derived.clock_out),
        ("status", stored.status, stored.status if accepts_word else derived.status),
        (
            "menit_terlambat",
            stored.late_minutes,
            stored.late_minutes if is_old or not same_word else derived.late_minutes,
        ),
        ("menit_kerja", stored.worked_minutes, derived.worked_minutes),
        ("keterangan", row.keterangan, row.keterangan if has_note else ""),
    )
    yield from (column for column in columns if column[1] != column[2])


def _dates_told(session: Session, actions: Sequence[str], *, after: int) -> Iterator[date]:
    """Yield the dates that later entries of some actions are about."""
    query = select(AuditRow.details).where(AuditRow.action.in_(actions), AuditRow.number > after)
    for stored in session.scalars(query):
        yield from days_told(read_details(stored))

"""Checking attendance: are punches and days as they were written, and do the days follow from the punches?

What is signed is proven by its signature. What is not (no key, or from before signing began) is compared with what the
punches give by the rules of today: a day that older rules made may then look like an edited one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..attendance import day_rows as days, punch_rows as punches
from ..attendance.recording_rows import PunchRules
from ..kernel.domain import AttendanceDay, Punch, PunchMethod
from ..store.tables import Absensi, AuditRow, ErasureRow, Karyawan, PunchRow
from ..trust.audit_rows import read_details
from ..trust.sealing import KeyRing, Signature
from ..trust.signing_rows import DAY, PUNCH, Beginning, day_facts, find_beginning, punch_facts
from .erasure_rows import ALL

_CORRECTIONS: Final = tuple(f"punch.{method.value}" for method in (PunchMethod.CORRECTION, PunchMethod.VOID))


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
    """The day is not signed although there is a key."""
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


JudgeAgain = Callable[[Session, int, date, date], Mapping[date, AttendanceDay]]
"""Returns what the days of a person (row id) are by what they are judged from, whatever is stored."""


def check(
    session: Session, rules: PunchRules, ring: KeyRing | None, judge: JudgeAgain | None = None
) -> AttendanceVerdict:
    """Check all punches and days.

    Args:
        rules: Of today, for days without a signature.
        ring: Checks the signatures; None leaves them unchecked.
        judge: Judges again days that have no signature as the rules made them.
    """
    checker = _Checker(session, rules, ring, judge)
    problems = tuple(checker.run())
    return AttendanceVerdict(checker.punches, checker.days, checker.signed, problems)


class _Checker:
    def __init__(self, session: Session, rules: PunchRules, ring: KeyRing | None, judge: JudgeAgain | None) -> None:
        self._judge = judge
        self.punches = self.days = self.signed = 0
        self._session, self._rules, self._ring = session, rules, ring
        # Where signing has not begun, nothing has to be signed.
        self._begun = find_beginning(session)
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
            judged: Mapping[date, AttendanceDay] = {}
            dates = [*made, *stored]
            if self._judge is not None and any(row.revision for row in stored.values()):
                judged = self._judge(self._session, employee_id, min(dates), max(dates))
            for work_date in sorted(set(dates)):
                own = made.get(work_date, [])
                for punch in own:
                    yield from self._look_at_punch(punch, code)
                row = stored.get(work_date)
                if self._judge is not None and (row.revision if row is not None else work_date in judged):
                    yield from self._look_at_result(row, judged.get(work_date), code, work_date)
                else:
                    yield from self._look_at_day(row, own, code, work_date)
            self._session.expunge_all()

    def _rows(self, table: type[Any], employee_id: int) -> Sequence[Any]:
        return self._session.scalars(select(table).where(table.karyawan_id == employee_id).order_by(table.id)).all()

    def _look_at_punch(self, row: PunchRow, code: str) -> Iterator[AttendanceProblem]:
        self.punches += 1
        found = self._signature(row.signature, PUNCH, punch_facts(row))
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

    def _look_at_result(
        self, row: Absensi | None, judged: AttendanceDay | None, code: str, work_date: date
    ) -> Iterator[AttendanceProblem]:
        """Compare a result of the rules with what the rules say of it now."""
        if row is None:
            if judged is not None and judged.clock_in is not None:
                yield AttendanceProblem(AttendanceProblemKind.DAY_MISSING, code, work_date)
            return
        self.days += 1
        stored = days.from_row(row)
        if judged is None:
            if stored.clock_in is not None:
                yield AttendanceProblem(AttendanceProblemKind.DAY_EMPTY, code, work_date)
            return
        # Of a day that was not over when it was judged, time alone may have made another one.
        is_over = row.is_final is not False
        columns: tuple[tuple[str, Any, Any], ...] = (
            ("jam_masuk", stored.clock_in, judged.clock_in),
            ("jam_pulang", stored.clock_out, judged.clock_out),
            ("status", stored.status, judged.status if is_over or judged.clock_in is not None else stored.status),
            ("menit_terlambat", stored.late_minutes, judged.late_minutes),
            ("menit_kerja", stored.worked_minutes, judged.worked_minutes),
        )
        for column, is_now, should_be in columns:
            if is_now != should_be:
                yield AttendanceProblem(AttendanceProblemKind.DIFFERS, code, work_date, 0, column, is_now, should_be)

    def _look_at_day(
        self, row: Absensi | None, own: Sequence[PunchRow], code: str, work_date: date
    ) -> Iterator[AttendanceProblem]:
        made = [punches.from_row(each) for each in own]
        if row is None:
            if self._rules.derive_day(made) is not None:
                yield AttendanceProblem(AttendanceProblemKind.DAY_MISSING, code, work_date)
            return
        self.days += 1
        found = self._signature(row.signature, DAY, day_facts(row, [(each.id, each.idempotency_key) for each in own]))
        if found is Signature.GOOD:
            return
        kinds = {
            Signature.BROKEN: AttendanceProblemKind.DAY_CHANGED,
            Signature.NO_KEY: AttendanceProblemKind.DAY_NO_KEY,
        }
        if found in kinds:
            yield AttendanceProblem(kinds[found], code, work_date)
        elif found is Signature.NONE and row.id > self._beginning.days:
            yield AttendanceProblem(AttendanceProblemKind.DAY_UNSIGNED, code, work_date)
        yield from self._compare(days.from_row(row), made, code)

    def _compare(self, stored: AttendanceDay, made: Sequence[Punch], code: str) -> Iterator[AttendanceProblem]:
        derived = days.with_leave(self._rules.derive_day(made) if made else None, stored)
        if derived is None:
            yield AttendanceProblem(AttendanceProblemKind.DAY_EMPTY, code, stored.work_date)
            return
        # The word of the day, as the last punch of it was told: rules may have changed since.
        told = max(made, key=lambda punch: punch.id).status if made else None
        same_rules = stored.status is derived.status
        columns: tuple[tuple[str, Any, Any], ...] = (
            ("jam_masuk", stored.clock_in, derived.clock_in),
            ("jam_pulang", stored.clock_out, derived.clock_out),
            ("status", stored.status, stored.status if stored.status is told else derived.status),
            ("menit_terlambat", stored.late_minutes, derived.late_minutes if same_rules else stored.late_minutes),
            ("menit_kerja", stored.worked_minutes, derived.worked_minutes),
        )
        for column, is_now, should_be in columns:
            if is_now != should_be:
                kind = AttendanceProblemKind.DIFFERS
                yield AttendanceProblem(kind, code, stored.work_date, 0, column, is_now, should_be)

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

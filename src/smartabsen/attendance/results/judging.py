"""Judging the days of many people at once: what the inputs of days are read with, and which results come of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from ...kernel.domain import Punch
from ...kernel.messages import STATUSES
from ...store.database import Session
from ..rules.day import judge_day
from ..rules.model import DayInputs, DayResult, DayStatus, LeaveOnDay, Minutes, PlannedDay, PunchAt, Terms
from ..rules.punches import without_set_back
from . import rows
from .encoding import result_of
from .model import DaySources
from .rows import KnownDay

ONE: Final = timedelta(days=1)
_AROUND: Final = timedelta(days=2)
"""Punches so far from the range may belong to it, in any zone."""

Key = tuple[int, date]
EnteredLeave = Mapping[Key, DayStatus | None]
"""Leave that is entered for dates now; None takes back what was entered."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A day that was judged.

    Attributes:
        before: The row that it has, or None.
        is_closed: Whether the period is closed.
        says_something: Whether the result is worth a row: somebody came, has leave, or a planned day is over.
    """

    employee_id: int
    result: DayResult
    before: KnownDay | None
    is_closed: bool
    says_something: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which days are judged.

    Attributes:
        first, last: The range, both included.
        entered: Leave that is entered or taken back now.
        open_only: Leave out days whose stored result time alone does not change.
    """

    first: date
    last: date
    entered: EnteredLeave = field(default_factory=dict)
    open_only: bool = False

    @property
    def days(self) -> list[date]:
        """Its dates."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]


def judge(
    session: Session,
    sources: DaySources,
    employee_ids: Sequence[int],
    wanted: Wanted,
    known: Mapping[Key, KnownDay],
    now: datetime,
) -> Iterator[Judged]:
    """Judge days with a number of statements that depends on neither people nor days.

    Args:
        known: The newest stored results of the range.
        now: By which windows are open or closed.
    """
    first, last = wanted.first, wanted.last
    plan = sources.plans(session, employee_ids, first - ONE, last + ONE)
    terms = sources.terms(session, employee_ids, first, last)
    leave = sources.leave(session, employee_ids, first, last)
    orders = sources.orders(session, employee_ids, first, last)
    is_closed = sources.closed(session, employee_ids, first, last)
    since = datetime.combine(first - _AROUND, time(0), tzinfo=UTC)
    until = datetime.combine(last + _AROUND + ONE, time(0), tzinfo=UTC)
    punches = rows.punches(session, employee_ids, since, until)
    days = wanted.days
    for employee_id in employee_ids:
        near = _by_day(punches.get(employee_id, ()))
        plans: dict[date, PlannedDay] = {}

        def planned(day: date, employee_id: int = employee_id, plans: dict[date, PlannedDay] = plans) -> PlannedDay:
            if day not in plans:
                plans[day] = plan(employee_id, day)
            return plans[day]

        for day in days:
            before = known.get((employee_id, day))
            if wanted.open_only and before is not None and before.facts.is_final is not False:
                continue
            around = [each for shift in range(-2, 3) for each in near.get(day + timedelta(days=shift), ())]
            on_terms = terms(employee_id, day)
            if not on_terms.employed and before is None and not around:
                continue
            entered = _entered(employee_id, day, before, wanted.entered)
            on_leave = leave(employee_id, day)
            if entered is not None and not on_leave:
                on_leave = (LeaveOnDay(entered.value.lower(), STATUSES[entered], entered),)
            own = planned(day)
            inputs = DayInputs(
                plan=own,
                before=planned(day - ONE),
                after=planned(day + ONE),
                punches=tuple(around),
                terms=_terms_of(on_terms, own),
                now=now,
                leave=on_leave,
                orders=orders(employee_id, day),
            )
            result = _kept(judge_day(inputs), own, before)
            if entered is not None:
                result = replace(result, entered=entered)
            if not on_terms.employed and before is None and result.clock_in is None:
                continue
            says = result.clock_in is not None or result.status.is_leave or (result.is_final and own.is_planned)
            yield Judged(employee_id, result, before, is_closed(employee_id, day), says)


def _terms_of(terms: Terms, plan: PlannedDay) -> Terms:
    """Return the terms of a day; where only the start of work is known, each punch counts as it is."""
    is_open = plan.shift is not None and plan.shift.open_end is not None
    return replace(terms, same_punch=0) if is_open else terms


def _entered(employee_id: int, day: date, before: KnownDay | None, entered: EnteredLeave) -> DayStatus | None:
    if (employee_id, day) in entered:
        return entered[employee_id, day]
    return result_of(day, before.facts).entered if before is not None else None


def _kept(result: DayResult, plan: PlannedDay, before: KnownDay | None) -> DayResult:
    """Return a result with the verdict that an arrival had before there were rules with a date.

    What start of work held then nobody knows any more; a departure that is corrected changes nothing about it.
    """
    if before is None or before.revision or plan.is_planned or before.facts.jam_masuk != result.clock_in:
        return result
    was = DayStatus(before.facts.status)
    if not (was.is_attendance and result.status.is_attendance):
        return result
    minutes = {**result.minutes, Minutes.LATE: before.facts.menit_terlambat}
    reasons = tuple(each for each in result.reasons if each.rule not in ("late", "grace.in"))
    return replace(result, status=was, minutes={kind: each for kind, each in minutes.items() if each}, reasons=reasons)


def _by_day(punches: Sequence[Punch]) -> dict[date, list[PunchAt]]:
    """Return the punches that count by UTC date: not those of a clock that was set back during their work date."""
    if not all(punch.time_is_sure for punch in punches):
        by_work_date: dict[date, list[Punch]] = {}
        for punch in punches:
            by_work_date.setdefault(punch.work_date, []).append(punch)
        punches = [punch for each in by_work_date.values() for punch in without_set_back(each)]
    found: dict[date, list[PunchAt]] = {}
    for punch in punches:
        found.setdefault(punch.at.date(), []).append(PunchAt(punch.id, punch.at, punch.time_is_sure))
    return found

"""Judges days again for a range, keeps what was before, and says what is known of a day."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Final

from ...kernel.domain import Punch
from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_
from ...store.database import Session
from ...trust.work import Units, Work
from ..rules.day import judge_day
from ..rules.model import DayInputs, PunchAt
from ..rules.punches import without_set_back
from . import rows
from .encoding import facts_of
from .model import DayDifference, DaySources, Recomputed, StoredDay

_BATCH_DAYS: Final = 3000
"""Days that are judged in one transaction: others write in between."""
_SHOWN: Final = 1000
_AROUND: Final = timedelta(days=2)
"""Punches so far from the range may belong to it, in any zone."""
_ONE: Final = timedelta(days=1)


class Results:
    """Results of days of one installation.

    Args:
        units: Of its database.
        sources: Where the inputs of days come from.
        now: The time (aware), by which windows are open or closed.
    """

    def __init__(self, units: Units, sources: DaySources, now: Callable[[], datetime]) -> None:
        self._units = units
        self._now = now
        self._sources = sources

    def find(self, employee_id: int, work_date: date) -> StoredDay | None:
        """Return the newest result of a day, or None."""
        with self._units.read() as session:
            return rows.find(session, employee_id, work_date)

    def history(self, employee_id: int, work_date: date) -> tuple[StoredDay, ...]:
        """Return all results that a day has had, the oldest first."""
        with self._units.read() as session:
            newest = rows.find(session, employee_id, work_date)
            return (*rows.older(session, employee_id, work_date), *((newest,) if newest is not None else ()))

    def recompute(
        self,
        first: date,
        last: date,
        *,
        employee_ids: Collection[int] | None = None,
        dry_run: bool = False,
        most_differences: int = _SHOWN,
    ) -> Recomputed:
        """Judge all days of a range again and write what differs: a second run changes nothing.

        People are judged in groups, each in a transaction of its own: what was cut off is completed by another run.

        Args:
            employee_ids: Whose; None for everybody.
            dry_run: Whether to write nothing and only say what differs.
            most_differences: How many differences the answer carries.

        Raises:
            InvalidInputError: The range ends before it begins.
            DatabaseError: The database does not answer, refuses, or is too busy.
        """
        if last < first:
            raise InvalidInputError(
                N_("The period ends ({last}) before it begins ({first})."),
                first=first.isoformat(),
                last=last.isoformat(),
            )
        if employee_ids is None:
            with self._units.read() as session:
                everybody = rows.people(session)
        else:
            everybody = tuple(sorted(set(employee_ids)))
        size = max(1, _BATCH_DAYS // ((last - first).days + 1))
        total = _Tally()
        for start in range(0, len(everybody), size):
            group = everybody[start : start + size]
            if dry_run:
                with self._units.read(long=True) as session:
                    found = self._differences(session, group, first, last)
            else:
                found = self._units.write(partial(self.renew, employee_ids=group, first=first, last=last))
            total.add(found, most_differences)
        return Recomputed(first, last, total.judged, total.changed, total.closed, tuple(total.differences))

    def renew(self, job: Work, employee_ids: Sequence[int], first: date, last: date) -> Tallied:
        """Judge days of some people again within a unit of work, as after a correction, and write what differs."""
        rows.lock(job.session, employee_ids)
        found = self._differences(job.session, employee_ids, first, last)
        writable = [each for each in found.found if not each[0].is_closed]
        if writable:
            changes = [(each.employee_id, each.after, before) for each, before in writable]
            rows.write(job.session, changes, judged_at=job.now)
            details = {"from": first.isoformat(), "to": last.isoformat(), "days": str(len(writable))}
            people = {each.employee_id for each, _ in writable}
            job.record("day.recompute", details=details | {"people": str(len(people))})
        return found

    def _differences(self, session: Session, employee_ids: Sequence[int], first: date, last: date) -> Tallied:
        sources, now = self._sources, self._now()
        plan = sources.plans(session, employee_ids, first - _ONE, last + _ONE)
        terms = sources.terms(session, employee_ids, first, last)
        leave = sources.leave(session, employee_ids, first, last)
        orders = sources.orders(session, employee_ids, first, last)
        is_closed = sources.closed(session, employee_ids, first, last)
        since = datetime.combine(first - _AROUND, time(0), tzinfo=UTC)
        until = datetime.combine(last + _AROUND + _ONE, time(0), tzinfo=UTC)
        punches = rows.punches(session, employee_ids, since, until)
        known = rows.known(session, employee_ids, first, last)
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        found: list[tuple[DayDifference, rows.KnownDay | None]] = []
        for employee_id in employee_ids:
            near = _by_day(punches.get(employee_id, ()))
            plans = {day: plan(employee_id, day) for day in (first - _ONE, *days, last + _ONE)}
            for day in days:
                around = [each for shift in range(-2, 3) for each in near.get(day + timedelta(days=shift), ())]
                on_terms = terms(employee_id, day)
                before = known.get((employee_id, day))
                if not on_terms.employed and before is None and not around:
                    continue
                result = judge_day(
                    DayInputs(
                        plan=plans[day],
                        before=plans[day - _ONE],
                        after=plans[day + _ONE],
                        punches=tuple(around),
                        terms=on_terms,
                        now=now,
                        leave=leave(employee_id, day),
                        orders=orders(employee_id, day),
                    )
                )
                if not on_terms.employed and before is None and result.clock_in is None:
                    continue
                if before is not None and before.facts == facts_of(result):
                    continue
                was = rows.stored(employee_id, day, before) if before is not None else None
                revision = before.revision + 1 if before is not None else 1
                closed = is_closed(employee_id, day)
                found.append((DayDifference(employee_id, day, revision, was, result, closed), before))
        return Tallied(len(employee_ids) * len(days), found)


@dataclass(frozen=True, slots=True)
class Tallied:
    """What differs among the days of a group, with the rows as they were."""

    judged: int
    found: list[tuple[DayDifference, rows.KnownDay | None]]


@dataclass(slots=True)
class _Tally:
    judged: int = 0
    changed: int = 0
    closed: int = 0
    differences: list[DayDifference] = field(default_factory=list)

    def add(self, group: Tallied, most: int) -> None:
        self.judged += group.judged
        closed = sum(1 for each, _ in group.found if each.is_closed)
        self.closed += closed
        self.changed += len(group.found) - closed
        self.differences.extend(each for each, _ in group.found[: max(0, most - len(self.differences))])


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

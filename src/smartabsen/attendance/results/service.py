"""Judges days again for a range, keeps what was before, and says what is known of a day."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Final

from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_
from ...store.database import Session
from ...trust.work import Units, Work
from . import rows
from .encoding import DayFacts, facts_of
from .judging import EnteredLeave, Wanted, judge
from .model import DayDifference, DaySources, Recomputed, StoredDay

_BATCH_DAYS: Final = 3000
"""Days that are judged in one transaction: others write in between."""
_SHOWN: Final = 1000


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

    def renew(
        self,
        job: Work,
        employee_ids: Sequence[int],
        first: date,
        last: date,
        *,
        entered: EnteredLeave | None = None,
        is_told: bool = True,
    ) -> Tallied:
        """Judge days of some people again within a unit of work, as after a correction, and write what differs.

        Args:
            entered: Leave that is entered for dates, or taken back.
            is_told: Whether the audit trail is told: not where an entry of its own tells what was done.
        """
        rows.lock(job.session, employee_ids)
        found = self._differences(job.session, employee_ids, first, last, entered)
        writable = [each for each in found.found if not each[0].is_closed]
        if writable:
            changes = [(each.employee_id, each.after, before) for each, before in writable]
            rows.write(job.session, changes, judged_at=job.now)
        if writable and is_told:
            details = {"from": first.isoformat(), "to": last.isoformat(), "days": str(len(writable))}
            people = {each.employee_id for each, _ in writable}
            job.record("day.recompute", details=details | {"people": str(len(people))})
        return found

    def note(self, job: Work, employee_id: int, days: Collection[date], note: str | None) -> None:
        """Write to days why they are as they are; None leaves their notes."""
        if note is not None:
            rows.note(job.session, employee_id, days, note)

    def _differences(
        self,
        session: Session,
        employee_ids: Sequence[int],
        first: date,
        last: date,
        entered: EnteredLeave | None = None,
    ) -> Tallied:
        known = rows.known(session, employee_ids, first, last)
        wanted = Wanted(first, last, entered or {})
        found: list[tuple[DayDifference, rows.KnownDay | None]] = []
        for each in judge(session, self._sources, employee_ids, wanted, known, self._now()):
            before, result = each.before, each.result
            if before is None and not each.says_something:
                continue
            if before is not None and _is_same(before, facts_of(result)):
                continue
            day = result.work_date
            was = rows.stored(each.employee_id, day, before) if before is not None else None
            revision = before.revision + 1 if before is not None else 1
            found.append((DayDifference(each.employee_id, day, revision, was, result, each.is_closed), before))
        return Tallied(len(employee_ids) * len(wanted.days), found)


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


def _is_same(before: rows.KnownDay, facts: DayFacts) -> bool:
    if before.facts == facts:
        return True
    # A day from before there were rules with a date stays as it was signed where nothing that it tells differs.
    return before.revision == 0 and before.facts.kind is None and before.told == rows.told_by(facts)

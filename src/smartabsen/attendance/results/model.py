"""Results of days as they are kept, what they are judged from, and what changed when they were judged again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeVar

from ...store.database import Session
from ..rules.model import DayResult, LeaveOnDay, OvertimeOrder, PlannedDay, Terms

T_co = TypeVar("T_co", covariant=True)


class Source(Protocol[T_co]):
    """Where a part of the inputs of days comes from; it reads a range at once, in the session of the unit of work."""

    def __call__(
        self, session: Session, employee_ids: Collection[int], first: date, last: date, /
    ) -> Callable[[int, date], T_co]:
        """Return how to look up a person (row id) and a date of the range, both ends included."""
        ...


def never_closed(
    _session: Session, _employee_ids: Collection[int], _first: date, _last: date
) -> Callable[[int, date], bool]:
    """Say that no period is closed: a :class:`Source` for where there are none."""
    return lambda _employee_id, _day: False


@dataclass(frozen=True, slots=True)
class DaySources:
    """Where the inputs of days come from.

    Attributes:
        plans: Of each date, and of the one before and after the range.
        terms: Contract and policies in force on each date.
        leave: Approved leave on each date.
        orders: Orders for overtime on each date, approved or not.
        closed: Whether the date lies in a period that is closed: its result never changes.
    """

    plans: Source[PlannedDay]
    terms: Source[Terms]
    leave: Source[tuple[LeaveOnDay, ...]]
    orders: Source[tuple[OvertimeOrder, ...]]
    closed: Source[bool] = never_closed


@dataclass(frozen=True, slots=True)
class StoredDay:
    """A result of a day as it is kept.

    Attributes:
        revision: 0 for one from before there were rules with a date: it has no kind, no reasons and no ruleset.
        result: What was judged; of revision 0 the times, the status, late and worked minutes.
        note: What somebody wrote to the day.
        judged_at: When; None for revision 0.
    """

    employee_id: int
    revision: int
    result: DayResult
    note: str = ""
    judged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DayDifference:
    """What judging a day again changes.

    Attributes:
        revision: That the new result has or would have.
        before: None where the day had no result.
        is_closed: Whether the period is closed: nothing was written, and the difference is an adjustment of the next.
    """

    employee_id: int
    work_date: date
    revision: int
    before: StoredDay | None
    after: DayResult
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What became of a range that was judged again.

    Attributes:
        judged: How many days were judged.
        changed: How many results differ from the stored ones, and were written unless it was a dry run.
        closed: How many differ and lie in a closed period: they stay as they are.
        differences: The first of both, in order of person and date; at most as many as were asked for.
    """

    first: date
    last: date
    judged: int
    changed: int
    closed: int
    differences: tuple[DayDifference, ...]

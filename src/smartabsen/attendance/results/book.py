"""Reading days: what is stored where it is final, judged now where it is not or was never stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime

from ...store.database import Session
from ..rules.model import DayResult
from . import rows
from .encoding import result_of
from .judging import Key, Wanted, judge
from .model import DaySources


class DayBook:
    """The days of one installation, for readers.

    Args:
        sources: Where the inputs of days come from.
    """

    def __init__(self, sources: DaySources) -> None:
        self._sources = sources

    def between(
        self, session: Session, employee_ids: Collection[int] | None, first: date, last: date, now: datetime
    ) -> Mapping[Key, DayResult]:
        """Return the days of people in a range, both ends included: a constant number of statements.

        Days outside of an employment are left out where nobody came on them.

        Args:
            employee_ids: Row ids; None for everybody.
            now: By which windows are open or closed.
        """
        return self._between(session, employee_ids, first, last, now, open_only=False)

    def open_days(
        self, session: Session, employee_ids: Collection[int] | None, first: date, last: date, now: datetime
    ) -> Mapping[Key, DayResult]:
        """Return of the same those that are not final or not stored: queries tell of the others."""
        return self._between(session, employee_ids, first, last, now, open_only=True)

    def again(
        self, session: Session, employee_ids: Collection[int], first: date, last: date, now: datetime
    ) -> Mapping[Key, DayResult]:
        """Return what days are by punches, plans and leave as they are now, whatever is stored of them."""
        ids = tuple(sorted(set(employee_ids)))
        known = rows.known(session, ids, first, last)
        judged = judge(session, self._sources, ids, Wanted(first, last), known, now)
        return {(each.employee_id, each.result.work_date): each.result for each in judged}

    def _between(
        self,
        session: Session,
        employee_ids: Collection[int] | None,
        first: date,
        last: date,
        now: datetime,
        *,
        open_only: bool,
    ) -> Mapping[Key, DayResult]:
        ids = rows.people(session) if employee_ids is None else tuple(sorted(set(employee_ids)))
        if not ids or last < first:
            return {}
        known = rows.known(session, ids, first, last)
        found: dict[Key, DayResult] = {}
        if not open_only:
            found = {key: result_of(key[1], row.facts) for key, row in known.items() if row.facts.is_final is not False}
        for each in judge(session, self._sources, ids, Wanted(first, last, open_only=True), known, now):
            found[each.employee_id, each.result.work_date] = each.result
        return found

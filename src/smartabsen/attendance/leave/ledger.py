"""The ledger of leave: which grant a day is taken from, whether one is left, and what expires. Pure.

What is given (a grant, days carried over, an adjustment above zero) is a *lot*. Days are taken from the lot that
expires first among those that are still good on the day of leave; a lot is good for every day up to its last one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from .model import Entry, LedgerEntry

_GIVING = (Entry.GRANT, Entry.CARRY, Entry.ADJUST)


@dataclass(slots=True)
class Lot:
    """What one entry gave, and what is left of it in half days."""

    entry: LedgerEntry
    left: int

    def is_good_on(self, day: date) -> bool:
        """Whether a day of leave may be taken from it."""
        return self.entry.expires_on is None or day <= self.entry.expires_on


def allot(entries: Iterable[LedgerEntry], wanted: Mapping[date, int] | None = None) -> tuple[list[Lot], int]:
    """Take every day from its lot, the lot that expires first before others.

    Args:
        entries: The ledger of one person and account, in any order.
        wanted: Half days by day that are to be taken besides.

    Returns:
        The lots with what is left of each, and the half days that no lot covers.
    """
    known = sorted(entries, key=lambda each: each.id)
    lots = [Lot(each, each.half_days) for each in known if each.entry in _GIVING and each.half_days > 0]
    by_id = {lot.entry.id: lot for lot in lots}
    taken: dict[date, int] = defaultdict(int, wanted or {})
    for each in known:
        if each.entry is Entry.EXPIRE:
            if each.lot_id in by_id:
                by_id[each.lot_id].left += each.half_days
        elif each.entry is Entry.TAKE or each.half_days < 0:
            taken[each.day] -= each.half_days
    uncovered = 0
    lots.sort(key=lambda lot: (lot.entry.expires_on or date.max, lot.entry.id))
    for day in sorted(taken):
        rest = taken[day]
        for lot in lots:
            if rest > 0 and lot.left > 0 and lot.is_good_on(day):
                used = min(rest, lot.left)
                lot.left -= used
                rest -= used
        uncovered += max(rest, 0)
    return lots, uncovered


def lacking(entries: Iterable[LedgerEntry], wanted: Mapping[date, int]) -> int:
    """Return how many half days are missing for days that are to be taken; 0 where all are covered."""
    return allot(entries, wanted)[1]


def expiring(entries: Iterable[LedgerEntry], today: date) -> tuple[tuple[LedgerEntry, int], ...]:
    """Return the lots whose last day is over by today and of which something is left, each with the rest."""
    lots, _uncovered = allot(entries)
    return tuple((lot.entry, lot.left) for lot in lots if not lot.is_good_on(today) and lot.left > 0)


def carriable(entries: Iterable[LedgerEntry], year_end: date) -> int:
    """Return how many half days expired in the year up to its end, but for those that had been carried over before."""
    known = tuple(entries)
    carried = {each.id for each in known if each.entry is Entry.CARRY}
    return -sum(
        each.half_days
        for each in known
        if each.entry is Entry.EXPIRE
        and each.lot_id not in carried
        and each.day.year == year_end.year
        and each.day <= year_end
    )

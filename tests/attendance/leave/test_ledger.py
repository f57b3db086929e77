"""The ledger: which grant a day is taken from, and what expires."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from smartabsen.attendance.leave.ledger import allot, expiring, lacking
from smartabsen.attendance.leave.model import Entry, LedgerEntry, days_text, parse_days, total
from smartabsen.kernel.errors import InvalidInputError

MARCH_31, YEAR_END = date(2026, 3, 31), date(2026, 12, 31)


def entry(
    number: int, kind: Entry, days: float, day: date, expires: date | None = None, lot: int | None = None
) -> LedgerEntry:
    return LedgerEntry(number, "tahunan", kind, int(days * 2), day, expires, lot_id=lot)


def carried_and_granted() -> list[LedgerEntry]:
    january = date(2026, 1, 1)
    return [entry(1, Entry.CARRY, 10, january, MARCH_31), entry(2, Entry.GRANT, 12, january, YEAR_END)]


@pytest.mark.parametrize(("taken", "expires"), [(0, 10), (8, 2), (10, 0), (12, 0)])
def test_what_is_carried_over_expires_but_for_what_was_taken_before(taken: int, expires: int) -> None:
    """Case 14: days that expire first are taken first, whatever was granted besides."""
    takes = [entry(3 + n, Entry.TAKE, -1, date(2026, 2, 2) + timedelta(days=n)) for n in range(taken)]
    gone = expiring([*carried_and_granted(), *takes], date(2026, 4, 1))
    assert sum(rest for _, rest in gone) == 2 * expires
    assert expiring([*carried_and_granted(), *takes], MARCH_31) == ()


def test_a_day_after_the_last_one_of_a_grant_is_not_taken_from_it() -> None:
    """Leave in April does not keep what expired in March."""
    take = entry(3, Entry.TAKE, -5, date(2026, 4, 2))
    assert [rest for _, rest in expiring([*carried_and_granted(), take], date(2026, 4, 3))] == [20]
    assert lacking(carried_and_granted(), {date(2026, 4, 6): 2 * 13}) == 2
    assert lacking(carried_and_granted(), {date(2026, 3, 2): 2 * 22}) == 0


def test_what_expired_is_not_there_any_more() -> None:
    """Once its expiry is posted; a day that is given back to it expires anew."""
    known = [*carried_and_granted(), entry(3, Entry.TAKE, -4, date(2026, 2, 2))]
    known.append(entry(4, Entry.EXPIRE, -6, MARCH_31, lot=1))
    assert expiring(known, date(2026, 4, 1)) == ()
    assert total(known) == 24
    known.append(entry(5, Entry.TAKE, 4, date(2026, 2, 2)))
    assert [rest for _, rest in expiring(known, date(2026, 4, 1))] == [8]


def test_an_adjustment_below_zero_takes_like_leave() -> None:
    """And one above zero gives, for ever."""
    known = [entry(1, Entry.ADJUST, 3, MARCH_31), entry(2, Entry.ADJUST, -1, date(2026, 4, 1))]
    lots, uncovered = allot(known)
    assert ([lot.left for lot in lots], uncovered) == ([4], 0)


@pytest.mark.parametrize(("text", "halves"), [("12", 24), ("0.5", 1), ("0,5", 1), ("-1.5", -3), ("1/2", 1)])
def test_days_are_whole_or_half(text: str, halves: int) -> None:
    """As people write them, and back."""
    assert parse_days(text) == halves
    assert parse_days(days_text(halves)) == halves


@pytest.mark.parametrize("text", ["", "x", "0.25", "1/3", "1/0", "9999"])
def test_other_days_are_refused(text: str) -> None:
    """A quarter of a day is none."""
    with pytest.raises(InvalidInputError):
        parse_days(text)


def test_taking_from_what_expires_first_wastes_nothing() -> None:
    """Against every other order of lots, in random ledgers: never more is missing, and never more expires."""
    dice = random.Random(14)
    for _ in range(300):
        begin = date(2026, 1, 1)
        given = [
            entry(n, Entry.GRANT, dice.randint(1, 3), begin, begin + timedelta(days=dice.randrange(40)))
            for n in range(1, 4)
        ]
        wanted = {begin + timedelta(days=dice.randrange(40)): dice.randint(1, 4) for _ in range(4)}
        best = min(missing_in_order(given, wanted, order) for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]))
        assert lacking(given, wanted) <= best


def missing_in_order(given: list[LedgerEntry], wanted: dict[date, int], order: list[int]) -> int:
    left = [each.half_days for each in given]
    missing = 0
    for day in sorted(wanted):
        rest = wanted[day]
        for place in order:
            expires = given[place].expires_on
            if expires is not None and day <= expires:
                used = min(rest, left[place])
                left[place] -= used
                rest -= used
        missing += rest
    return missing

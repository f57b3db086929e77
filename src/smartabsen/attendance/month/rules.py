"""What the days of a period come to. Pure: no database, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from ..close.recap import OvertimeSum, PayOf, Recap, recap, unpaid
from ..leave.model import LeaveSum
from ..rules.model import DayKind, DayResult, DayStatus, Minutes
from .model import Absence, DepartmentRecap, Lateness, PersonDays, PersonRecap, Sign, SignRow

LateOrder: TypeAlias = Literal["days", "minutes"]
_SIGNS: Final = {
    DayStatus.PRESENT: Sign.PRESENT,
    DayStatus.LATE: Sign.LATE,
    DayStatus.EXCUSED: Sign.EXCUSED,
    DayStatus.SICK: Sign.SICK,
    DayStatus.LEAVE: Sign.LEAVE,
    DayStatus.DUTY: Sign.DUTY,
    DayStatus.OFF: Sign.OFF,
    DayStatus.PENDING: Sign.PENDING,
    DayStatus.ABSENT: Sign.ABSENT,
}
_HOLIDAYS: Final = (DayKind.HOLIDAY, DayKind.SHORTEST_DAY)


def dates_of(first: date, last: date) -> tuple[date, ...]:
    """Return the dates of a period, both ends included."""
    return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))


def sign_of(result: DayResult | None, *, is_employed: bool) -> Sign:
    """Return the sign of a date. Who came outside of the employment has the sign of that day."""
    if result is None:
        return Sign.UNKNOWN if is_employed else Sign.OUTSIDE
    if not is_employed and result.clock_in is None:
        return Sign.OUTSIDE
    if result.status is DayStatus.OFF and result.kind in _HOLIDAYS:
        return Sign.HOLIDAY
    return _SIGNS[DayStatus(result.status)]


def sign_row(person: PersonDays, dates: Sequence[date]) -> SignRow:
    """Return a person's line of the grid."""
    signs = tuple(sign_of(person.days.get(day), is_employed=day in person.employed) for day in dates)
    return SignRow(person.employee_id, person.code, person.name, signs)


def person_recap(person: PersonDays, pay: PayOf = unpaid, *, leave: LeaveSum | None = None) -> PersonRecap:
    """Return what a person's days add up to; days outside of the employment count only where the person came."""
    counted = (each for day, each in person.days.items() if day in person.employed or each.clock_in is not None)
    totals = recap(counted, pay, leave=leave or LeaveSum())
    return PersonRecap(person.employee_id, person.code, person.name, person.department, totals)


def department_recaps(people: Iterable[PersonRecap]) -> tuple[DepartmentRecap, ...]:
    """Return the sums of departments by code, people without one last."""
    by_code: dict[str, list[Recap]] = {}
    for each in people:
        by_code.setdefault(each.department, []).append(each.recap)
    codes = sorted(by_code, key=lambda code: (not code, code.casefold()))
    return tuple(DepartmentRecap(code, len(by_code[code]), summed(by_code[code])) for code in codes)


def summed(recaps: Iterable[Recap]) -> Recap:
    """Return the sum of totals. Money is None where it is for one of them."""
    days: Counter[DayStatus] = Counter()
    minutes: Counter[Minutes] = Counter()
    taken: Counter[str] = Counter()
    left: Counter[str] = Counter()
    tiers: dict[Fraction, Fraction] = {}
    late = early = by_clock = approved = 0
    units, exact, is_known = Fraction(0), Fraction(0), True
    unpayable: list[date] = []
    for each in recaps:
        days.update(each.days)
        minutes.update(each.minutes)
        taken.update(each.leave.taken)
        left.update(each.leave.left)
        late += each.late_days
        early += each.early_days
        by_clock += each.overtime.minutes
        approved += each.overtime.approved
        for multiplier, count in each.overtime.tiers.items():
            tiers[multiplier] = tiers.get(multiplier, Fraction(0)) + count
        units += each.overtime.units
        unpayable.extend(each.overtime.unpayable)
        if each.overtime.exact is None:
            is_known = False
        else:
            exact += each.overtime.exact
    overtime = OvertimeSum(by_clock, approved, tiers, units, exact if is_known else None, tuple(unpayable))
    return Recap(dict(days), dict(minutes), late, early, overtime, LeaveSum(dict(taken), dict(left)))


def late_most(people: Iterable[PersonRecap], *, by: LateOrder = "days") -> tuple[Lateness, ...]:
    """Return who came late, the worst first: by days and then minutes, or the other way round."""
    found = [
        Lateness(
            each.employee_id,
            each.code,
            each.name,
            each.department,
            each.recap.late_days,
            each.recap.minutes.get(Minutes.LATE, 0),
        )
        for each in people
        if each.recap.late_days
    ]

    def place(one: Lateness) -> tuple[int, int, str, str]:
        first, second = (one.days, one.minutes) if by == "days" else (one.minutes, one.days)
        return -first, -second, one.name.casefold(), one.code

    return tuple(sorted(found, key=place))


def absence_of(person: PersonDays) -> Absence | None:
    """Return the days of Alpa of a person, who never came included; None without one."""
    dates = tuple(
        sorted(day for day, each in person.days.items() if each.status == DayStatus.ABSENT and day in person.employed)
    )
    if not dates:
        return None
    never_came = all(each.clock_in is None for each in person.days.values())
    return Absence(person.employee_id, person.code, person.name, person.department, dates, never_came)

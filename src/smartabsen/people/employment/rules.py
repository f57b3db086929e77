"""Which terms hold on a date, and what terms can be. No database is needed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_
from .model import BEGINNING, USUAL_WEEK, WEEKS, Agreed, Changes, Employment, Placement, Wage

_WEEKDAYS: Final = (
    ("monday", "mon", "senin", "sen"),
    ("tuesday", "tue", "selasa", "sel"),
    ("wednesday", "wed", "rabu", "rab"),
    ("thursday", "thu", "kamis", "kam"),
    ("friday", "fri", "jumat", "jum'at", "jum"),
    ("saturday", "sat", "sabtu", "sab"),
    ("sunday", "sun", "minggu", "ahad", "min"),
)
_NUMBER_OF_WEEKDAY: Final = {name: number for number, names in enumerate(_WEEKDAYS) for name in names} | {
    # ISO 8601 counts from Monday, 1.
    str(number + 1): number
    for number in range(7)
}
_LABELS: Final = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)
MOST_RUPIAH: Final = 10**12
_FIELDS: Final = ("site_id", "department_id", "week", "shortest_day", "exempt")


@dataclass(frozen=True, slots=True)
class History:
    """One person's terms over time; :meth:`on` asks for a date.

    Attributes:
        steps: Terms in the order of their first day, each with all that was said until then.
        sites, departments: By row id.
        first_site: Of whoever has no other.
        added, ended: When the person was added here and deactivated (UTC); None for never.
    """

    employee_id: int
    code: str
    name: str
    joined: date | None
    left: date | None
    steps: tuple[Agreed, ...]
    sites: Mapping[int, Placement]
    departments: Mapping[int, Placement]
    first_site: Placement | None
    _starts: tuple[date, ...] = field(default=(), repr=False)
    added: datetime | None = None
    ended: datetime | None = None

    def on(self, work_date: date) -> Employment:
        """Return what holds on a date."""
        place = bisect_right(self._starts, work_date)
        terms = self.steps[place - 1] if place else Agreed(BEGINNING)
        site = self.first_site if terms.site_id is None else self.sites.get(terms.site_id, self.first_site)
        department = None if terms.department_id is None else self.departments.get(terms.department_id)
        return Employment(
            employee_id=self.employee_id,
            code=self.code,
            name=self.name,
            work_date=work_date,
            site_id=site.id if site else None,
            site=site.code if site else "",
            zone=site.zone if site else "",
            department_id=department.id if department else None,
            department=department.code if department else "",
            week=terms.week or USUAL_WEEK,
            shortest_day=terms.shortest_day,
            exempt=terms.exempt or "",
            joined=self.joined,
            left=self.left,
        )


def history(
    *,
    employee_id: int,
    code: str,
    name: str,
    joined: date | None,
    left: date | None,
    agreed: Iterable[Agreed],
    sites: Mapping[int, Placement],
    departments: Mapping[int, Placement],
    first_site: Placement | None,
    added: datetime | None = None,
    ended: datetime | None = None,
) -> History:
    """Return the terms of a person over time; the rows may come in any order."""
    steps = accumulated(sorted(agreed, key=lambda row: row.valid_from))
    return History(
        employee_id,
        code,
        name,
        joined,
        left,
        steps,
        sites,
        departments,
        first_site,
        tuple(step.valid_from for step in steps),
        added,
        ended,
    )


def accumulated(rows: Sequence[Agreed]) -> tuple[Agreed, ...]:
    """Return each row with what earlier ones said and it does not."""
    steps: list[Agreed] = []
    known = Agreed(BEGINNING)
    for row in rows:
        said = {name: value for name in _FIELDS if (value := getattr(row, name)) is not None}
        known = replace(known, valid_from=row.valid_from, **said)
        steps.append(known)
    return tuple(steps)


def first_day(name: str, rows: Sequence[Agreed], *, asked: date | None, today: date) -> date:
    """Return from when on a term holds that somebody states.

    What was never said of a person before holds from the beginning; a change holds from today.

    Args:
        name: Field of :class:`Agreed`.
        rows: What was said so far.
        asked: The date that was given; it wins.
    """
    if asked is not None:
        return asked
    return today if any(getattr(row, name) is not None for row in rows) else BEGINNING


def check_changes(changes: Changes, *, joined: date | None, left: date | None) -> None:
    """Refuse terms that cannot be.

    Args:
        joined, left: As they will be.

    Raises:
        InvalidInputError: The week has neither 5 nor 6 days, the weekday is none, or the employment ends before it
            begins.
    """
    if changes.week is not None and changes.week not in WEEKS:
        raise InvalidInputError(N_("A week has 5 or 6 working days, not {week}."), week=changes.week)
    if changes.shortest_day is not None and changes.shortest_day not in range(7):
        raise InvalidInputError(N_("There is no such weekday."))
    if joined is not None and left is not None and left < joined:
        raise InvalidInputError(
            N_("The last day ({left}) is before the first one ({joined})."), joined=joined, left=left
        )


def read_weekday(text: str) -> int:
    """Return the number of a weekday, Monday being 0, from its Indonesian or English name.

    Raises:
        InvalidInputError: It is none.
    """
    number = _NUMBER_OF_WEEKDAY.get(text.strip().casefold().replace("’", "'"))
    if number is None:
        raise InvalidInputError(N_("“{text}” is no weekday: write one as Saturday or Sabtu."), text=text.strip()[:20])
    return number


def weekday_name(number: int | None) -> str:
    """Return the English name of a weekday in lower case, as scripts read it; empty for None."""
    return "" if number is None else _WEEKDAYS[number][0]


def weekday_label(number: int) -> str:
    """Return the name of a weekday for people, a message id."""
    return _LABELS[number]


def checked_wage(wage: Wage) -> Wage:
    """Return a wage that can be one.

    Raises:
        InvalidInputError: It has no part, both a monthly and a daily one, or one that is negative or far too high.
    """
    parts = (wage.basic, wage.fixed, wage.variable, wage.daily or 0)
    if any(part < 0 or part > MOST_RUPIAH for part in parts):
        raise InvalidInputError(N_("A part of a wage is a number of rupiah from 0 to {most}."), most=MOST_RUPIAH)
    monthly = bool(wage.basic or wage.fixed or wage.variable)
    if monthly and wage.daily is not None:
        raise InvalidInputError(N_("A wage is one of the month or one of the day, not both."))
    if not wage.basic and not wage.daily:
        raise InvalidInputError(N_("The wage has no basic pay: give a month's basic pay, or the pay of a day."))
    return wage

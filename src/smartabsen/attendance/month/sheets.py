"""The views of a period as a workbook: one sheet a view, written person by person while they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final, TypeAlias

from ...kernel.i18n import N_, _
from ...store.streamed_workbook import Cell, StreamedWorkbook
from ..close.recap import PayOf, Recap, unpaid
from ..leave.model import LeaveSum
from ..results.texts import MINUTES
from ..rules.model import DayStatus, Minutes
from . import rules
from .model import Absence, PersonDays, PersonRecap
from .texts import SIGNS

PayOfPerson: TypeAlias = Callable[[int], PayOf]
_WHO: Final = (N_("Code"), N_("Name"), N_("Department"))
_COUNTED: Final = (
    Minutes.EXPECTED,
    Minutes.WORKED,
    Minutes.LATE,
    Minutes.EARLY,
    Minutes.MISSING,
    Minutes.OVERTIME,
    Minutes.OVERTIME_APPROVED,
)
_TIERS: Final = (Fraction(3, 2), Fraction(2), Fraction(3), Fraction(4))
"""Multipliers of PP 35/2021, art. 31."""


def _unpaid(_employee_id: int) -> PayOf:
    return unpaid


@dataclass(frozen=True, slots=True)
class Extras:
    """What is known of people besides their days.

    Attributes:
        pay: By what overtime is paid, by row id; without it there are no tiers.
        leave: Leave taken and left, by row id.
        leave_kinds, leave_accounts: Those that get a column of their own.
    """

    pay: PayOfPerson = _unpaid
    leave: Callable[[int], LeaveSum] = field(default=lambda _employee_id: LeaveSum())
    leave_kinds: tuple[str, ...] = ()
    leave_accounts: tuple[str, ...] = ()


def write_month(
    path: Path, people: Iterable[PersonDays], first: date, last: date, extras: Extras | None = None
) -> None:
    """Write recap, departments, grid, lateness and Alpa; titles in the current language.

    Dates are dates, hours are durations that can be summed.

    Args:
        people: Read once.

    Raises:
        StorageError: The file cannot be written.
    """
    known = extras or Extras()
    dates = rules.dates_of(first, last)
    book = StreamedWorkbook()
    recaps_sheet = book.add_sheet(_("Recap"), recap_header(known))
    departments = book.add_sheet(_("Departments"), [_("Department"), _("People"), *recap_header(known)[len(_WHO) :]])
    grid = book.add_sheet(_("Grid"), [_("Code"), _("Name"), *dates])
    late = book.add_sheet(_("Late"), [*map(_, _WHO), _("Days"), _("Late")])
    absent = book.add_sheet(_("Absent without leave"), [*map(_, _WHO), _("Date"), _("Never came")])
    recaps: list[PersonRecap] = []
    for person in people:
        recap = rules.person_recap(person, known.pay(person.employee_id), leave=known.leave(person.employee_id))
        recaps.append(recap)
        recaps_sheet.append(recap_row(recap, known))
        grid.append([person.code, person.name, *(sign.value for sign in rules.sign_row(person, dates).signs)])
        found = rules.absence_of(person)
        for row in absence_rows(found) if found is not None else ():
            absent.append(row)
    for part in rules.department_recaps(recaps):
        departments.append([part.department, part.people, *_numbers(part.recap, known)])
    for one in rules.late_most(recaps):
        late.append([one.code, one.name, one.department, one.days, timedelta(minutes=one.minutes)])
    legend = book.add_sheet(_("Legend"), [_("Sign"), _("Meaning")])
    for sign, text in SIGNS.items():
        legend.append([sign.value, _(text)])
    book.write(path)


def recap_header(extras: Extras) -> list[str]:
    """Return the titles of the columns of the recap."""
    return [
        *map(_, _WHO),
        *(status.value for status in DayStatus),
        *(_(MINUTES[kind]) for kind in _COUNTED),
        *(_("Overtime {times}x", times=f"{float(tier):g}") for tier in _TIERS),
        *(_("Taken: {kind}", kind=kind) for kind in extras.leave_kinds),
        *(_("Left: {account}", account=account) for account in extras.leave_accounts),
    ]


def recap_row(person: PersonRecap, extras: Extras) -> list[Cell]:
    """Return a person's line of the recap."""
    return [person.code, person.name, person.department, *_numbers(person.recap, extras)]


def absence_rows(absence: Absence) -> list[list[Cell]]:
    """Return a line for each day of Alpa of a person."""
    never = _("yes") if absence.never_came else ""
    return [[absence.code, absence.name, absence.department, day, never] for day in absence.dates]


def _numbers(recap: Recap, extras: Extras) -> list[Cell]:
    # Leave is kept in half days.
    return [
        *(recap.count(status) for status in DayStatus),
        *(timedelta(minutes=recap.minutes.get(kind, 0)) for kind in _COUNTED),
        *(timedelta(minutes=float(recap.overtime.tiers.get(tier, Fraction(0)))) for tier in _TIERS),
        *(recap.leave.taken.get(kind, 0) / 2 for kind in extras.leave_kinds),
        *(recap.leave.left.get(account, 0) / 2 for account in extras.leave_accounts),
    ]

"""The views of a period as a workbook: one sheet a view, written person by person while they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, TypeAlias

from ...kernel.i18n import N_, _
from ...kernel.texts import one_line, without_formula
from ...store.files import atomic_file
from ..close.recap import PayOf, Recap, unpaid
from ..leave.model import LeaveSum
from ..results.texts import MINUTES
from ..rules.model import DayStatus, Minutes
from . import rules
from .model import Absence, PersonDays, PersonRecap
from .texts import SIGNS

Cell: TypeAlias = str | int | float | date | timedelta | None
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
_A4: Final = 9
"""Number of the paper, as sheets have it."""
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
    from openpyxl import Workbook

    known = extras or Extras()
    dates = rules.dates_of(first, last)
    book = Workbook(write_only=True)
    recaps_sheet = _sheet(book, _("Recap"), recap_header(known))
    departments = _sheet(book, _("Departments"), [_("Department"), _("People"), *recap_header(known)[len(_WHO) :]])
    grid = _sheet(book, _("Grid"), [_("Code"), _("Name"), *dates])
    late = _sheet(book, _("Late"), [*map(_, _WHO), _("Days"), _("Late")])
    absent = _sheet(book, _("Absent without leave"), [*map(_, _WHO), _("Date"), _("Never came")])
    recaps: list[PersonRecap] = []
    for person in people:
        recap = rules.person_recap(person, known.pay(person.employee_id), leave=known.leave(person.employee_id))
        recaps.append(recap)
        _add(recaps_sheet, recap_row(recap, known))
        _add(grid, [person.code, person.name, *(sign.value for sign in rules.sign_row(person, dates).signs)])
        found = rules.absence_of(person)
        for row in absence_rows(found) if found is not None else ():
            _add(absent, row)
    for part in rules.department_recaps(recaps):
        _add(departments, [part.department, part.people, *_numbers(part.recap, known)])
    for one in rules.late_most(recaps):
        _add(late, [one.code, one.name, one.department, one.days, timedelta(minutes=one.minutes)])
    legend = _sheet(book, _("Legend"), [_("Sign"), _("Meaning")])
    for sign, text in SIGNS.items():
        _add(legend, [sign.value, _(text)])
    with atomic_file(path) as file:
        book.save(file)


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


def _sheet(book: Any, title: str, header: Sequence[Cell]) -> Any:
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = _A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"
    _add(sheet, header)
    return sheet


def _add(sheet: Any, row: Iterable[Cell]) -> None:
    sheet.append([_cell(sheet, each) for each in row])


def _cell(sheet: Any, value: Cell) -> Any:
    # Plain values are written as they are, with the format of their type; a cell of its own costs ten times as much.
    if isinstance(value, timedelta):
        return _formatted(sheet, value, "[h]:mm")
    if isinstance(value, str):
        text = one_line(value)
        if without_formula(text) != text:
            return _text(sheet, text)
        return text
    return value


def _formatted(sheet: Any, value: Any, number_format: str) -> Any:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value)
    cell.number_format = number_format
    return cell


def _text(sheet: Any, value: str) -> Any:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell

"""Days as people in Indonesia type them: the one place where a text becomes a date.

The day stands before the month, always: 01/12/2025 is the first of December. The order month-day of the USA is never
tried, also where only it would give a day.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from datetime import date
from typing import Final

from .errors import InvalidInputError
from .i18n import N_

FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2100, 12, 31)
"""Of the days that somebody may mean: what lies outside is a slip."""

_SEPARATOR: Final = r"\s*[-–/.\s]\s*"
_DAY_FIRST: Final = re.compile(rf"(?P<day>\d{{1,2}}){_SEPARATOR}(?P<month>\d{{1,2}}){_SEPARATOR}(?P<year>\d{{4}})")
_YEAR_FIRST: Final = re.compile(r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})")
_WEEKDAY: Final = r"(?:senin|selasa|rabu|kamis|jum[’']?at|sabtu|minggu|ahad|(?:mon|tues|wednes|thurs|fri|satur|sun)day)"
_NAMED: Final = re.compile(
    rf"(?:{_WEEKDAY}\s*,?\s*)?(?P<day>\d{{1,2}})(?:{_SEPARATOR})?(?P<name>[a-z]+)\.?(?:{_SEPARATOR})?(?P<year>\d{{4}})"
)
_MONTH_FIRST: Final = re.compile(r"(?P<name>[a-z]+)\.?\s+(?P<day>\d{1,2})\s*,?\s+(?P<year>\d{4})")
_SHORT_YEAR: Final = re.compile(rf"\d{{1,2}}{_SEPARATOR}(?:\d{{1,2}}|[a-z]+)\.?{_SEPARATOR}'?\d{{2}}")
_CLOCK: Final = re.compile(
    r"(?:\s+|(?<=\d)t)\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?:z|wib|wita|wit|[+-]\d{2}:?\d{2})?"
)

_MONTHS: Final = (
    ("januari", "january", "jan"),
    ("februari", "pebruari", "february", "feb", "peb"),
    ("maret", "march", "mar", "mrt"),
    ("april", "apr"),
    ("mei", "may"),
    ("juni", "june", "jun"),
    ("juli", "july", "jul"),
    ("agustus", "august", "agu", "agt", "ags", "agst", "agust", "aug"),
    ("september", "sept", "sep"),
    ("oktober", "october", "okt", "oct"),
    ("november", "nopember", "nov", "nop"),
    ("desember", "december", "des", "dec"),
)
_NUMBER_OF_MONTH: Final = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names}


def read_date(text: str, *, with_clock: bool = False) -> date:
    """Return the day that a person wrote.

    Read are ``30/11/2025``, ``1-12-2025``, ``01.12.2025``, ``1 Desember 2025``, ``1 Des 2025`` (names of months in
    Indonesian and English, also after a day of the week), ``December 1, 2025`` and ISO 8601, ``2025-12-01``.

    Args:
        with_clock: A time of the day may follow, as form programs write it; it is left out.

    Raises:
        InvalidInputError: It is none of these, a day that does not exist, or one before 2000 or after 2100.
    """
    given = " ".join(unicodedata.normalize("NFKC", text).split())
    plain = given.casefold()
    if with_clock and (clock := _CLOCK.search(plain)) and clock.end() == len(plain):
        plain = plain[: clock.start()]
    for form in (_DAY_FIRST, _YEAR_FIRST, _NAMED, _MONTH_FIRST):
        if found := form.fullmatch(plain):
            parts = found.groupdict()
            month = _NUMBER_OF_MONTH.get(parts["name"]) if "name" in parts else int(parts["month"])
            if month is not None:
                return _checked(given, int(parts["year"]), month, int(parts["day"]))
    if _SHORT_YEAR.fullmatch(plain):
        raise InvalidInputError(N_("The year of “{given}” has two digits: write all four, as 30/11/2025."), given=given)
    raise InvalidInputError(
        N_("“{given}” is no date: write 30/11/2025, 30 November 2025 or 2025-11-30, the day before the month."),
        given=given[:40],
    )


def _checked(given: str, year: int, month: int, day: int) -> date:
    if not 1 <= month <= 12:
        raise InvalidInputError(
            N_("The day “{given}” does not exist: there is no month {month}. The day stands before the month."),
            given=given,
            month=month,
        )
    if not FIRST_DAY.year <= year <= LAST_DAY.year:
        raise InvalidInputError(
            N_("The date “{given}” is out of all reason: years from {first} to {last} are taken."),
            given=given,
            first=FIRST_DAY.year,
            last=LAST_DAY.year,
        )
    days = calendar.monthrange(year, month)[1]
    if not 1 <= day <= days:
        raise InvalidInputError(
            N_("The day “{given}” does not exist: month {month} of {year} has {days} days."),
            given=given,
            month=month,
            year=year,
            days=days,
        )
    return date(year, month, day)

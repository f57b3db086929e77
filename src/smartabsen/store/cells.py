"""What a cell of a workbook shows, as far as it can be told for certain.

A spreadsheet keeps a number and a picture of how to show it; people read what is shown. Where that picture is made of
literal signs and places for digits, the text is worked out here. Where it is not (thousands, percent, fractions,
conditions, dates), and where the number itself is not what was typed (Excel keeps 15 significant digits), the cell has
a fault, and no text is made up.

Source of the rules: ECMA-376 part 1, 18.8.30 and 18.8.31 (number formats).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any, Final

from ..kernel.i18n import N_

MAX_DIGITS: Final = 15
"""Significant digits that a spreadsheet keeps of a number."""


class CellKind(Enum):
    """What a cell holds."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class CellFault:
    """Why a cell cannot be taken: a stable code, and the sentence, a message id with its places.

    Whoever knows the column adds the place ``column``.
    """

    reason: str
    detail: str
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SheetCell:
    """A cell of a table.

    Attributes:
        text: What it shows; what it holds where it has a fault.
        fault: Why it can stand for no text.
    """

    text: str = ""
    kind: CellKind = CellKind.TEXT
    fault: CellFault | None = None


EMPTY: Final = SheetCell()


def read_cell(value: Any, number_format: str, *, is_error: bool = False, uncomputed: bool = False) -> SheetCell:
    """Return a cell of a workbook as people see it.

    Args:
        value: As openpyxl gives it.
        uncomputed: It is a formula whose value was not saved.
    """
    if uncomputed:
        return SheetCell("", CellKind.TEXT, _UNCOMPUTED)
    if value is None:
        return EMPTY
    if is_error:
        detail = N_("Column “{column}”: the cell shows the error {shown}.")
        return SheetCell(str(value), CellKind.TEXT, CellFault("cell_error", detail, (("shown", str(value)),)))
    if isinstance(value, bool):
        return SheetCell("TRUE" if value else "FALSE", CellKind.BOOLEAN, _boolean(value))
    if isinstance(value, datetime | date | time | timedelta):
        shown = _moment(value)
        return SheetCell(shown, CellKind.DATE, CellFault("cell_date", _DATE_DETAIL, (("shown", shown),)))
    if isinstance(value, int | float):
        return _number(value, number_format)
    return _shown_text(str(value), number_format)


_UNCOMPUTED: Final = CellFault(
    "cell_uncomputed",
    N_("Column “{column}”: a formula has no result. Open the file in Excel, let it compute, and save it."),
)
_LONG_DETAIL: Final = N_(
    "Column “{column}”: the number {shown} has more than 15 digits, and a spreadsheet keeps only 15 of a number: the "
    "last ones are not those that were typed. Format the column as Text and type the numbers again."
)
_DATE_DETAIL: Final = N_(
    "Column “{column}”: the spreadsheet made the date {shown} of the cell. Format the column as Text and type the cell "
    "again."
)
_FRACTION_DETAIL: Final = N_(
    "Column “{column}”: the number {shown} has a fraction, and a spreadsheet drops zeros at its end. Format the column "
    "as Text and type the cell again."
)
_UNSURE_DETAIL: Final = N_(
    "Column “{column}”: the cell holds {stored}, and its format “{format}” shows something else. Format the column as "
    "Text and type what is meant."
)


def _boolean(value: bool) -> CellFault:
    shown = "TRUE" if value else "FALSE"
    detail = N_("Column “{column}”: the cell holds {shown}, which is neither a text nor a number.")
    return CellFault("cell_boolean", detail, (("shown", shown),))


def _moment(value: datetime | date | time | timedelta) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    return value.isoformat() if isinstance(value, date) else str(value)


def _number(value: int | float, number_format: str) -> SheetCell:
    whole = int(value) if not isinstance(value, float) or value.is_integer() else None
    if whole is None:
        shown = str(value)
        return SheetCell(shown, CellKind.NUMBER, CellFault("cell_fraction", _FRACTION_DETAIL, (("shown", shown),)))
    if abs(whole) >= 10**MAX_DIGITS:
        shown = str(whole)
        return SheetCell(shown, CellKind.NUMBER, CellFault("long_number", _LONG_DETAIL, (("shown", shown),)))
    shown_as = show_whole(whole, number_format)
    if shown_as is None:
        return SheetCell(str(whole), CellKind.NUMBER, _unsure(str(whole), number_format))
    return SheetCell(shown_as, CellKind.NUMBER)


def _unsure(stored: str, number_format: str) -> CellFault:
    return CellFault("shown_otherwise", _UNSURE_DETAIL, (("stored", stored), ("format", number_format)))


def _shown_text(value: str, number_format: str) -> SheetCell:
    sections = _sections(number_format)
    if sections is None:
        return SheetCell(value)
    section = sections[3] if len(sections) > 3 else next((one for one in sections if _TEXT in one), None)
    if section is None or section == [_TEXT]:
        return SheetCell(value)
    if _TEXT not in section or any(token.kind is not _Kind.LITERAL for token in section if token != _TEXT):
        return SheetCell(value, fault=_unsure(value, number_format))
    return SheetCell("".join(value if token == _TEXT else token.text for token in section).strip())


# --- Formats -----------------------------------------------------------------------------------------------


class _Kind(Enum):
    DIGIT = "digit"
    LITERAL = "literal"
    GENERAL = "general"
    THOUSANDS = "thousands"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    text: str


_TEXT: Final = _Token(_Kind.TEXT, "@")
_TOKEN: Final = re.compile(
    r"""
      "(?P<quoted>[^"]*)"
    | \\(?P<escaped>.)
    | (?P<width>_.)
    | (?P<fill>\*.)
    | (?P<color>\[(?:black|blue|cyan|green|magenta|red|white|yellow|colou?r\s*\d+|\$-[0-9a-f]+)\])
    | (?P<general>general|standard)
    | (?P<digit>[0#?])
    | (?P<thousands>,)
    | (?P<text>@)
    | (?P<plain>[-+ ():!^&'~{}=])
    | (?P<end>;)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def _sections(number_format: str) -> list[list[_Token]] | None:
    """Return the sections of a format; None where a sign in it is not known here."""
    sections: list[list[_Token]] = [[]]
    place = 0
    while place < len(number_format):
        found = _TOKEN.match(number_format, place)
        if found is None:
            return None
        place = found.end()
        group, text = str(found.lastgroup), found[str(found.lastgroup)]
        if group == "end":
            sections.append([])
        elif group in ("quoted", "escaped", "plain"):
            sections[-1].append(_Token(_Kind.LITERAL, text))
        elif group == "width":
            sections[-1].append(_Token(_Kind.LITERAL, " "))
        elif group == "fill":
            if text != "* ":
                return None
        elif group != "color":
            sections[-1].append(_Token(_Kind(group), text.casefold()))
    return sections


def show_whole(value: int, number_format: str) -> str | None:
    """Return how a format shows a whole number, without surrounding blanks; None where that is not certain."""
    sections = _sections(number_format or "General")
    if sections is None:
        return None
    section, sign = _section_for(value, sections)
    kinds = [token.kind for token in section]
    if _Kind.TEXT in kinds:
        # A format for texts alone shows a number as General does.
        return str(value) if section == [_TEXT] and len(sections) == 1 else None
    if _Kind.THOUSANDS in kinds:
        if abs(value) >= 1000 or not _groups_only(kinds):
            return None
        section = [token for token in section if token.kind is not _Kind.THOUSANDS]
    if _Kind.GENERAL in kinds:
        if _Kind.DIGIT in kinds or kinds.count(_Kind.GENERAL) > 1:
            return None
        shown = "".join(str(abs(value)) if token.kind is _Kind.GENERAL else token.text for token in section)
    elif _Kind.DIGIT in kinds:
        shown = _fill_places(str(abs(value)) if value else "", section)
    else:
        # Nothing of the number is shown.
        return None
    return f"{sign}{shown}".strip()


def _section_for(value: int, sections: list[list[_Token]]) -> tuple[list[_Token], str]:
    if value < 0:
        return (sections[1], "") if len(sections) > 1 and sections[1] else (sections[0], "-")
    if value == 0 and len(sections) > 2:
        return sections[2], ""
    return sections[0], ""


def _groups_only(kinds: list[_Kind]) -> bool:
    """Return whether each comma stands between two places: at the end it divides by a thousand."""
    last_digit = max((place for place, kind in enumerate(kinds) if kind is _Kind.DIGIT), default=-1)
    return all(place < last_digit for place, kind in enumerate(kinds) if kind is _Kind.THOUSANDS)


def _fill_places(digits: str, section: list[_Token]) -> str:
    """Put digits into the places of a section from the right; what is left over stands before the first place."""
    places = [place for place, token in enumerate(section) if token.kind is _Kind.DIGIT]
    shown = {}
    rest = digits
    for place in reversed(places):
        shown[place], rest = rest[-1:], rest[:-1]
    shown[places[0]] = rest + shown[places[0]]
    padding = ""
    for place in places:
        if section[place].text == "0":
            padding = "0"
        shown[place] = shown[place] or padding or (" " if section[place].text == "?" else "")
    return "".join(shown.get(place, token.text) for place, token in enumerate(section))

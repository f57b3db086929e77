"""Workbooks that are written row by row, several sheets at once: no table lies in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

from ..kernel.texts import one_line, without_formula
from .files import atomic_file

Cell: TypeAlias = str | int | float | date | timedelta | None
_A4: Final = 9
"""Number of the paper, as sheets have it."""


class StreamedSheet:
    """One sheet of such a workbook.

    Args:
        sheet: Of openpyxl, whose type information lacks half of what a write-only sheet can do.
    """

    def __init__(self, sheet: Any) -> None:
        self._sheet = sheet

    def append(self, row: Iterable[Cell]) -> None:
        """Add a row: text stays text, durations are shown as hours and minutes and can be summed."""
        self._sheet.append([self._cell(each) for each in row])

    def _cell(self, value: Cell) -> Any:
        # Plain values are written as they are, with the format of their type; a cell of its own costs far more.
        from openpyxl.cell import WriteOnlyCell

        cell: Any
        if isinstance(value, timedelta):
            cell = WriteOnlyCell(self._sheet)
            cell.value = value
            cell.number_format = "[h]:mm"
            return cell
        if not isinstance(value, str):
            return value
        text = one_line(value)
        if without_formula(text) == text:
            return text
        cell = WriteOnlyCell(self._sheet, text)
        cell.data_type = "s"
        cell.quotePrefix = True
        return cell


class StreamedWorkbook:
    """A workbook that is being written."""

    def __init__(self) -> None:
        from openpyxl import Workbook

        self._book = Workbook(write_only=True)

    def add_sheet(self, title: str, header: Sequence[Cell]) -> StreamedSheet:
        """Return a new sheet with a first row that stays in sight; it prints on A4, as wide as the paper."""
        sheet: Any = self._book.create_sheet(title[:31])
        sheet.freeze_panes = "A2"
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = _A4
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        sheet.print_title_rows = "1:1"
        made = StreamedSheet(sheet)
        made.append(header)
        return made

    def write(self, path: Path) -> None:
        """Write the file. Raises StorageError."""
        with atomic_file(path) as file:
            self._book.save(file)

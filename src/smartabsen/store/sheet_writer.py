"""Tables for spreadsheets: CSV and XLSX that open well in Excel, and never run what a person wrote into a cell."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final, TypeAlias

from ..kernel.texts import one_line, without_formula
from .files import write_atomically

CellValue: TypeAlias = str | int | float | date | time | datetime | None

_MAX_WIDTH: Final = 60
_SHEET_NAME_LENGTH: Final = 31
_WRITTEN_AT: Final = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(<)")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[CellValue]], *, separator: str = ",") -> str:
    """Return a table as CSV: dates and times as ISO 8601, formulas disarmed."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n", delimiter=separator)
    writer.writerow([_csv_cell(title) for title in header])
    writer.writerows([_csv_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def write_csv(
    path: Path,
    header: Sequence[str],
    rows: Iterable[Sequence[CellValue]],
    *,
    separator: str = ",",
    encoding: str = "utf-8-sig",
) -> None:
    """Write a table as CSV, by default in UTF-8 with the byte order mark that Excel needs.

    Args:
        encoding: Where it lacks a letter, the default is taken instead.

    Raises:
        StorageError: The file cannot be written.
    """
    text = csv_text(header, rows, separator=separator)
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError:
        data = text.encode("utf-8-sig")
    write_atomically(path, data)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook: its name, the titles of its columns, its rows."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[CellValue]]


def write_xlsx(path: Path, *sheets: Sheet) -> None:
    """Write tables as an Excel workbook: real dates, times and numbers that can be sorted and summed; text stays text.

    A datetime is shown as the reading of the clock that it carries: Excel knows no time zones.

    Raises:
        StorageError: The file cannot be written.
    """
    write_atomically(path, xlsx_bytes(*sheets))


def xlsx_bytes(*sheets: Sheet) -> bytes:
    """Return tables as the bytes of an Excel workbook; see :func:`write_xlsx`."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for sheet in sheets:
        _add_sheet(book, sheet)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def steady_xlsx(*sheets: Sheet) -> bytes:
    """Return tables as a workbook that is the same, byte by byte, for the same tables: it names no time of writing."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx_bytes(*sheets))) as written,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as steady,
    ):
        for name in sorted(written.namelist()):
            content = written.read(name)
            if name == "docProps/core.xml":
                content = _WRITTEN_AT.sub(rb"\g<1>2000-01-01T00:00:00Z\g<2>", content)
            steady.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _add_sheet(book: Any, content: Sheet) -> None:
    from openpyxl.utils import get_column_letter

    # openpyxl's type information lacks half of what a write-only sheet can do.
    sheet: Any = book.create_sheet(_sheet_name(content.title))
    table = [[_plain(value) for value in row] for row in content.rows]
    for place, width in enumerate(_widths([content.header, *table]), start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.freeze_panes = "A2"
    sheet.append([_xlsx_cell(sheet, one, bold=True) for one in content.header])
    for row in table:
        sheet.append([_xlsx_cell(sheet, value) for value in row])
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(content.header))}{len(table) + 1}"


def _csv_cell(value: CellValue) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return without_formula(one_line(value)) if isinstance(value, str) else str(value)


def _plain(value: CellValue) -> CellValue:
    """Return a value as a sheet can hold it: text without control characters, clocks without a zone, whole seconds."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, datetime | time):
        return value.replace(tzinfo=None, microsecond=0)
    return value


def _widths(table: Sequence[Sequence[CellValue]]) -> list[int]:
    widths = [0] * max(len(row) for row in table)
    for row in table:
        for place, value in enumerate(row):
            widths[place] = max(widths[place], len(_csv_cell(value)))
    return [min(_MAX_WIDTH, width + 2) for width in widths]


def _xlsx_cell(sheet: Any, value: Any, *, bold: bool = False) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        # A text that starts with = would become a formula.
        cell.data_type = "s"
        # And stays a text where somebody edits the cell, or copies it to another sheet.
        cell.quotePrefix = without_formula(value) != value
    elif isinstance(value, datetime):
        cell.number_format = "yyyy-mm-dd hh:mm:ss"
    elif isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"
    elif isinstance(value, time):
        cell.number_format = "hh:mm:ss"
    if bold:
        cell.font = Font(bold=True)
    return cell


def _sheet_name(title: str) -> str:
    cleaned = "".join("-" if letter in r"[]:*?/\'" else letter for letter in one_line(title))
    return cleaned[:_SHEET_NAME_LENGTH].strip() or "smartabsen"

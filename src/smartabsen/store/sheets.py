"""Tables from spreadsheets: CSV as Excel writes it in Indonesia and elsewhere, and XLSX.

A CSV from an Indonesian Excel is separated by semicolons and comes in the Windows code page, in UTF-8 with a byte order
mark or in UTF-16, whatever was chosen when saving. All of these are told apart here.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

from ..domain import TableFormat
from ..errors import InvalidInputError, NotFoundError
from ..i18n import N_
from ..reading import read_bytes
from .texts import folded
from .zips import ZipLimits, check_end

MAX_BYTES: Final = 32 * 2**20
_MAX_UNPACKED_BYTES: Final = 512 * 2**20
MAX_ROWS: Final = 100_000
_MOST_ROWS: Final = 2**20
"""Of a sheet, in Excel and in LibreOffice."""
_ROW: Final = re.compile(rb"<(?:\w{1,20}:)?row[\s/>]")
_BOOK_LIMITS: Final = ZipLimits(members=5_000, unpacked_bytes=_MAX_UNPACKED_BYTES, packed_times=10_000)
_SEPARATORS: Final = (";", ",", "\t")
_ZIP, _OLE = b"PK", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is looked for.

    Attributes:
        name: By which the rows give it.
        titles: What it may be called in the file, beside ``name``; case, accents and blanks do not matter.
        required: Whether the file must have it.
        fallbacks: What else is taken for it in a file that has none of these titles.
    """

    name: str
    titles: tuple[str, ...] = ()
    required: bool = False
    fallbacks: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """Everything that it may be called."""
        return (self.name, *self.titles, *self.fallbacks)


PEOPLE_COLUMNS: Final = (
    Column(
        "code",
        ("kode", "kode karyawan", "employee code"),
        required=True,
        # The numbers by which offices and schools know their people; NIK can also be the one of the identity card.
        fallbacks=("nik", "nip", "nis", "no induk", "nomor induk", "no karyawan", "nomor karyawan"),
    ),
    Column("name", ("nama", "nama karyawan", "nama lengkap", "full name"), required=True),
    Column("position", ("jabatan", "posisi", "title", "job title")),
    Column("photos", ("foto", "photo", "gambar")),
    Column("consent", ("persetujuan", "setuju")),
)
"""The columns of a file of people, in English and Indonesian."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row that is not empty.

    Attributes:
        line: Where it begins in the file: the line of a CSV, the row of a sheet; the first is 1.
        values: Its cells by the names of the columns that were looked for; empty where the file lacks the column.
        cells: All its cells, as in the file.
    """

    line: int
    values: Mapping[str, str]
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the titles as written, and the rows below.

    Attributes:
        unused: Titles of columns that were not looked for.
        format: How it was written.
    """

    header: tuple[str, ...]
    rows: tuple[TableRow, ...]
    unused: tuple[str, ...] = ()
    format: TableFormat = field(default_factory=TableFormat)


def read_table(path: Path, columns: Sequence[Column] = PEOPLE_COLUMNS) -> Table:
    """Read the first table of a CSV or XLSX file; what it is, is told from its content.

    Cells become text without surrounding blanks: 1001 stays ``1001`` although Excel keeps numbers, dates become
    ``2026-11-30``, a formula gives the value that was computed last. Empty rows are passed over.

    Raises:
        NotFoundError: There is no such file.
        InvalidInputError: It is no CSV or XLSX, is empty or too large, or lacks or repeats a column.
    """
    content = _read(path)
    if content.startswith(_OLE):
        raise InvalidInputError(
            N_("{path} is an old Excel file (.xls), or one with a password."),
            hint=N_("Save it in Excel as .xlsx without a password, or as CSV."),
            path=path,
        )
    is_sheet = content.startswith(_ZIP)
    if not is_sheet and path.suffix.lower() not in (".csv", ".txt", ".tsv"):
        raise _unsuitable(path)
    if is_sheet:
        records, form = _sheet_records(path, content), TableFormat()
    else:
        records, form = _csv_records(path, content, columns)
    found = [(line, tuple(cell.strip() for cell in cells)) for line, cells in records]
    filled = [(line, cells) for line, cells in found if any(cells)]
    if not filled:
        raise InvalidInputError(N_("{path} is empty."), path=path)
    header = filled[0][1]
    places = _places(path, header, columns)
    rows = tuple(
        TableRow(line, {name: _cell(cells, place) for name, place in places.items()}, cells)
        for line, cells in filled[1:]
    )
    used = set(places.values())
    unused = tuple(title for place, title in enumerate(header) if title and place not in used)
    return Table(header, rows, unused, replace(form, header=header))


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInputError(N_("{path} is larger than {limit} MB."), path=path, limit=MAX_BYTES // 2**20)
        content = read_bytes(path)
    except FileNotFoundError as exc:
        raise NotFoundError(N_("There is no file {path}."), path=path) from exc
    except OSError as exc:
        raise InvalidInputError(N_("{path} cannot be read: {problem}"), path=path, problem=exc.strerror) from exc
    if not content:
        raise InvalidInputError(N_("{path} is empty."), path=path)
    return content


def _places(path: Path, header: Sequence[str], columns: Sequence[Column]) -> dict[str, int | None]:
    places: dict[str, int | None] = {}
    for column in columns:
        found = _find(header, (column.name, *column.titles)) or _find(header, column.fallbacks)
        if len(found) > 1:
            raise InvalidInputError(
                N_("{path} has the column “{column}” more than once: {titles}."),
                path=path,
                column=column.name,
                titles=", ".join(header[place] for place in found),
            )
        if not found and column.required:
            raise InvalidInputError(
                N_("{path} has no column “{column}”. Its columns: {titles}."),
                hint=N_("The first row must have the titles. Known for this column: {known}."),
                path=path,
                column=column.name,
                titles=", ".join(title for title in header if title),
                known=", ".join(column.known),
            )
        places[column.name] = found[0] if found else None
    return places


def _find(header: Sequence[str], titles: Sequence[str]) -> list[int]:
    wanted = {_title(title) for title in titles}
    return [place for place, title in enumerate(header) if _title(title) in wanted]


def _title(text: str) -> str:
    return "".join(letter for letter in folded(text) if letter.isalnum())


def _cell(cells: Sequence[str], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""


# --- CSV ---------------------------------------------------------------------------------------------------


def _csv_records(
    path: Path, content: bytes, columns: Sequence[Column]
) -> tuple[Iterator[tuple[int, list[str]]], TableFormat]:
    text, encoding = _decode(path, content)
    first_line, _, rest = text.partition("\n")
    skipped = 0
    if first_line.strip().lower() in {f"sep={separator}" for separator in _SEPARATORS}:
        # Excel's own way to name the separator.
        separator, text, skipped = first_line.strip()[4:] or "\t", rest, 1
    else:
        separator = max(_SEPARATORS, key=lambda one: _known_titles(text, one, columns))
    form = TableFormat(separator=separator, encoding=encoding)
    return _csv_rows(path, text, separator=separator, skipped=skipped), form


def _csv_rows(path: Path, text: str, *, separator: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line + skipped, cells
            line = reader.line_num + 1
            if line > MAX_ROWS:
                raise _too_long(path)
    except csv.Error as exc:
        raise InvalidInputError(
            N_("{path} cannot be read as CSV at line {line}: {problem}"), path=path, line=line + skipped, problem=exc
        ) from exc


def _decode(path: Path, content: bytes) -> tuple[str, str]:
    """Return the text, and the encoding that it was written in."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in content:
        raise _unsuitable(path)
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, encoding
    raise _unsuitable(path)


def _known_titles(text: str, separator: str, columns: Sequence[Column]) -> int:
    known = {_title(title) for column in columns for title in column.known}
    header = next((line for line in text.splitlines() if line.strip(f" {''.join(_SEPARATORS)}")), "")
    return sum(_title(title) in known for title in header.split(separator)) * 1000 + header.count(separator)


# --- XLSX --------------------------------------------------------------------------------------------------


def _sheet_records(path: Path, content: bytes) -> Iterator[tuple[int, list[str]]]:
    import openpyxl

    try:
        check_end(io.BytesIO(content), _BOOK_LIMITS)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MAX_UNPACKED_BYTES:
                raise _too_long(path)
            if any(_has_too_many_rows(archive, name) for name in archive.namelist()):
                raise _too_long(path)
        with warnings.catch_warnings():
            # openpyxl warns of styles and rules that it does not keep; we only read values.
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            try:
                sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
                if not sheets:
                    raise InvalidInputError(N_("{path} is empty."), path=path)
                # The size that a file says it has can be wrong.
                sheets[0].reset_dimensions()
                for line, row in enumerate(sheets[0].iter_rows(), start=1):
                    if line > MAX_ROWS:
                        raise _too_long(path)
                    yield line, [_text(cell) for cell in row]
            finally:
                book.close()
    except InvalidInputError:
        raise
    except Exception as exc:
        # Of a damaged file, zipfile, zlib, the XML parser and openpyxl raise anything.
        raise _unsuitable(path) from exc


def _has_too_many_rows(archive: zipfile.ZipFile, name: str) -> bool:
    """Tell whether a file of a book has more rows than any sheet can: a parser would take seconds to find that out."""
    if not name.lower().endswith(".xml"):
        return False
    rows, end = 0, b""
    with archive.open(name) as file:
        while (piece := file.read(2**20)) and rows <= _MOST_ROWS:
            text = end + piece
            # What may be the beginning of a tag is looked at together with the next piece.
            cut = max(text.rfind(b"<"), len(text) - 100)
            rows += sum(1 for _ in _ROW.finditer(text, 0, cut))
            end = text[cut:]
    return rows > _MOST_ROWS


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    shown = str(value)
    picture = str(cell.number_format)
    if isinstance(value, int) and picture and not picture.strip("0"):
        # A number that Excel shows with leading zeros, as codes are: 7 in the format 0000 is read by people as 0007.
        return shown.zfill(len(picture))
    return shown


def _unsuitable(path: Path) -> InvalidInputError:
    return InvalidInputError(
        N_("{path} is no CSV and no XLSX file, or is damaged."),
        hint=N_("Save it in your spreadsheet program as “CSV UTF-8” or as Excel workbook (.xlsx)."),
        path=path,
    )


def _too_long(path: Path) -> InvalidInputError:
    return InvalidInputError(
        N_("{path} has more than {limit} rows."), hint=N_("Split it into several files."), path=path, limit=MAX_ROWS
    )

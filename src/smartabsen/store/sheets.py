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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeAlias
from xml.etree.ElementTree import iterparse

from ..kernel.domain import TableFormat, TableQuestion, TableReading
from ..kernel.errors import InvalidInputError, NotFoundError
from ..kernel.i18n import N_
from ..kernel.reading import read_bytes
from ..kernel.texts import folded
from .cells import EMPTY, CellFault, CellKind, SheetCell, read_cell
from .zips import ZipLimits, check_end

MAX_BYTES: Final = 32 * 2**20
_MAX_UNPACKED_BYTES: Final = 512 * 2**20
MAX_ROWS: Final = 100_000
_ROW: Final = re.compile(rb"<(?:\w{1,20}:)?row[\s/>]")
_BOOK_LIMITS: Final = ZipLimits(members=5_000, unpacked_bytes=_MAX_UNPACKED_BYTES, packed_times=10_000)
_SEPARATORS: Final = (";", ",", "\t")
_ZIP, _OLE = b"PK", b"\xd0\xcf\x11\xe0"


_HEADER_ROWS: Final = 40
"""Rows in which titles are looked for: above them stand at most a heading, an address and a date."""
_LAST_LINE: Final = 1_048_576
"""Of a sheet."""
_TEXTS: Final = frozenset({CellKind.TEXT, CellKind.NUMBER})

Ask: TypeAlias = Callable[[TableQuestion], int]
"""Asks a person, and returns the place of the choice."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is looked for.

    Attributes:
        name: By which the rows give it.
        titles: What it may be called in the file, beside ``name``; case, accents and blanks do not matter.
        required: Whether the file must have it.
        fallbacks: What else is taken for it in a file that has none of these titles.
        takes: Kinds of cells that it may have; a date in a column of texts is a fault.
    """

    name: str
    titles: tuple[str, ...] = ()
    required: bool = False
    fallbacks: tuple[str, ...] = ()
    takes: frozenset[CellKind] = _TEXTS

    @property
    def known(self) -> tuple[str, ...]:
        """Everything that it may be called."""
        return (self.name, *self.titles, *self.fallbacks)


PEOPLE_COLUMNS: Final = (
    Column(
        "code",
        (
            *("kode", "kode karyawan", "kode pegawai", "kode staf", "id karyawan", "id pegawai", "id staf"),
            *("employee code", "employee id", "employee no", "employee number", "staff id", "staff code", "staff no"),
        ),
        required=True,
        # The numbers by which offices and schools know their people; NIK can also be the one of the identity card.
        fallbacks=(
            *("nik", "nip", "nis", "npk", "nik karyawan", "no induk", "nomor induk", "no induk karyawan"),
            *("nomor induk karyawan", "no induk pegawai", "nomor induk pegawai", "no karyawan", "nomor karyawan"),
            *("no pegawai", "nomor pegawai", "id", "badge", "badge no", "badge number", "personnel number"),
        ),
    ),
    Column(
        "name",
        (
            *("nama", "nama karyawan", "nama pegawai", "nama staf", "nama lengkap", "nama lengkap karyawan"),
            *("nama lengkap pegawai", "nama guru", "nama siswa", "full name", "employee name", "staff name"),
        ),
        required=True,
    ),
    Column("position", ("jabatan", "posisi", "title", "job title", "job position", "role")),
    Column("photos", ("foto", "photo", "gambar", "pas foto", "file foto", "nama file foto", "photo file")),
    Column(
        "consent",
        (
            *("persetujuan", "setuju", "tanggal persetujuan", "tgl persetujuan", "tanggal setuju", "tgl setuju"),
            *("consent date", "date of consent"),
        ),
        takes=frozenset(CellKind),
    ),
)
"""The columns of a file of people, in English and Indonesian."""


@dataclass(frozen=True, slots=True)
class TableChoice:
    """What somebody says of a table, instead of what is found in it.

    Attributes:
        sheet: Name of the sheet of a workbook; empty to look for it.
        titles: The title that a column has, by its name; an empty one says that no column is to be taken for it.
    """

    sheet: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)


NO_CHOICE: Final = TableChoice()


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row that is not empty.

    Attributes:
        line: Where it begins in the file: the line of a CSV, the row of a sheet; the first is 1.
        values: Its cells by the names of the columns that were looked for; empty where the file lacks the column.
        cells: All its cells, as in the file.
        faults: Why cells of these columns cannot be taken, by the name of the column.
    """

    line: int
    values: Mapping[str, str]
    cells: tuple[str, ...]
    faults: Mapping[str, CellFault] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the titles as written, and the rows below.

    Attributes:
        format: How it was written.
        reading: What was taken for what.
    """

    header: tuple[str, ...]
    rows: tuple[TableRow, ...]
    format: TableFormat = field(default_factory=TableFormat)
    reading: TableReading = field(default_factory=TableReading)


_Line: TypeAlias = tuple[int, tuple[SheetCell, ...]]


@dataclass(frozen=True, slots=True)
class _Page:
    """A sheet, or a CSV: its name (empty for a CSV), its lines as often as they are wanted, and its hidden lines."""

    name: str
    lines: Callable[[], Iterator[_Line]]
    hidden: Callable[[], frozenset[int]] = frozenset


def read_table(
    path: Path, columns: Sequence[Column] = PEOPLE_COLUMNS, *, choice: TableChoice = NO_CHOICE, ask: Ask | None = None
) -> Table:
    """Read the table of a CSV or XLSX file; what it is, is told from its content.

    Titles are looked for in the first rows of each visible sheet. Cells become text without surrounding blanks, as a
    person sees them: 1001 stays ``1001`` although Excel keeps numbers, and 7 in the format ``"E"000`` is ``E007``;
    dates become ``2026-11-30``, a formula gives the value that was computed last. What cannot be told for certain is a
    fault of its row. Empty rows are passed over; hidden ones are not.

    Args:
        choice: What is known of the table beforehand.
        ask: Asks a person where several sheets or columns could be meant, or none; None raises then.

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
    if content.startswith(_ZIP):
        with _workbook(path, content) as pages:
            return _table(path, _chosen_page(path, pages, columns, choice, ask), TableFormat(), columns, choice, ask)
    if path.suffix.lower() not in (".csv", ".txt", ".tsv"):
        raise _unsuitable(path)
    if choice.sheet:
        raise InvalidInputError(N_("{path} is a CSV and has no sheets: leave --sheet out."), path=path)
    page, form = _csv_page(path, content, columns, choice)
    return _table(path, page, form, columns, choice, ask)


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


def _table(
    path: Path, page: _Page, form: TableFormat, columns: Sequence[Column], choice: TableChoice, ask: Ask | None
) -> Table:
    filled = list(_filled(page))
    if not filled:
        raise InvalidInputError(N_("{path} is empty."), path=path)
    top = _header_place(filled[:_HEADER_ROWS], columns, choice)
    header_line = filled[top][0]
    header = tuple(cell.text for cell in filled[top][1])
    places = _places(path, header, columns, choice, ask)
    rows = tuple(_row(line, cells, columns, places) for line, cells in filled[top + 1 :])
    used = set(places.values())
    hidden = page.hidden()
    reading = TableReading(
        sheet=page.name,
        header_line=header_line,
        columns=tuple((name, header[place]) for name, place in places.items() if place is not None),
        unused=tuple(title for place, title in enumerate(header) if title and place not in used),
        hidden_lines=tuple(row.line for row in rows if row.line in hidden),
    )
    return Table(header, rows, replace(form, header=header), reading)


def _filled(page: _Page) -> Iterator[_Line]:
    for line, cells in page.lines():
        if any(cell.text or cell.fault for cell in cells):
            yield line, cells


def _row(
    line: int, cells: Sequence[SheetCell], columns: Sequence[Column], places: Mapping[str, int | None]
) -> TableRow:
    values, faults = {}, {}
    for column in columns:
        place = places[column.name]
        cell = cells[place] if place is not None and place < len(cells) else EMPTY
        values[column.name] = cell.text
        # That a cell is a date is no fault where dates are taken.
        is_welcome = cell.kind not in _TEXTS and cell.kind in column.takes
        if cell.fault is not None and not is_welcome:
            faults[column.name] = cell.fault
    return TableRow(line, values, tuple(cell.text for cell in cells), faults)


def _header_place(lines: Sequence[_Line], columns: Sequence[Column], choice: TableChoice) -> int:
    """Return which of the first lines has the titles: the first with all required ones, else the one with most."""
    scores = [_score([cell.text for cell in cells], columns, choice) for _, cells in lines]
    for place, (complete, _) in enumerate(scores):
        if complete:
            return place
    most = max(known for _, known in scores)
    if most:
        return next(place for place, (_, known) in enumerate(scores) if known == most)
    # A heading stands alone in its row.
    several = (place for place, (_, cells) in enumerate(lines) if sum(bool(cell.text) for cell in cells) > 1)
    return next(several, 0)


def _score(titles: Sequence[str], columns: Sequence[Column], choice: TableChoice) -> tuple[bool, int]:
    found = {column.name: bool(_candidates(titles, column, choice)) for column in columns}
    return all(found[column.name] for column in columns if column.required), sum(found.values())


def _candidates(header: Sequence[str], column: Column, choice: TableChoice) -> list[int]:
    chosen = choice.titles.get(column.name)
    if chosen is not None:
        return _find(header, (chosen,)) if chosen else []
    others = {_title(title) for name, title in choice.titles.items() if name != column.name}
    own = _find(header, (column.name, *column.titles)) or _find(header, column.fallbacks)
    return [place for place in own if _title(header[place]) not in others]


def _places(
    path: Path, header: Sequence[str], columns: Sequence[Column], choice: TableChoice, ask: Ask | None
) -> dict[str, int | None]:
    places: dict[str, int | None] = {}
    for column in columns:
        found = _candidates(header, column, choice)
        if len(found) == 1:
            places[column.name] = found[0]
        elif found or column.required or choice.titles.get(column.name):
            places[column.name] = _asked_place(path, header, column, found, choice, ask)
        else:
            places[column.name] = None
    return places


def _asked_place(
    path: Path, header: Sequence[str], column: Column, found: Sequence[int], choice: TableChoice, ask: Ask | None
) -> int:
    """Ask which of several columns is meant, or which at all; raise where nobody can be asked."""
    is_given = column.name in choice.titles
    possible = list(found) or [place for place, title in enumerate(header) if title]
    if ask is not None and not is_given and possible:
        return possible[ask(TableQuestion("column", column.name, tuple(header[place] for place in possible)))]
    titles = ", ".join(header[place] for place in possible)
    if is_given:
        raise InvalidInputError(
            N_("{path} does not have the one column “{title}” that is to be the {column}. Its columns: {titles}."),
            path=path,
            title=choice.titles[column.name],
            column=column.name,
            titles=", ".join(title for title in header if title),
        )
    if found:
        raise InvalidInputError(
            N_("{path} has the column “{column}” more than once: {titles}."),
            hint=N_("Say which is meant: --columns {column}=TITLE"),
            path=path,
            column=column.name,
            titles=titles,
        )
    raise InvalidInputError(
        N_("{path} has no column “{column}”. Its columns: {titles}."),
        hint=N_("Known for this column: {known}. Another title is named with --columns {column}=TITLE."),
        path=path,
        column=column.name,
        titles=titles,
        known=", ".join(column.known),
    )


def _find(header: Sequence[str], titles: Sequence[str]) -> list[int]:
    wanted = {_title(title) for title in titles}
    return [place for place, title in enumerate(header) if _title(title) in wanted]


def _title(text: str) -> str:
    return "".join(letter for letter in folded(text) if letter.isalnum())


# --- CSV ---------------------------------------------------------------------------------------------------


def _csv_page(path: Path, content: bytes, columns: Sequence[Column], choice: TableChoice) -> tuple[_Page, TableFormat]:
    text, encoding = _decode(path, content)
    first_line, _, rest = text.partition("\n")
    skipped = 0
    if first_line.strip().lower() in {f"sep={separator}" for separator in _SEPARATORS}:
        # Excel's own way to name the separator.
        separator, text, skipped = first_line.strip()[4:] or "\t", rest, 1
    else:
        separator = max(_SEPARATORS, key=lambda one: _known_titles(text, one, columns, choice))
    form = TableFormat(separator=separator, encoding=encoding)
    return _Page("", lambda: _csv_rows(path, text, separator=separator, skipped=skipped)), form


def _csv_rows(path: Path, text: str, *, separator: str, skipped: int) -> Iterator[_Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line + skipped, tuple(SheetCell(cell.strip()) for cell in cells)
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


def _known_titles(text: str, separator: str, columns: Sequence[Column], choice: TableChoice) -> int:
    """Return how well a separator fits: by the known titles of the best of the first lines, then by its cuts."""
    known = {_title(title) for column in columns for title in (*column.known, choice.titles.get(column.name, ""))}
    known.discard("")
    lines = (line for line in text.splitlines() if line.strip(f" {''.join(_SEPARATORS)}"))
    return max(
        (
            sum(_title(title) in known for title in line.split(separator)) * 1000 + line.count(separator)
            for line in islice(lines, _HEADER_ROWS)
        ),
        default=0,
    )


# --- XLSX --------------------------------------------------------------------------------------------------


_Marks: TypeAlias = tuple[frozenset[int], frozenset[tuple[int, int]]]


@contextmanager
def _workbook(path: Path, content: bytes) -> Iterator[list[tuple[_Page, bool]]]:
    """Open a workbook and give its sheets, with whether each can be seen, for a ``with`` block."""
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
                yield [(_sheet_page(path, sheet), sheet.sheet_state == "visible") for sheet in book.worksheets]
            finally:
                book.close()
    except (InvalidInputError, KeyboardInterrupt):
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
        while (piece := file.read(2**20)) and rows <= _LAST_LINE:
            text = end + piece
            # What may be the beginning of a tag is looked at together with the next piece.
            cut = max(text.rfind(b"<"), len(text) - 100)
            rows += sum(1 for _ in _ROW.finditer(text, 0, cut))
            end = text[cut:]
    return rows > _LAST_LINE


def _chosen_page(
    path: Path,
    pages: Sequence[tuple[_Page, bool]],
    columns: Sequence[Column],
    choice: TableChoice,
    ask: Ask | None,
) -> _Page:
    """Return the sheet that was named, or else the only one with the titles that must be there."""
    if choice.sheet:
        wanted = folded(choice.sheet)
        for page, _ in pages:
            if folded(page.name) == wanted:
                return page
        raise InvalidInputError(
            N_("{path} has no sheet “{sheet}”. Its sheets: {sheets}."),
            path=path,
            sheet=choice.sheet,
            sheets=", ".join(page.name for page, _ in pages),
        )
    tops = [(page, list(islice(_filled(page), _HEADER_ROWS + 1))) for page, is_visible in pages if is_visible]
    tops = [(page, lines) for page, lines in tops if lines]
    if not tops:
        raise InvalidInputError(N_("{path} is empty."), path=path)
    scores = {page.name: _best_score(lines[:_HEADER_ROWS], columns, choice) for page, lines in tops}
    complete = [page for page, lines in tops if scores[page.name][0] and len(lines) > 1]
    if len(complete) < 2:
        # max takes the first of equals.
        return complete[0] if complete else max((page for page, _ in tops), key=lambda page: scores[page.name])
    names = tuple(page.name for page in complete)
    if ask is not None:
        return complete[ask(TableQuestion("sheet", "", names))]
    raise InvalidInputError(
        N_("{path} has people on several sheets: {sheets}."),
        hint=N_("Say which is meant: --sheet NAME"),
        path=path,
        sheets=", ".join(names),
    )


def _best_score(lines: Sequence[_Line], columns: Sequence[Column], choice: TableChoice) -> tuple[bool, int]:
    return max(_score([cell.text for cell in cells], columns, choice) for _, cells in lines)


def _sheet_page(path: Path, sheet: Any) -> _Page:
    marks = cache(lambda: _sheet_marks(sheet))
    return _Page(sheet.title, lambda: _sheet_lines(path, sheet, marks), lambda: marks()[0])


def _sheet_lines(path: Path, sheet: Any, marks: Callable[[], _Marks]) -> Iterator[_Line]:
    # The size that a file says it has can be wrong.
    sheet.reset_dimensions()
    uncomputed = marks()[1]
    filled = 0
    for line, row in enumerate(sheet.iter_rows(), start=1):
        cells = tuple(_sheet_cell(cell, (line, place) in uncomputed) for place, cell in enumerate(row, start=1))
        filled += any(cell.text for cell in cells)
        if filled > MAX_ROWS or line > _LAST_LINE:
            raise _too_long(path)
        yield line, cells


def _sheet_cell(cell: Any, uncomputed: bool) -> SheetCell:
    is_error = cell.value is not None and cell.data_type == "e"
    found = read_cell(cell.value, str(cell.number_format), is_error=is_error, uncomputed=uncomputed)
    return replace(found, text=found.text.strip()) if found.text != found.text.strip() else found


def _sheet_marks(sheet: Any) -> _Marks:
    """Return the hidden lines, and the places (line, column) of formulas without a value: openpyxl gives neither."""
    hidden: set[int] = set()
    uncomputed: set[tuple[int, int]] = set()
    line = column = 0
    with sheet._get_source() as source:
        for event, element in iterparse(source, events=("start", "end")):  # noqa: S314 - as openpyxl does; expat bounds entities
            tag = element.tag.rpartition("}")[2]
            if event == "start" and tag == "row":
                line, column = int(element.get("r", line + 1)), 0
                if element.get("hidden") in ("1", "true"):
                    hidden.add(line)
            elif event == "end" and tag == "c":
                column = _column_number(element.get("r", "")) or column + 1
                if _is_uncomputed(element):
                    uncomputed.add((line, column))
            elif event == "end" and tag == "row":
                element.clear()
    return frozenset(hidden), frozenset(uncomputed)


def _is_uncomputed(cell: Any) -> bool:
    parts = {child.tag.rpartition("}")[2]: child.text for child in cell}
    # The result of a formula can be an empty text, and is then marked as a text.
    return "f" in parts and not parts.get("v") and cell.get("t", "n") != "str"


def _column_number(coordinate: str) -> int:
    number = 0
    for letter in coordinate:
        if not letter.isalpha():
            break
        number = number * 26 + ord(letter.upper()) - ord("A") + 1
    return number


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

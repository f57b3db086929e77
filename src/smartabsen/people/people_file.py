"""The plan of an import: each row of the file checked, its photos found, before anything is written."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, tzinfo
from pathlib import Path
from typing import Final

from ..kernel.dates import read_date
from ..kernel.domain import Employee, ImportRow, ImportVerdict, PhotoVerdict
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import N_, Message
from ..kernel.texts import one_line
from ..store.cells import MAX_DIGITS, CellFault
from ..store.photo_files import PHOTO_SUFFIXES, find_photos
from ..store.sheets import Table, TableRow
from ..store.tables import CODE_LENGTH, NAME_LENGTH
from .employee_rows import check_code, checked_person, code_key

PHOTO_SEPARATOR: Final = "|"
_YES: Final = frozenset({"yes", "y", "ya", "setuju", "true", "benar", "1", "x", "v", "✓", "✔"})
_NO: Final = frozenset({"no", "n", "tidak", "tidak setuju", "belum", "false", "salah", "0", "-"})
_FURTHER: Final = re.compile(r"(?:\s*[ _-]\s*\d{1,3}|\s*\(\d{1,3}\))$")
"""What stands behind a code in the name of a further photo."""
_DIGITS: Final = re.compile(r"(\d+)")
_SYSTEM_FILES: Final = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
_TABLES: Final = frozenset({".csv", ".xlsx", ".xls", ".txt", ".tsv"})
_TOTALS: Final = frozenset(
    f"{word}{whom}"
    for word in ("total", "grandtotal", "subtotal", "jumlah", "jumlahtotal", "sum")
    for whom in ("", "karyawan", "pegawai", "orang", "employees")
)
_SCIENTIFIC: Final = re.compile(r"\d+(?:[.,]\d+)?e\+?\d+", re.IGNORECASE)
_LONG_ROUND: Final = re.compile(r"\d{15,}0")


@dataclass(frozen=True, slots=True)
class Person:
    """Who is to be enrolled, as given.

    Attributes:
        consent_at: When the person agreed to face recognition, aware; None where nothing was said of that.
    """

    code: str
    name: str
    position: str = ""
    consent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One row of the file.

    Attributes:
        line: Where it stands in the file.
        person: Who, as read.
        named_photos: The cell that names photos, as read.
        cells: All its cells, as in the file.
        photos: Files to examine.
        exists: Whether an employee has the code.
        has_face: That employee has a template.
        completes: That employee has this name and no template, and the row has photos.
        reason: Why it will not be imported (a stable code), empty when it will.
        detail: The same in English, a message id with ``params``.
    """

    line: int
    person: Person
    named_photos: str = ""
    photos: tuple[str, ...] = ()
    exists: bool = False
    has_face: bool = False
    reason: str = ""
    detail: str = ""
    params: tuple[tuple[str, str], ...] = ()
    cells: tuple[str, ...] = ()
    completes: bool = False

    def answer(
        self,
        verdict: ImportVerdict,
        *,
        reason: str | None = None,
        detail: str | None = None,
        params: tuple[tuple[str, str], ...] | None = None,
        photos: tuple[PhotoVerdict, ...] = (),
    ) -> ImportRow:
        """Return the row of the report."""
        return ImportRow(
            line=self.line,
            code=self.person.code,
            name=self.person.name,
            position=self.person.position,
            verdict=verdict,
            reason=self.reason if reason is None else reason,
            detail=self.detail if detail is None else detail,
            params=self.params if params is None else params,
            photos=photos,
            named_photos=self.named_photos,
            cells=self.cells,
        )


class PhotoFolder:
    """Photos by code, whatever the case of the letters: ``DIR/<code>/*``, ``DIR/<code>.jpg`` and its further ones.

    Further ones are named as people and their programs name them: ``<code>_1.jpg``, ``<code>-2.jpg``,
    ``<code> (3).jpg``, unless that is the code of somebody else.
    The directory is listed once; a code is looked up in the list, so that no code reaches another directory.

    Args:
        directory: Where the photos lie.
        codes: All codes that somebody has: of the file, and of those who are enrolled.
    """

    def __init__(self, directory: Path, codes: Iterable[str] = ()) -> None:
        self.directory = directory
        self._claimed: set[str] = set()
        self._by_code: dict[str, list[Path]] = {}
        known = {code_key(code) for code in codes}
        for path in sorted(directory.iterdir(), key=_natural) if directory.is_dir() else ():
            if path.is_dir():
                self._by_code.setdefault(code_key(path.name), []).append(path)
            elif path.suffix.lower() in PHOTO_SUFFIXES:
                self._by_code.setdefault(_owner(path.stem, known), []).append(path)

    def find(self, code: str) -> list[str]:
        """Return the photos of a code, none included."""
        return self._claim(find_photos(self._by_code.get(code_key(code), [])))

    def resolve(self, named: str) -> tuple[list[str], list[str]]:
        """Return the photos that a cell names, and the names behind which there is no file."""
        found: list[str] = []
        missing: list[str] = []
        for name in filter(None, (part.strip() for part in named.split(PHOTO_SEPARATOR))):
            # Spreadsheets are written on Windows.
            path = next(
                (p for p in (self.directory / name, self.directory / name.replace("\\", "/")) if _exists(p)), None
            )
            if path is None:
                missing.append(name)
            else:
                found += find_photos([path])
        return self._claim(found), missing

    def unclaimed(self, *, below: bool) -> tuple[str, ...]:
        """Return the files that nobody asked for so far, sorted, as paths below the directory.

        Args:
            below: All files, in the folders below as well; otherwise only the pictures that lie in the directory.
        """
        files = self.directory.rglob("*") if below else self.directory.iterdir()
        left = (
            path.relative_to(self.directory)
            for path in files
            if str(path) not in self._claimed
            and _is_candidate(path)
            and (below or _is_picture(path))
            and path.is_file()
        )
        return tuple(str(path) for path in sorted(left, key=_natural))

    def _claim(self, photos: list[str]) -> list[str]:
        self._claimed.update(photos)
        return photos


def _owner(stem: str, known: Collection[str]) -> str:
    """Return the key of the code that a file belongs to by its name: the longest that somebody has, else its own."""
    own = key = code_key(stem)
    while key not in known:
        shorter = _FURTHER.sub("", key)
        if shorter == key or not shorter:
            return own
        key = shorter
    return key


def _natural(path: Path) -> tuple[object, ...]:
    """Sort ``a_2`` before ``a_10``."""
    parts = _DIGITS.split(str(path).casefold())
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts), str(path)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PHOTO_SUFFIXES


def _is_candidate(path: Path) -> bool:
    """Return whether a file may have been meant for somebody: not what systems leave, and no table."""
    name = path.name.lower()
    return not name.startswith((".", "~$")) and name not in _SYSTEM_FILES and path.suffix.lower() not in _TABLES


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        # A name that no file can have.
        return False


def people_rows(table: Table) -> tuple[list[TableRow], tuple[int, ...]]:
    """Return the rows that are meant to be people, and the lines of those that are not.

    Not people are titles that are repeated, the numbers of the columns below the titles, totals, and what stands
    without a code and a name above the first person, as a second row of titles, or below the last one, as a place for
    a signature.
    """
    rows = list(table.rows)
    kept: list[TableRow] = []
    while rows and _is_nobody(rows[-1]):
        rows.pop()
    for row in rows:
        if not kept and _is_nobody(row):
            continue
        filled = [cell for cell in row.cells if cell]
        is_titles = row.cells == table.header
        numbers_columns = not kept and filled == [str(place) for place in range(1, len(filled) + 1)] and len(filled) > 2
        if not (is_titles or numbers_columns or _is_total(row)):
            kept.append(row)
    used = {row.line for row in kept}
    return kept, tuple(row.line for row in table.rows if row.line not in used)


def _is_nobody(row: TableRow) -> bool:
    return not (row.values["code"] or row.values["name"] or row.faults)


def _is_total(row: TableRow) -> bool:
    code, name = row.values["code"], row.values["name"]
    words = {"".join(letter for letter in cell.casefold() if letter.isalpha()) for cell in row.cells if cell}
    # Somebody may be called Jumlah, but then has a code.
    return bool(words & _TOTALS) and (not code or not name or not any(map(str.isalpha, name)))


def plan_rows(
    table: Table,
    rows: Iterable[TableRow],
    *,
    folder: PhotoFolder,
    existing: Mapping[str, Employee],
    now: datetime,
    zone: tzinfo = UTC,
    all_consent: bool = False,
) -> Iterator[PlannedRow]:
    """Check each row and find its photos: whatever an import refuses is refused here, before anything is written.

    Args:
        rows: Those of the table that are people.
        existing: Employees by the key of their code, with the number of their templates.
        now: The instant of consents without a date, aware; those of a later day are refused.
        zone: Of the site, for consents with a date.
        all_consent: Everybody in the file agreed to face recognition, but those of whom it says that they did not.
    """
    first_line: dict[str, int] = {}
    for row in rows:
        values = row.values
        consent, refusal = _read_consent(values["consent"], now=now, zone=zone, all_consent=all_consent)
        person = Person(values["code"], values["name"], values["position"], consent)
        key = code_key(person.code)
        planned = PlannedRow(row.line, person, values["photos"], cells=row.cells)
        # Also a row that is refused claims the photos of its code: they are nobody else's.
        own = folder.find(person.code) if key and not planned.named_photos else []
        photos, missing = folder.resolve(planned.named_photos)
        problem = (
            _shifted(table, row)
            or _fault(row)
            or _problem(person, first_line.get(key))
            or refusal
            or (_missing(missing, folder) if missing else None)
        )
        if problem is not None:
            yield replace(planned, reason=problem.reason, detail=problem.detail, params=problem.params)
            continue
        first_line[key] = row.line
        found = tuple(photos or own)
        known = existing.get(key)
        has_face = known is not None and known.templates > 0
        completes = known is not None and not has_face and same_name(known.name, person.name) and bool(found)
        yield replace(planned, photos=found, exists=known is not None, has_face=has_face, completes=completes)


def rounded_codes(rows: Iterable[PlannedRow]) -> tuple[str, ...]:
    """Return the codes of 16 digits and more where all of them end in 0, as a spreadsheet leaves what it rounded."""
    codes = (row.person.code for row in rows if not row.reason)
    long = [code for code in codes if len(code) > MAX_DIGITS and code.isdecimal()]
    return tuple(long) if len(long) > 1 and all(map(_LONG_ROUND.fullmatch, long)) else ()


def same_name(one: str, other: str) -> bool:
    """Tell whether two names are the same but for case and blanks."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _read_consent(
    cell: str, *, now: datetime, zone: tzinfo, all_consent: bool
) -> tuple[datetime | None, CellFault | None]:
    """Return when somebody agreed (None where nobody says so), or why the cell cannot be taken."""
    word = cell.casefold()
    if not word:
        return (now if all_consent else None), None
    if word in _YES:
        return now, None
    if word in _NO:
        return None, None
    try:
        day = read_date(cell, with_clock=True)
    except InvalidInputError as exc:
        if any(map(str.isdigit, cell)):
            return None, CellFault("unknown_consent", exc.message_id, exc.text_params)
        detail = N_("The cell “{cell}” does not say whether the person agreed: write yes, no or a date.")
        return None, CellFault("unknown_consent", detail, (("cell", cell),))
    if day > now.astimezone(zone).date():
        detail = N_("The consent is dated {day}, a day that has not come yet.")
        return None, CellFault("consent_in_future", detail, (("day", day.isoformat()),))
    return datetime.combine(day, time(0), zone), None


def _shifted(table: Table, row: TableRow) -> CellFault | None:
    # Degrees behind a comma shift everything: nobody may be enrolled under half a name. In a sheet nothing is shifted.
    if not table.format.separator or not any(row.cells[len(table.header) :]):
        return None
    detail = N_("The row has more cells than there are columns; put a name with a comma into quotes.")
    return CellFault("too_many_cells", detail)


def _fault(row: TableRow) -> CellFault | None:
    for column, fault in row.faults.items():
        return replace(fault, params=(*fault.params, ("column", column)))
    return None


def _missing(names: Iterable[str], folder: PhotoFolder) -> CellFault:
    detail = N_("Photos that are not in {folder}: {names}")
    return CellFault("photo_missing", detail, (("names", ", ".join(names)), ("folder", str(folder.directory))))


def _problem(person: Person, first_line: int | None) -> CellFault | None:
    if not person.code:
        return CellFault("missing_code", N_("The row has no code."))
    if not person.name:
        return CellFault("missing_name", N_("The row has no name."))
    if _SCIENTIFIC.fullmatch(person.code):
        detail = N_(
            "“{code}” is a long number that a spreadsheet shortened; its digits are lost. Format the column as Text, "
            "type the numbers again and save the file anew."
        )
        return CellFault("long_number", detail, (("code", person.code),))
    for field, text, limit in (
        (N_("code"), person.code, CODE_LENGTH),
        (N_("name"), person.name, NAME_LENGTH),
        (N_("position"), person.position, NAME_LENGTH),
    ):
        if len(one_line(text)) > limit:
            detail = N_("The {field} is longer than {limit} characters.")
            return CellFault("too_long", detail, (("field", Message(field)), ("limit", str(limit))))
    try:
        check_code(one_line(person.code))
    except InvalidInputError as exc:
        return CellFault("bad_code", exc.message_id, exc.text_params)
    try:
        checked_person(person.code, person.name, person.position)
    except InvalidInputError as exc:
        return CellFault("bad_text", exc.message_id, exc.text_params)
    if first_line is not None:
        return CellFault("duplicate_code", N_("Line {line} has the same code."), (("line", str(first_line)),))
    return None

"""The plan of an import: each row of the file checked, its photos found, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path
from typing import Final

from ..domain import Employee, ImportRow, ImportVerdict, PhotoVerdict
from ..errors import InvalidInputError
from ..i18n import N_
from ..store.employees import check_code, code_key
from ..store.sheets import Table
from ..store.tables import CODE_LENGTH, NAME_LENGTH
from ..store.texts import checked_text, one_line
from .photos import PHOTO_SUFFIXES, find_photos

PHOTO_SEPARATOR: Final = "|"
_YES: Final = frozenset({"yes", "y", "ya", "setuju", "true", "1", "x"})
_NO: Final = frozenset({"", "no", "n", "tidak", "false", "0", "-"})


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
        completes: That employee has this name and no template, and the row has photos.
        reason: Why it will not be imported (a stable code), empty when it will.
        detail: The same in English, a message id with ``params``.
    """

    line: int
    person: Person
    named_photos: str = ""
    photos: tuple[str, ...] = ()
    exists: bool = False
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
    """Photos by code: ``DIR/<code>/*`` and ``DIR/<code>.jpg``, whatever the case of the letters.

    The directory is listed once; a code is looked up in the list, so that no code reaches another directory.

    Args:
        directory: Where the photos lie.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._by_code: dict[str, list[Path]] = {}
        for path in sorted(directory.iterdir()) if directory.is_dir() else ():
            if path.is_dir():
                self._by_code.setdefault(code_key(path.name), []).append(path)
            elif path.suffix.lower() in PHOTO_SUFFIXES:
                self._by_code.setdefault(code_key(path.stem), []).append(path)

    def find(self, code: str) -> list[str]:
        """Return the photos of a code, none included."""
        return find_photos(self._by_code.get(code_key(code), []))

    def resolve(self, named: str) -> tuple[list[str], list[str]]:
        """Return the photos that a cell names, and the names behind which there is no file."""
        found: list[str] = []
        missing: list[str] = []
        for name in filter(None, (part.strip() for part in named.split(PHOTO_SEPARATOR))):
            # Spreadsheets are written on Windows.
            path = next(
                (p for p in (self.directory / name, self.directory / name.replace("\\", "/")) if p.exists()), None
            )
            if path is None:
                missing.append(name)
            else:
                found += find_photos([path])
        return found, missing


def plan_rows(
    table: Table,
    *,
    folder: PhotoFolder,
    existing: Mapping[str, Employee],
    zone: tzinfo = UTC,
    all_consent: bool = False,
) -> Iterator[PlannedRow]:
    """Check each row and find its photos.

    Args:
        existing: Employees by the key of their code, with the number of their templates.
        zone: Of the site, for consents with a date.
        all_consent: Everybody in the file agreed to face recognition.
    """
    first_line: dict[str, int] = {}
    now = datetime.now(UTC)
    for row in table.rows:
        person = Person(row.values["code"], row.values["name"], row.values["position"])
        named, consent = row.values["photos"], row.values.get("consent", "")
        key = code_key(person.code)
        problem = _problem(person, first_line.get(key))
        if any(row.cells[len(table.header) :]):
            # Degrees behind a comma shift everything: nobody may be enrolled under half a name.
            detail = N_("The row has more cells than there are columns; put a name with a comma into quotes.")
            problem = "too_many_cells", detail, ()
        try:
            agreed = _consent_at(consent, now=now, zone=zone)
        except ValueError:
            detail = N_("The cell “{cell}” does not say whether the person agreed: write yes, no or a date.")
            problem = problem or ("unknown_consent", detail, (("cell", consent),))
        else:
            person = replace(person, consent_at=agreed or (now if all_consent else None))
        planned = PlannedRow(row.line, person, named, cells=row.cells)
        if problem is not None:
            yield replace(planned, reason=problem[0], detail=problem[1], params=problem[2])
            continue
        first_line[key] = row.line
        photos, missing = folder.resolve(named)
        if missing:
            params = (("names", ", ".join(missing)), ("folder", str(folder.directory)))
            detail = N_("Photos that are not in {folder}: {names}")
            yield replace(planned, reason="photo_missing", detail=detail, params=params)
            continue
        found = tuple(photos or folder.find(person.code))
        known = existing.get(key)
        faceless = known is not None and not known.templates and same_name(known.name, person.name)
        yield replace(planned, photos=found, exists=known is not None, completes=faceless and bool(found))


def same_name(one: str, other: str) -> bool:
    """Tell whether two names are the same but for case and blanks."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _consent_at(cell: str, *, now: datetime, zone: tzinfo) -> datetime | None:
    """Return when somebody agreed, None where nobody says so. Raises ValueError for what says neither."""
    word = cell.casefold()
    if word in _YES:
        return now
    if word in _NO:
        return None
    return datetime.combine(date.fromisoformat(cell), time(0), zone)


def _problem(person: Person, first_line: int | None) -> tuple[str, str, tuple[tuple[str, str], ...]] | None:
    if not person.code:
        return "missing_code", N_("The row has no code."), ()
    if not person.name:
        return "missing_name", N_("The row has no name."), ()
    for field, text, limit in (
        (N_("code"), person.code, CODE_LENGTH),
        (N_("name"), person.name, NAME_LENGTH),
        (N_("position"), person.position, NAME_LENGTH),
    ):
        if len(text) > limit:
            detail = N_("The {field} is longer than {limit} characters.")
            return "too_long", detail, (("field", field), ("limit", str(limit)))
        try:
            checked_text(text, field=field, limit=limit)
        except InvalidInputError as exc:
            return "bad_text", exc.message_id, exc.text_params
    try:
        check_code(one_line(person.code))
    except InvalidInputError as exc:
        return "bad_code", exc.message_id, exc.text_params
    if first_line is not None:
        return "duplicate_code", N_("Line {line} has the same code."), (("line", str(first_line)),)
    return None

"""What must not be left of an erased person in the attendance log: lines are told by their punch, their code or name.

Lines of punches that are in the database get its pseudonym there; what was measured and noted goes, the rest stays to
be compared. Lines of punches that were deleted with the person go.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ..kernel.texts import one_line, without_formula

COLUMNS: Final = (
    "punch_id",
    "code",
    "name",
    "date",
    "time",
    "status",
    "method",
    "kiosk",
    "similarity",
    "note",
    "supersedes",
    "utc",
)
CLOCK_MARK: Final = "[clock?]"
_KEY_COLUMNS: Final = 3
"""Id, code and name."""
_BOM: Final = "\ufeff"
_NAMED: Final = slice(1, _KEY_COLUMNS)
_SIMILARITY, _NOTE = COLUMNS.index("similarity"), COLUMNS.index("note")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """An erased person, as far as lines tell of one.

    Attributes:
        punch_ids: Row ids of the person's punches.
        texts: Code and name, as cells have them; none where nobody knows them any more.
    """

    punch_ids: frozenset[int] = frozenset()
    texts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, punch_ids: Iterable[int], texts: Iterable[str]) -> Forgotten:
        """Return one by code and name as the database has them."""
        plain = [one_line(text) for text in texts if text]
        # An older version did not disarm all that is disarmed now.
        return cls(frozenset(punch_ids), frozenset((*plain, *map(without_formula, plain))))

    def names_in(self, lines: Iterable[bytes], *, pseudonym: str) -> frozenset[str]:
        """Return code and name of the person as lines of their punches have them."""
        own = (cells_of(line) for line in lines if self._has_id(line))
        return frozenset(text for cells in own if len(cells) > _KEY_COLUMNS for text in cells[_NAMED]) - {pseudonym, ""}

    def is_in(self, line: bytes, *, pseudonym: str = "") -> bool:
        """Return whether a line is the person's and still says so."""
        cells = cells_of(line)
        if len(cells) > _KEY_COLUMNS:
            # Whole, also as an older version wrote it: the id of the punch comes first in all of them.
            own = self._has_id(line) and not (pseudonym and set(cells[_NAMED]) == {pseudonym})
            return own or bool(self.texts & set(cells))
        # A torn line, or one of another program: whatever has the code or the name in it goes.
        text = _decoded(line)
        return any(each in text for each in self.texts)

    def _has_id(self, line: bytes) -> bool:
        first = line.partition(b",")[0]
        return first.isdigit() and int(first) in self.punch_ids


NOBODY: Final = Forgotten()


def without_erased(
    lines: Iterable[bytes], *, erased: Mapping[bytes, bytes], known: Collection[bytes], forget: Forgotten
) -> list[bytes]:
    """Return lines of a file so that they name nobody who was erased.

    Args:
        erased: Lines as the database gives them, with a pseudonym, by the id of their punch.
        known: Ids of all punches in the database: who they belong to is known.
        forget: Somebody whose other lines go.
    """
    clean = []
    for line in lines:
        punch_id = line.partition(b",")[0]
        if punch_id in erased:
            if (pseudonymised := _pseudonymised(line, erased[punch_id])) is not None:
                clean.append(pseudonymised)
        elif (punch_id in known and len(cells_of(line)) == len(COLUMNS)) or not forget.is_in(line):
            clean.append(line)
    return clean


def cells_of(line: bytes) -> list[str]:
    """Return the cells of a line; none where it is no line of a table."""
    try:
        return next(csv.reader([_decoded(line)]), [])
    except csv.Error:
        return []


def joined(cells: Iterable[str]) -> bytes:
    """Return cells as a line, without a line feed."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue().encode()


def _pseudonymised(line: bytes, wanted: bytes) -> bytes | None:
    cells = cells_of(line)
    if len(cells) != len(COLUMNS):
        # Torn: it is written again, as it is now.
        return None
    cells[_NAMED] = cells_of(wanted)[_NAMED]
    cells[_SIMILARITY] = ""
    cells[_NOTE] = CLOCK_MARK if cells[_NOTE].endswith(CLOCK_MARK) else ""
    return joined(cells)


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").removeprefix(_BOM)

"""Files of photo pairs in the format of Labeled Faces in the Wild."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..kernel.errors import InvalidInputError, NotFoundError
from ..kernel.i18n import N_
from ..kernel.reading import read_text
from ..store.photo_files import PHOTO_SUFFIXES


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photos, whether they show one person, and the fold (from 0) that they belong to."""

    first: Path
    second: Path
    same: bool
    fold: int


def read_pairs(path: Path, folder: Path) -> tuple[Pair, ...]:
    """Read a file of pairs.

    The first line has the number of folds and of pairs of each kind in a fold (a single number: one fold). Then each
    line is ``NAME a b`` for two photos of one person or ``NAME1 a NAME2 b`` for two persons; photo ``a`` of ``NAME`` is
    ``NAME/NAME_000a.jpg`` below the folder.

    Raises:
        NotFoundError: The file, or a photo that it names, is missing.
        InvalidInputError: It is no such file.
    """
    try:
        lines = read_text(path, encoding="utf-8").splitlines()
    except FileNotFoundError as exc:
        raise NotFoundError(N_("There is no file {path}."), path=path) from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInputError(
            N_("{path} cannot be read as a list of pairs: {problem}"), path=path, problem=exc
        ) from exc
    head = lines[0].split() if lines else []
    if not head or len(head) > 2 or not all(part.isdigit() and int(part) > 0 for part in head):
        raise _wrong(path, 1)
    each = 2 * int(head[-1])
    pairs: list[Pair] = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        fold = len(pairs) // each
        pairs.append(_read_line(path, number, line, folder, fold))
    if not pairs:
        raise _wrong(path, 2)
    return tuple(pairs)


def _read_line(path: Path, number: int, line: str, folder: Path, fold: int) -> Pair:
    parts = line.split("\t") if "\t" in line else line.split()
    if len(parts) == 3:
        parts = [parts[0], parts[1], parts[0], parts[2]]
        same = True
    else:
        same = False
    if len(parts) != 4 or not parts[1].isdigit() or not parts[3].isdigit():
        raise _wrong(path, number)
    first, second = (
        _find_photo(path, number, folder, name, int(which))
        for name, which in ((parts[0], parts[1]), (parts[2], parts[3]))
    )
    return Pair(first, second, same, fold)


def _find_photo(path: Path, line: int, folder: Path, name: str, number: int) -> Path:
    if Path(name).name != name:
        raise _wrong(path, line)
    for suffix in sorted(PHOTO_SUFFIXES):
        photo = folder / name / f"{name}_{number:04d}{suffix}"
        if photo.is_file():
            return photo
    raise NotFoundError(
        N_("{path}, line {line}: there is no photo {number} of {name} in {folder}."),
        path=path,
        line=line,
        number=number,
        name=name,
        folder=folder,
    )


def _wrong(path: Path, line: int) -> InvalidInputError:
    return InvalidInputError(
        N_("{path}, line {line}: this is no list of pairs in LFW's format."),
        hint=N_("First line: folds and pairs of a kind in each. Then NAME a b, or NAME1 a NAME2 b."),
        path=path,
        line=line,
    )

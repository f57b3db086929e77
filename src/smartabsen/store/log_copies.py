"""Old copies of log files, which :meth:`.csv_log.CsvLog.check` keeps beside those that it had to write anew."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .csv_log import CsvLog
from .files import storage_errors, write_atomically
from .texts import one_line, without_formula

_COPY: Final = re.compile(r"\d{4}-\d{2}-\d{2}\.csv\.replaced-(?P<at>\d{8}T\d{6}\.\d{6}Z)")
_KEY_COLUMNS: Final = 3
"""Id, code and name."""
_BOM: Final = "\ufeff".encode()


def find_copies(directory: Path) -> tuple[Path, ...]:
    """Return the copies in the directory of the log, the oldest file name first."""
    if not directory.is_dir():
        return ()
    return tuple(sorted(path for path in directory.iterdir() if _COPY.fullmatch(path.name)))


def made_at(copy: Path) -> datetime:
    """Return when a copy was made, UTC."""
    found = _COPY.fullmatch(copy.name)
    assert found is not None
    return datetime.strptime(found["at"], "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)


def erase_person(log: CsvLog, *, punch_ids: Collection[int], texts: Collection[str]) -> int:
    """Take one person out of all copies: lines with their punches, their code or their name; return how many.

    A copy that has no other line, or only such as the file itself has too, is deleted.

    Args:
        punch_ids: Row ids of the person's punches.
        texts: Code and name.

    Raises:
        StorageError: A copy cannot be read or written.
    """
    wanted = {without_formula(one_line(text)) for text in texts if text}
    ids = {str(punch_id) for punch_id in punch_ids}
    erased = 0
    with log.locked():
        for copy in find_copies(log.directory):
            with storage_errors(copy):
                lines = [line for line in copy.read_bytes().split(b"\n") if line]
                kept = [line for line in lines if not _is_of(line, ids, wanted)]
                if len(kept) == len(lines):
                    continue
                erased += len(lines) - len(kept)
                original = copy.with_name(copy.name.partition(".replaced-")[0])
                still_there = set(original.read_bytes().split(b"\n")) if original.exists() else set()
                if set(kept[1:]) <= still_there:
                    copy.unlink()
                else:
                    write_atomically(copy, b"".join(line + b"\n" for line in kept))
    return erased


def delete_before(log: CsvLog, instant: datetime, *, dry_run: bool) -> int:
    """Delete copies that are older than ``instant``; return how many there are. Raises StorageError."""
    with log.locked():
        old = [copy for copy in find_copies(log.directory) if made_at(copy) < instant]
        for copy in old if not dry_run else ():
            with storage_errors(copy):
                copy.unlink()
    return len(old)


def _is_of(line: bytes, ids: set[str], texts: set[str]) -> bool:
    text = line.removeprefix(_BOM).decode("utf-8", errors="replace")
    try:
        cells = next(csv.reader([text]), [])
    except csv.Error:
        cells = []
    if len(cells) > _KEY_COLUMNS:
        # Whole, also as an older version wrote it: the id of the punch comes first in all of them.
        return cells[0] in ids or bool(texts & set(cells))
    # A torn line, or one of another program: whatever has the code or the name in it goes.
    return any(each in text for each in texts)

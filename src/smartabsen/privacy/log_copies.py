"""Old copies of log files, which :meth:`.csv_log.CsvLog.check` keeps beside those that it had to write anew."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from ..attendance.csv_log import CsvLog
from ..attendance.csv_sync import read_date
from ..kernel.reading import read_bytes
from ..store.database import Database
from ..store.files import storage_errors, write_atomically
from ..trust.forgotten import Forgotten

_COPY: Final = re.compile(r"\d{4}-\d{2}-\d{2}\.csv\.replaced-(?P<at>\d{8}T\d{6}\.\d{6}Z)")


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


def erase_person(log: CsvLog, person: Forgotten, *, pseudonym: str) -> int:
    """Take one person out of all copies: lines with their punches, their code or their name; return how many.

    A copy that has no other line, or only such as the file itself has too, is deleted.

    Args:
        pseudonym: A line that has it in the place of code and name stays.

    Raises:
        StorageError: A copy cannot be read or written.
    """
    erased = 0
    with log.locked():
        for copy in find_copies(log.directory):
            with storage_errors(copy):
                lines = lines_of(copy)
                kept = [line for line in lines if not person.is_in(line, pseudonym=pseudonym)]
                if len(kept) == len(lines):
                    continue
                erased += len(lines) - len(kept)
                original = copy.with_name(copy.name.partition(".replaced-")[0])
                still_there = set(read_bytes(original).split(b"\n")) if original.exists() else set()
                if set(kept[1:]) <= still_there:
                    copy.unlink()
                else:
                    write_atomically(copy, b"".join(line + b"\n" for line in kept))
    return erased


def forget_person(database: Database, log: CsvLog, person: Forgotten, *, pseudonym: str) -> tuple[int, int]:
    """Take an erased person out of the whole log of a home: its files become as the database is, its copies lose them.

    Code and name are learned from the lines of the person's punches where the database does not have them any more.
    The copies come first: a crash between leaves lines to learn from.

    Returns:
        How many lines of copies are gone, and how many files were written anew.

    Raises:
        StorageError: A file cannot be read or written.
        DatabaseError: The database does not answer.
    """
    files = [*find_copies(log.directory), *map(log.path, log.dates())]
    with log.locked():
        learned = [person.names_in(lines_of(path), pseudonym=pseudonym) for path in files]
    person = Forgotten(person.punch_ids, person.texts.union(*learned))
    lines, written = erase_person(log, person, pseudonym=pseudonym), 0
    for work_date in log.dates():
        path = log.path(work_date)
        with log.locked():
            concerned = any(person.is_in(line, pseudonym=pseudonym) for line in lines_of(path))
        if concerned:
            written += log.check(work_date, partial(read_date, database, work_date), forget=person).rewritten
    return lines, written


def lines_of(path: Path) -> list[bytes]:
    """Return the lines of a file that are not empty; none where it is not there. Raises StorageError."""
    with storage_errors(path):
        return [line for line in read_bytes(path).split(b"\n") if line] if path.exists() else []


def delete_before(log: CsvLog, instant: datetime, *, dry_run: bool) -> int:
    """Delete copies that are older than ``instant``; return how many there are. Raises StorageError."""
    with log.locked():
        old = [copy for copy in find_copies(log.directory) if made_at(copy) < instant]
        for copy in old if not dry_run else ():
            with storage_errors(copy):
                copy.unlink()
    return len(old)

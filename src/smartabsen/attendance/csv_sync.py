"""Makes the attendance log equal to the database, at the start of a program.

Every work date is looked at, but only those are read that may differ: ``Attendance/.checked-2.json`` remembers, for
each file that was found equal, its size and time of change and how many punches the database had. A file that was
edited, cut, deleted or restored, and a date that got punches since, do not fit to it any more. Losing the file costs
time and nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from ..kernel.errors import StorageError
from ..kernel.reading import parse_json, read_bytes
from ..privacy import audit_erasure_rows, erasure_rows
from ..store.database import Database, Session
from ..store.files import remove_abandoned, write_atomically
from ..trust.forgotten import Forgotten
from . import punch_rows
from .csv_log import CsvLog, FileDifference, FileRepair

_MEMORY: Final = ".checked-2.json"
"""The number changes with the columns of the files, so that all are looked at once."""


@dataclass(frozen=True, slots=True)
class LogRepair:
    """What a reconciliation did.

    Attributes:
        checked: Files that were compared with the database line by line.
        added: Lines that were missing.
        rewritten: Dates whose files held torn, edited, doubled or unknown lines.
        kept: Old files that were kept because they held something that the database does not know.
    """

    checked: int
    added: int
    rewritten: tuple[date, ...]
    kept: tuple[Path, ...]


def reconcile(database: Database, log: CsvLog, *, thorough: bool = False) -> LogRepair:
    """Make the log equal to the database.

    Safe while others punch. A rename alone does not change old files: they are brought up to date when they are read
    for another reason.

    Args:
        thorough: Compare every file, whatever is remembered.

    Raises:
        DatabaseError: The database does not answer.
        StorageError: A file cannot be read or written; the others have been checked.
    """
    with database.read(long=True) as session:
        known = {found.work_date: [found.punches, found.last_id] for found in punch_rows.dates(session)}
    remembered = {} if thorough else _recall(log)
    repairs: dict[date, FileRepair] = {}
    trouble: StorageError | None = None
    for work_date in sorted({*known, *log.dates()}):
        before = remembered.get(work_date.isoformat())
        state = log.state(work_date)
        if before is not None and state is not None and before == [*known.get(work_date, [0, 0]), *state]:
            continue
        try:
            repairs[work_date], counts = _check(database, log, work_date)
        except StorageError as exc:
            trouble = exc
            continue
        after = repairs[work_date].state
        remembered[work_date.isoformat()] = [*counts, *after] if after else []
    if repairs:
        with log.locked():
            remove_abandoned(log.directory / _MEMORY)
            write_atomically(log.directory / _MEMORY, json.dumps(remembered).encode())
    if trouble:
        raise trouble
    return LogRepair(
        checked=len(repairs),
        added=sum(repair.added for repair in repairs.values()),
        rewritten=tuple(work_date for work_date, repair in repairs.items() if repair.rewritten),
        kept=tuple(repair.kept_as for repair in repairs.values() if repair.kept_as),
    )


def compare(database: Database, log: CsvLog) -> tuple[int, tuple[FileDifference, ...]]:
    """Compare every file with the database; nothing is changed.

    Returns:
        How many work dates were compared, and those that differ, the oldest first.

    Raises:
        DatabaseError: The database does not answer.
        StorageError: A file cannot be read.
    """
    with database.read(long=True) as session:
        known = {found.work_date for found in punch_rows.dates(session)}
        forget = Forgotten(_deleted_punches(session))
    dates = sorted({*known, *log.dates()})
    differences = [
        log.compare(work_date, partial(read_date, database, work_date), forget=forget) for work_date in dates
    ]
    return len(dates), tuple(one for one in differences if not one.equal)


def read_date(database: Database, work_date: date) -> tuple[punch_rows.LoggedPunch, ...]:
    """Return the punches of a work date, as :meth:`CsvLog.check` wants them. Raises DatabaseError."""
    with database.read(long=True) as session:
        return punch_rows.logged_on(session, work_date)


def _deleted_punches(session: Session) -> frozenset[int]:
    stored = [tombstone for tombstone, _ in erasure_rows.stored_tombstones(session) if tombstone.attendance == "delete"]
    found = [audit_erasure_rows.deleted_punches(session, tombstone.pseudonym) for tombstone in stored]
    return frozenset[int]().union(*found)


def _check(database: Database, log: CsvLog, work_date: date) -> tuple[FileRepair, list[int]]:
    counts = [0, 0]

    def read() -> tuple[punch_rows.LoggedPunch, ...]:
        logged = read_date(database, work_date)
        counts[:] = [len(logged), max((one.punch.id for one in logged), default=0)]
        return logged

    return log.check(work_date, read), counts


def _recall(log: CsvLog) -> dict[str, list[int]]:
    try:
        remembered = parse_json(read_bytes(log.directory / _MEMORY))
    except (OSError, ValueError):
        return {}
    return remembered if isinstance(remembered, dict) else {}

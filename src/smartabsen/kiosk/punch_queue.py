"""Punches that wait on a kiosk for the database: a small SQLite file that survives any death of the kiosk.

It holds what a punch needs and nothing of a face: no picture, no embedding. Punches are given back in the order in
which they came, each until it was delivered; one that the database refuses for good is kept apart, for a person to
decide. All kiosks of a home share the file.

It outlives the database, whose row ids are given out again when an older backup is restored. So it names people by
their UUID; the code stands beside it for people. A file of an earlier version has row ids alone.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from ..kernel.domain import Punch, PunchMethod
from ..kernel.errors import SmartAbsenError, StorageError
from ..kernel.i18n import N_
from ..store.faults import first_cause, is_forbidden, is_full
from ..store.files import full_disk, no_permission
from ..store.sqlite import begin_immediate, create_private_file, prepare_connection

PATIENCE_S: Final = 2.0
REUSED: Final = N_("Another punch has the same key.")
"""Why a punch is kept aside whose key was there with another content."""
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    employee_id INTEGER NOT NULL,
    at_utc TEXT NOT NULL,
    work_date TEXT NOT NULL,
    method TEXT NOT NULL,
    kiosk TEXT NOT NULL,
    similarity REAL,
    liveness REAL,
    model_digest TEXT NOT NULL,
    note TEXT NOT NULL,
    clock_trusted INTEGER NOT NULL,
    database_id TEXT NOT NULL,
    refused TEXT NOT NULL DEFAULT '',
    person TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_ADDED: Final = {
    "clock_offset_s": "REAL",
    "taken_at": "TEXT NOT NULL DEFAULT ''",
    "person": "TEXT NOT NULL DEFAULT ''",
    "code": "TEXT NOT NULL DEFAULT ''",
}
"""Columns that a file of an earlier version lacks."""
_CONTENT: Final = (
    "employee_id, at_utc, work_date, method, kiosk, similarity, liveness, model_digest, note, clock_trusted, "
    "clock_offset_s, taken_at, person, code"
)
_COLUMNS: Final = f"key, {_CONTENT}"


@dataclass(frozen=True, slots=True)
class WaitingPunch:
    """A punch that waits.

    Attributes:
        number: Its place in the queue; counts up.
        punch: An attempt, without an id.
        database_id: Of the database it is meant for; empty where that was never known.
        refused: Why the database refused it for good; empty while it waits.
    """

    number: int
    punch: Punch
    database_id: str
    refused: str = ""


class PunchQueue:
    """The queue in one file. Threads and processes share it.

    Args:
        path: Made, private, when the first punch comes; reading a missing one finds nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def add(self, punch: Punch, *, database_id: str, refused: str = "") -> bool:
        """Keep a punch; when this returns, it is on the disk. The same punch again changes nothing.

        Another one under a key that is there already is no repetition, and the database would take one of the two
        alone: it is kept aside under a key of its own, for a person to decide.

        Args:
            database_id: Of the database it is meant for; empty where that is not known.
            refused: Why it is put aside; empty for one that waits.

        Returns:
            False where it is kept aside for its key.

        Raises:
            StorageError: The file cannot be written.
        """
        content = (
            punch.employee_id,
            punch.at.astimezone(UTC).isoformat(),
            punch.work_date.isoformat(),
            punch.method.value,
            punch.kiosk,
            punch.similarity,
            punch.liveness,
            punch.model_digest,
            punch.note,
            punch.clock_trusted,
            punch.clock_offset_s,
            punch.taken_at,
            punch.person,
            punch.code,
        )
        with self._writing() as connection:
            known = _find_content(connection, punch.key)
            if known is None:
                _insert(connection, (punch.key, *content, database_id, refused))
            elif known != content:
                aside = f"{punch.key} {sha256(repr(content).encode()).hexdigest()}"
                if _find_content(connection, aside) is None:
                    _insert(connection, (aside, *content, database_id, refused or REUSED))
                return False
        return True

    def oldest(self, limit: int = 50) -> tuple[WaitingPunch, ...]:
        """Return the punches that wait, in the order in which they came. Raises StorageError."""
        return self._read("refused = '' ORDER BY number LIMIT ?", limit)

    def refused(self) -> tuple[WaitingPunch, ...]:
        """Return the punches that the database refused for good. Raises StorageError."""
        return self._read("refused <> '' ORDER BY number")

    def count(self) -> int:
        """Return how many punches wait. Raises StorageError."""
        if not self.path.exists():
            return 0
        with self._open() as connection:
            return int(connection.execute("SELECT count(*) FROM waiting WHERE refused = ''").fetchone()[0])

    def remove(self, number: int) -> None:
        """Forget a punch that was delivered. Raises StorageError."""
        with self._writing() as connection:
            connection.execute("DELETE FROM waiting WHERE number = ?", (number,))

    def refuse(self, number: int, reason: str) -> None:
        """Put a punch aside that the database refused for good. Raises StorageError."""
        with self._writing() as connection:
            connection.execute("UPDATE waiting SET refused = ? WHERE number = ?", (reason or "refused", number))

    def count_refused_before(self, day: date) -> int:
        """Return how many punches of work dates before ``day`` were put aside. Raises StorageError."""
        return sum(one.punch.work_date < day for one in self.refused())

    def forget_refused_before(self, day: date) -> None:
        """Forget the punches of work dates before ``day`` that were put aside. Raises StorageError."""
        if self.path.exists():
            with self._writing() as connection:
                connection.execute("DELETE FROM waiting WHERE refused <> '' AND work_date < ?", (day.isoformat(),))

    def forget_person(self, person: str, *, row_id: int | None) -> int:
        """Forget all punches of an employee, waiting or refused, and return how many.

        Args:
            person: UUID; may be empty.
            row_id: Of the employee: punches that name nobody otherwise go by it. None where it is another person's.

        Raises:
            StorageError: The file cannot be written.
        """
        if not self.path.exists():
            return 0
        own = "(person <> '' AND person = ?) OR (person = '' AND employee_id = ?)"
        with self._writing() as connection:
            return connection.execute(f"DELETE FROM waiting WHERE {own}", (person, row_id)).rowcount  # noqa: S608 - our own words

    def content(self) -> bytes:
        """Return the file of a consistent copy of the queue. Raises StorageError."""
        with self._open() as connection:
            return connection.serialize()

    def find_fact(self, name: str) -> str:
        """Return what was noted under a name, empty where nothing was. Raises StorageError."""
        if not self.path.exists():
            return ""
        with self._open() as connection:
            row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def note_fact(self, name: str, value: str) -> None:
        """Note a fact, unless it is noted already. Raises StorageError."""
        if self.find_fact(name) != value:
            self.note_facts({name: value})

    def note_facts(self, facts: Mapping[str, str]) -> None:
        """Note several facts at once, in place of those before. Raises StorageError."""
        if facts:
            with self._writing() as connection:
                connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", list(facts.items()))

    def _read(self, condition: str, *values: object) -> tuple[WaitingPunch, ...]:
        if not self.path.exists():
            return ()
        query = f"SELECT number, {_COLUMNS}, database_id, refused FROM waiting WHERE {condition}"  # noqa: S608 - our own words
        with self._open() as connection:
            return tuple(_waiting(row) for row in connection.execute(query, values))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection:
            begin_immediate(connection, patience_s=PATIENCE_S)
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one unit of work: it is used seldom, and a disk that comes back needs no second thought."""
        try:
            create_private_file(self.path)
            with self._lock, closing(sqlite3.connect(self.path, timeout=PATIENCE_S)) as connection:
                prepare_connection(connection)
                connection.executescript(_TABLES)
                _add_columns(connection)
                yield connection
        except SmartAbsenError:
            raise
        except sqlite3.Error as exc:
            cause = first_cause(exc)
            if is_full(cause):
                raise full_disk(self.path) from exc
            if is_forbidden(cause):
                raise no_permission(self.path) from exc
            raise StorageError(
                N_("The queue of punches {path} cannot be used: {problem}"),
                hint=N_("Check the disk and the rights of the directory; move a damaged file away, do not delete it."),
                path=self.path,
                problem=cause,
            ) from exc


def _find_content(connection: sqlite3.Connection, key: str) -> tuple[object, ...] | None:
    found: tuple[object, ...] | None = connection.execute(
        f"SELECT {_CONTENT} FROM waiting WHERE key = ?",  # noqa: S608 - our own names
        (key,),
    ).fetchone()
    return found


def _insert(connection: sqlite3.Connection, values: tuple[object, ...]) -> None:
    places = ", ".join("?" * len(values))
    connection.execute(
        f"INSERT INTO waiting ({_COLUMNS}, database_id, refused) VALUES ({places})",  # noqa: S608 - our own names
        values,
    )


def _add_columns(connection: sqlite3.Connection) -> None:
    known = {str(row[1]) for row in connection.execute("PRAGMA table_info(waiting)")}
    missing = [name for name in _ADDED if name not in known]
    if not missing:
        return
    begin_immediate(connection, patience_s=PATIENCE_S)
    # Again, now that nobody else can add them.
    known = {str(row[1]) for row in connection.execute("PRAGMA table_info(waiting)")}
    for name in missing:
        if name not in known:
            connection.execute(f"ALTER TABLE waiting ADD COLUMN {name} {_ADDED[name]}")
    connection.execute("COMMIT")


def _waiting(row: tuple[object, ...]) -> WaitingPunch:
    number, key, employee_id, at, work_date, method, kiosk, similarity, liveness, digest, note, trusted = row[:12]
    offset_s, taken_at, person, code, database_id, refused = row[12:]
    punch = Punch(
        id=0,
        employee_id=int(str(employee_id)),
        at=datetime.fromisoformat(str(at)),
        work_date=date.fromisoformat(str(work_date)),
        method=PunchMethod(str(method)),
        kiosk=str(kiosk),
        key=str(key),
        similarity=_number(similarity),
        model_digest=str(digest),
        note=str(note),
        liveness=_number(liveness),
        clock_trusted=bool(trusted),
        clock_offset_s=_number(offset_s),
        taken_at=str(taken_at),
        person=str(person),
        code=str(code),
    )
    return WaitingPunch(int(str(number)), punch, str(database_id), str(refused))


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))

"""Which version of the schema a database has, and how it gets to ours.

The version is read without Alembic, which costs a quarter of a second to import; Alembic is imported only when there is
something to change.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

from ..kernel.errors import DatabaseError, SchemaError
from ..kernel.i18n import N_
from .meta import COPY_OF
from .tables import Base

if TYPE_CHECKING:
    from .database import Database

REVISIONS: Final = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0014",
    "0015",
)
"""All revisions, the oldest first; a test compares them with the scripts."""
HEAD: Final = REVISIONS[-1]
VERSION_TABLE: Final = "alembic_version"
_UPGRADE_WAIT_S: Final = 120


class SchemaState(StrEnum):
    """How a database's schema stands to this program."""

    EMPTY = "empty"
    UNFINISHED = "unfinished"
    """An upgrade from empty was cut off in the middle; running it again completes it."""
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"
    HALF_COPIED = "half_copied"
    """A copy into it was begun and has not ended: it lacks rows."""
    FOREIGN = "foreign"
    """Tables of ours are there, but no version: another program made them."""


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """What was found.

    Attributes:
        state: See :class:`SchemaState`.
        found: Revision in the database, empty where there is none.
        head: Revision of this program.
    """

    state: SchemaState
    found: str
    head: str = HEAD


def schema_status(database: Database) -> SchemaStatus:
    """Read the state of a database's schema; nothing is changed.

    Raises:
        DatabaseError: It cannot be read.
    """
    with database.connect() as connection:
        return read_status(connection)


def ensure_current(database: Database, *, half_copied: bool = False) -> None:
    """Make an empty database ready, and refuse one that this program must not use.

    Args:
        half_copied: Accept one with an unfinished copy in it.

    Raises:
        SchemaError: It is older, newer, half of a copy, or another program's.
        DatabaseError: It cannot be read or written.
    """
    status = schema_status(database)
    if status.state in (SchemaState.EMPTY, SchemaState.UNFINISHED):
        status = upgrade(database)
    if half_copied and status.state is SchemaState.HALF_COPIED:
        return
    if status.state is not SchemaState.CURRENT:
        raise refusal(status, database.address)


def upgrade(database: Database) -> SchemaStatus:
    """Bring the schema to this program's version. Of several processes one works, the others wait for it.

    A killed upgrade can be run again: SQLite rolls it back as a whole; on MariaDB, where each statement of a definition
    commits by itself, every step of a migration leaves alone what is there already.

    Raises:
        SchemaError: The database is newer, or another program's.
        DatabaseError: It cannot be written, or another upgrade does not end.
    """
    with database.connect(exclusive=True) as connection, _alone(connection, database.address):
        status = read_status(connection)
        if status.state in (SchemaState.NEWER, SchemaState.FOREIGN):
            raise refusal(status, database.address)
        if status.state not in (SchemaState.CURRENT, SchemaState.HALF_COPIED):
            _migrate(connection, "upgrade", HEAD)
        return read_status(connection)


def downgrade(database: Database, revision: str) -> SchemaStatus:
    """Take the schema back to an older revision, or to ``base``: no tables and no data. For tests and emergencies."""
    with database.connect(exclusive=True) as connection, _alone(connection, database.address):
        _migrate(connection, "downgrade", revision)
        return read_status(connection)


def read_status(connection: Connection) -> SchemaStatus:
    """Read the state through an open connection."""
    inspector = inspect(connection)
    if not inspector.has_table(VERSION_TABLE):
        ours = set(Base.metadata.tables) & set(inspector.get_table_names())
        return SchemaStatus(SchemaState.FOREIGN if ours else SchemaState.EMPTY, "")
    found = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
    if not found:
        return SchemaStatus(SchemaState.UNFINISHED, "")
    version = ", ".join(sorted(found))
    if version == HEAD:
        begun = connection.scalar(text("SELECT value FROM meta WHERE name = :name"), {"name": COPY_OF})
        return SchemaStatus(SchemaState.HALF_COPIED if begun else SchemaState.CURRENT, version)
    return SchemaStatus(SchemaState.OLDER if version in REVISIONS else SchemaState.NEWER, version)


def refusal(status: SchemaStatus, address: str) -> SchemaError:
    """Return the error for a database that this program must not use as it is."""
    if status.state is SchemaState.NEWER:
        message = N_("The database {address} was made by a newer smartabsen (schema {found}; this one knows {head}).")
        hint = N_("Update smartabsen on this machine.")
    elif status.state is SchemaState.OLDER:
        message = N_("The schema of the database {address} is older ({found}) than this smartabsen ({head}).")
        hint = N_("Stop every kiosk and server, make a backup, then run: smartabsen db upgrade")
    elif status.state is SchemaState.HALF_COPIED:
        message = N_("The database {address} is an unfinished copy of another one: rows are missing in it.")
        hint = N_("With the settings of the other one, run it again to its end: smartabsen db copy --to URL")
    else:
        message = N_("The database {address} has tables of another program under our names.")
        hint = N_("Give smartabsen a database of its own.")
    return SchemaError(message, hint=hint, address=address, found=status.found, head=status.head)


def _migrate(connection: Connection, direction: str, revision: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        getattr(command, direction)(config, revision)
    except CommandError as exc:
        raise SchemaError(N_("The schema cannot be changed: {problem}"), problem=exc) from exc


@contextmanager
def _alone(connection: Connection, address: str) -> Iterator[None]:
    """Keep other upgrades out: SQLite by the write transaction that is open already, MariaDB by a named lock."""
    if connection.dialect.name == "sqlite":
        yield
        return
    name = "smartabsen-" + sha256(str(connection.engine.url.database).encode()).hexdigest()[:40]
    deadline = time.monotonic() + _UPGRADE_WAIT_S
    while connection.scalar(text("SELECT GET_LOCK(:name, 1)"), {"name": name}) != 1:
        if time.monotonic() > deadline:
            raise DatabaseError(
                N_("Another upgrade of the database {address} does not end."),
                hint=N_("Find out which program of smartabsen hangs, and end it."),
                address=address,
            )
    try:
        yield
    finally:
        connection.scalar(text("SELECT RELEASE_LOCK(:name)"), {"name": name})

"""The database as a whole: its state, its upgrade, a copy of it elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..app.bootstrap import Services
from ..kiosk.punch_queue import WaitingPunch as WaitingPunch
from ..store import meta, schema
from ..store.copying import TableCopy as TableCopy, copy_database
from ..store.database import DatabaseFacts
from ..store.schema import SchemaState, SchemaStatus as SchemaStatus
from ..trust import audit_rows as audit

if TYPE_CHECKING:
    from ..trust.audit import AuditTrail


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """What is known of the database.

    Attributes:
        facts: Kind, version, address, journal, risks.
        schema: State of its schema.
        waiting: Punches that wait on this machine for it.
        aside: Punches that are kept aside here because it refuses them.
    """

    facts: DatabaseFacts
    schema: SchemaStatus
    waiting: int
    aside: tuple[WaitingPunch, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether this program can use it as it is."""
        return self.schema.state in (SchemaState.CURRENT, SchemaState.EMPTY, SchemaState.UNFINISHED)


class Databases:
    """Care for the database.

    Args:
        services: The parts of the installation.
        audit: Where a copy is noted.
    """

    def __init__(self, services: Services, audit: AuditTrail) -> None:
        self._services = services
        self._audit = audit

    def status(self) -> DatabaseStatus:
        """Look at the database; nothing is changed. Raises DatabaseError."""
        database = self._services.database
        facts = database.database_facts()
        if database.path is not None and not database.path.exists():
            found = SchemaStatus(SchemaState.EMPTY, "")
        else:
            found = schema.schema_status(database)
        queue = self._services.punch_queue
        return DatabaseStatus(facts, found, queue.count(), queue.refused())

    def upgrade(self) -> SchemaStatus:
        """Bring the schema to this program's version, and return what it was before.

        Killed in the middle it can be run again; of several at once one works and the others wait.

        Raises:
            SchemaError: The database is newer, half of a copy, or another program's.
            DatabaseError: It does not answer, or another upgrade does not end.
        """
        before = self.status().schema
        if before.state is SchemaState.HALF_COPIED:
            raise schema.refusal(before, self._services.database.address)
        schema.upgrade(self._services.database)
        if before.state is SchemaState.OLDER:
            self._audit.note("database.upgrade", details={"from": before.found, "to": before.head})
        return before

    def copy(self, url: str, *, on_progress: Callable[[int, int], None] | None = None) -> tuple[TableCopy, ...]:
        """Copy everything into an empty database, and compare both; a copy that was cut off goes on.

        Args:
            url: Of the other database; a password for it may stand in it or in the settings.
            on_progress: Called with the rows done and their total.

        Returns:
            Rows and checksum of each table, equal in both.

        Raises:
            ConfigError: The address cannot be understood.
            ConflictError: The other database is this one, or holds something else.
            IntegrityError: The copy differs: this database is being written.
        """
        target = self._services.open_database(url)
        try:
            copied = copy_database(self._services.database, target, on_progress=on_progress)
            with target.read() as session:
                database_id, head = meta.database_id(session), audit.head(session)
        finally:
            target.close()
        self._audit.note("database.copy", details={"to": target.address})
        # Whoever goes on with the copy lacks that last entry, and nobody took it away.
        self._services.trail_keeper.begin_anew(database_id, head, at=self._services.instant())
        return copied

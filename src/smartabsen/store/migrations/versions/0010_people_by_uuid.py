"""People have a UUID, tombstones remember it, and the database has a generation, which a restore renews.

Row ids are given out again after an older database was restored, UUIDs never. Whoever is there gets one that follows
from the identity of the database, the row id and the instant of the row: when a backup from before this migration is
restored and migrated again, the same people have the same ones. Seals stay as they are: this migration has no key.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_INDEX = "ix_karyawan_uuid"
_COLUMNS = (("karyawan", "uuid"), ("erasures", "karyawan_uuid"))
_SPACE = uuid.UUID("6d5b1a0e-7c0f-5c3e-9a55-2f1d9f8e4b21")
_FACTS = ("generation", "first_generation")


def upgrade() -> None:
    """Add the columns, fill them and begin to count generations; each step leaves alone what is there."""
    for table, name in _COLUMNS:
        if not _has(table, name):
            op.add_column(table, sa.Column(name, sa.String(36)))
    _fill()
    op.create_index(_INDEX, "karyawan", ["uuid"], unique=True, if_not_exists=True)
    if _fact("generation") is None:
        # Of one that was cut off on a server that commits each statement.
        generation = _fact("first_generation") or secrets.token_hex(8)
        restored = sa.text("SELECT 1 FROM audit WHERE action = 'backup.restore' LIMIT 1")
        if _fact("first_generation") is None and op.get_bind().scalar(restored) is None:
            _put("first_generation", generation)
        _put("generation", generation)


def downgrade() -> None:
    """Take them away."""
    op.drop_index(_INDEX, "karyawan", if_exists=True)
    for table, name in reversed(_COLUMNS):
        if _has(table, name):
            op.drop_column(table, name)
    for name in _FACTS:
        op.get_bind().execute(sa.text("DELETE FROM meta WHERE name = :name"), {"name": name})


def _fill() -> None:
    connection = op.get_bind()
    database_id = _fact("database_id")
    people = sa.table(
        "karyawan", sa.column("id", sa.Integer), sa.column("created_at", _INSTANT), sa.column("uuid", sa.String)
    )
    for row in connection.execute(sa.select(people).where(people.c.uuid.is_(None))).all():
        made_at = row.created_at.replace(tzinfo=UTC).isoformat()
        found = uuid.uuid5(_SPACE, f"{database_id} {row.id} {made_at}")
        connection.execute(sa.update(people).where(people.c.id == row.id).values(uuid=str(found)))


def _fact(name: str) -> str | None:
    found = op.get_bind().scalar(sa.text("SELECT value FROM meta WHERE name = :name"), {"name": name})
    return None if found is None else str(found)


def _put(name: str, value: str) -> None:
    op.get_bind().execute(
        sa.text("INSERT INTO meta (name, value) VALUES (:name, :value)"), {"name": name, "value": value}
    )


def _has(table: str, column: str) -> bool:
    return column in {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}

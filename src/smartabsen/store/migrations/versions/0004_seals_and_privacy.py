"""Sealed templates, kept crops, consents, tombstones.

The templates that are there stay as they are: this migration has no key. The program seals them when it first opens
the database after it, and refuses rows without a seal from then on.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
    # MariaDB commits each statement by itself: a migration that was killed goes on behind what is there.
    "if_not_exists": True,
}
_TABLES = ("face_crops", "consents", "erasures")


def upgrade() -> None:
    """Add the columns and tables; people who are inactive count as such from now."""
    # The database fills this column of old rows with the empty string: not sealed.
    _add("templates", sa.Column("key_id", sa.String(12), nullable=False, server_default=""))
    _add("karyawan", sa.Column("nonaktif_sejak", _INSTANT))
    people = sa.table("karyawan", sa.column("aktif", sa.Boolean), sa.column("nonaktif_sejak", _INSTANT))
    now = datetime.now(UTC).replace(tzinfo=None)
    op.execute(
        people.update().where(sa.not_(people.c.aktif), people.c.nonaktif_sejak.is_(None)).values(nonaktif_sejak=now)
    )
    _make(
        "face_crops",
        _employee("face_crops"),
        _text("photo_digest", 64),
        _text("source", 255),
        sa.Column("crop", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"), nullable=False),
        _text("key_id", 12),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("karyawan_id", "photo_digest", name="uq_face_crops_karyawan_id_photo_digest"),
    )
    _make(
        "consents",
        _employee("consents"),
        sa.Column("at_utc", _INSTANT, nullable=False),
        _text("text_version", 100),
        _text("text_sha256", 64),
        _text("language", 8),
        _text("recorded_by", 100),
        sa.Column("withdrawn_at", _INSTANT),
    )
    op.create_index("ix_consents_karyawan_id", "consents", ["karyawan_id"], if_not_exists=True)
    _make(
        "erasures",
        sa.Column("karyawan_id", sa.Integer, nullable=False),
        sa.Column("karyawan_created_at", _INSTANT, nullable=False),
        _text("scope", 16),
        _text("attendance", 16),
        sa.Column("at_utc", _INSTANT, nullable=False),
        _text("requested_by", 100),
        sa.Column("done_at", _INSTANT),
        sa.UniqueConstraint("karyawan_id", "at_utc", name="uq_erasures_karyawan_id_at_utc"),
    )


def downgrade() -> None:
    """Drop the tables, the columns, and the templates: nothing older can open what is sealed."""
    for table in reversed(_TABLES):
        op.drop_table(table, if_exists=True)
    op.execute("DELETE FROM templates")
    for table, column in (("karyawan", "nonaktif_sejak"), ("templates", "key_id")):
        if column in _columns(table):
            op.drop_column(table, column)


def _add(table: str, column: sa.Column[Any]) -> None:
    if column.name not in _columns(table):
        op.add_column(table, column)


def _columns(table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}


def _make(table: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Integer, nullable=False),
        *parts,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sqlite_autoincrement=True,
        **_OPTIONS,
    )


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _employee(table: str) -> sa.Column[int]:
    return sa.Column(
        "karyawan_id",
        sa.Integer,
        sa.ForeignKey("karyawan.id", name=f"fk_{table}_karyawan_id"),
        nullable=False,
    )

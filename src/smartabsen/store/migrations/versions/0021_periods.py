"""Periods: what was frozen when a month was closed, exports, and wishes to open one again."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
    "if_not_exists": True,
    "sqlite_autoincrement": True,
}
_INDEXES = (("periods", "month"), ("period_parts", "karyawan_id"), ("period_reopenings", "period_id"))


def upgrade() -> None:
    """Add the tables; each step leaves alone what is there."""
    op.create_table(
        "periods",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("is_closed", sa.Boolean, nullable=False),
        sa.Column("closed_by", sa.String(100), nullable=False),
        sa.Column("closed_at", _INSTANT, nullable=False),
        sa.Column("rulesets", sa.String(500), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("summary", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_periods"),
        **_OPTIONS,
    )
    op.create_table(
        "period_parts",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("period_id", _BIG_ID, nullable=False),
        sa.Column("karyawan_id", _type_of_person()),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb"), nullable=False),
        sa.Column("key_id", sa.String(12), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_period_parts"),
        sa.UniqueConstraint("period_id", "name", name="uq_period_parts_period_id_name"),
        sa.ForeignKeyConstraint(["period_id"], ["periods.id"], name="fk_period_parts_period_id"),
        sa.ForeignKeyConstraint(["karyawan_id"], ["karyawan.id"], name="fk_period_parts_karyawan_id"),
        **_OPTIONS,
    )
    op.create_table(
        "period_reopenings",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("period_id", _BIG_ID, nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("asked_by", sa.String(100), nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("confirmed_by", sa.String(100)),
        sa.Column("confirmed_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_period_reopenings"),
        sa.ForeignKeyConstraint(["period_id"], ["periods.id"], name="fk_period_reopenings_period_id"),
        **_OPTIONS,
    )
    for table, column in _INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column], if_not_exists=True)


def downgrade() -> None:
    """Drop them."""
    for table in ("period_reopenings", "period_parts", "periods"):
        op.drop_table(table, if_exists=True)


def _type_of_person() -> sa.types.TypeEngine[Any]:
    """Return the type of ``karyawan.id`` as it is: a server takes a foreign key of the very same type only."""
    columns = sa.inspect(op.get_bind()).get_columns("karyawan")
    kind: sa.types.TypeEngine[Any] = next(column["type"] for column in columns if column["name"] == "id")
    return sa.BigInteger() if isinstance(kind, sa.BigInteger) else sa.Integer()

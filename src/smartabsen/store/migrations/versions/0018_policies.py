"""Policies of the firm with the date from which they hold, and orders for overtime."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0018"
down_revision = "0017"
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
    "sqlite_autoincrement": True,
    "if_not_exists": True,
}


def upgrade() -> None:
    """Add both tables; each step leaves alone what is there."""
    person = _type_of_person()
    op.create_table(
        "policies",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("scope_id", _BIG_ID, nullable=False),
        sa.Column("karyawan_id", person),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("set_by", sa.String(100), nullable=False),
        sa.Column("set_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_policies"),
        sa.UniqueConstraint(
            "name", "scope", "scope_id", "valid_from", name="uq_policies_name_scope_scope_id_valid_from"
        ),
        sa.ForeignKeyConstraint(["karyawan_id"], ["karyawan.id"], name="fk_policies_karyawan_id"),
        **_OPTIONS,
    )
    op.create_index("ix_policies_karyawan_id", "policies", ["karyawan_id"], if_not_exists=True)
    op.create_table(
        "overtime_orders",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("karyawan_id", person, nullable=False),
        sa.Column("work_date", sa.Date, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("ordered_by", sa.String(100), nullable=False),
        sa.Column("ordered_at", _INSTANT, nullable=False),
        sa.Column("consent_by", sa.String(100)),
        sa.Column("consent_at", _INSTANT),
        sa.Column("approved_by", sa.String(100)),
        sa.Column("approved_at", _INSTANT),
        sa.Column("cancelled_by", sa.String(100)),
        sa.Column("cancelled_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_overtime_orders"),
        sa.ForeignKeyConstraint(["karyawan_id"], ["karyawan.id"], name="fk_overtime_orders_karyawan_id"),
        **_OPTIONS,
    )
    for columns in (["karyawan_id", "work_date"], ["work_date"]):
        name = f"ix_overtime_orders_{'_'.join(columns)}"
        op.create_index(name, "overtime_orders", columns, if_not_exists=True)


def downgrade() -> None:
    """Drop them."""
    for table in ("overtime_orders", "policies"):
        op.drop_table(table, if_exists=True)


def _type_of_person() -> sa.types.TypeEngine[Any]:
    """Return the type of ``karyawan.id`` as it is: a server takes a foreign key of the very same type only."""
    columns = sa.inspect(op.get_bind()).get_columns("karyawan")
    kind: sa.types.TypeEngine[Any] = next(column["type"] for column in columns if column["name"] == "id")
    return sa.BigInteger() if isinstance(kind, sa.BigInteger) else sa.Integer()

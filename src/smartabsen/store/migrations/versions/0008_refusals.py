"""Why people were refused at kiosks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "refusals",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at_utc", _INSTANT, nullable=False),
        sa.Column("kiosk", sa.String(100), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("similarity", sa.Double),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("lead", sa.Double),
        sa.Column("margin", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refusals"),
        sqlite_autoincrement=True,
        if_not_exists=True,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mariadb_engine="InnoDB",
        mariadb_charset="utf8mb4",
        mariadb_collate="utf8mb4_bin",
    )
    op.create_index("ix_refusals_at_utc", "refusals", ["at_utc"], if_not_exists=True)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("refusals", if_exists=True)

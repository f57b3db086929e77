"""Users of the dashboard, and punches that supersede others."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0006"
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
    "if_not_exists": True,
}
_INDEX = "ix_punches_supersedes_id"


def upgrade() -> None:
    """Make the table of users, and give punches the column."""
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("password_hash", sa.String(100), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("failed_attempts", sa.Integer, nullable=False),
        sa.Column("locked_until", _INSTANT),
        sa.Column("sessions_valid_from", _INSTANT, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("last_login_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
        sqlite_autoincrement=True,
        **_OPTIONS,
    )
    # Asked for, because MariaDB may have got this far before somebody ended it.
    if not _has_column():
        op.add_column("punches", sa.Column("supersedes_id", sa.Integer))
    op.create_index(_INDEX, "punches", ["supersedes_id"], unique=True, if_not_exists=True)


def downgrade() -> None:
    """Drop the users, and corrections, whose words an older program does not know: the punches behind them count.

    Forgotten punches that were entered afterwards stay, as made by hand.
    """
    if _has_column():
        op.execute("DELETE FROM punches WHERE supersedes_id IS NOT NULL")
        op.execute("UPDATE punches SET method = 'manual' WHERE method = 'correction'")
        op.drop_index(_INDEX, "punches", if_exists=True)
        op.drop_column("punches", "supersedes_id")
    op.drop_table("users", if_exists=True)


def _has_column() -> bool:
    inspector = sa.inspect(op.get_bind())
    return inspector.has_table("punches") and any(
        column["name"] == "supersedes_id" for column in inspector.get_columns("punches")
    )

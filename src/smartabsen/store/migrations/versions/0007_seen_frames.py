"""Digests of the frames that came from browsers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0007"
down_revision = "0006"
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
    # MariaDB commits each step by itself: a migration that was killed goes on behind those that are there.
    "if_not_exists": True,
}


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "seen_frames",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("attempt", sa.String(64), nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_seen_frames"),
        **_OPTIONS,
    )
    op.create_index("ix_seen_frames_seen_at", "seen_frames", ["seen_at"], if_not_exists=True)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("seen_frames", if_exists=True)

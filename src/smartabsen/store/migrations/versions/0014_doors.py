"""A second factor, known devices, tries that are counted for each of them, and what people read of their sessions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0014"
down_revision = "0012"
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
_COLUMNS: tuple[tuple[str, str, sa.types.TypeEngine[Any]], ...] = (
    ("users", "must_change", sa.Boolean()),
    ("users", "totp_secret", sa.LargeBinary()),
    ("users", "totp_step", sa.Integer()),
    ("web_sessions", "last_seen_at", _INSTANT),
    ("web_sessions", "address", sa.String(64)),
    ("web_sessions", "label", sa.String(100)),
)


def upgrade() -> None:
    """Add columns and tables; each step leaves alone what is there."""
    for table, name, kind in _COLUMNS:
        if not _has(table, name):
            op.add_column(table, sa.Column(name, kind))
    op.create_table(
        "known_devices",
        sa.Column("device_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("last_used_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("device_hash", "user_id", name="pk_known_devices"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_known_devices_user_id"),
        **_OPTIONS,
    )
    op.create_index("ix_known_devices_user_id", "known_devices", ["user_id"], if_not_exists=True)
    op.create_index("ix_known_devices_last_used_at", "known_devices", ["last_used_at"], if_not_exists=True)
    op.create_table(
        "sign_in_tries",
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", _INSTANT),
        sa.Column("touched_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name="pk_sign_in_tries"),
        **_OPTIONS,
    )
    op.create_index("ix_sign_in_tries_touched_at", "sign_in_tries", ["touched_at"], if_not_exists=True)
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("used_at", _INSTANT),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name="pk_recovery_codes"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_recovery_codes_user_id"),
        **_OPTIONS,
    )


def downgrade() -> None:
    """Drop them: an older program asks for no code and counts tries anew."""
    for table in ("recovery_codes", "sign_in_tries", "known_devices"):
        op.drop_table(table, if_exists=True)
    for table, name, _kind in reversed(_COLUMNS):
        if _has(table, name):
            op.drop_column(table, name)


def _has(table: str, column: str) -> bool:
    return column in {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}

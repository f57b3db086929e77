"""Sign-in by phone: requests, paired phones, PINs, sessions of browsers, rate limits.

``qr_tokens`` is made anew: nothing was ever stored in it, and what it holds lives ten minutes.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
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
    # MariaDB commits each table by itself: a migration that was killed goes on behind those that are there.
    "if_not_exists": True,
}
_NEW_TABLES = ("phones", "pairings", "pins", "web_sessions", "rate_limits")


def upgrade() -> None:
    """Make the tables."""
    op.drop_table("qr_tokens", if_exists=True)
    op.create_table(
        "phones",
        sa.Column("id", sa.Integer, nullable=False),
        _employee("phones"),
        _text("credential", 64),
        _text("label", 100),
        _instant("created_at"),
        sa.Column("last_used_at", _INSTANT),
        sa.Column("revoked_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_phones"),
        sa.UniqueConstraint("credential", name="uq_phones_credential"),
        sqlite_autoincrement=True,
        **_OPTIONS,
    )
    op.create_table(
        "qr_tokens",
        _text("token", 64),
        _text("code_hash", 64),
        _text("session_hash", 64),
        _number("number"),
        _text("kiosk", 100),
        _text("place", 100),
        _text("state", 16),
        sa.Column("verified", sa.Boolean, nullable=False),
        sa.Column("phone_id", sa.Integer, sa.ForeignKey("phones.id", name="fk_qr_tokens_phone_id")),
        _instant("created_at"),
        _instant("expires_at"),
        sa.PrimaryKeyConstraint("token", name="pk_qr_tokens"),
        sa.UniqueConstraint("code_hash", name="uq_qr_tokens_code_hash"),
        sa.UniqueConstraint("session_hash", name="uq_qr_tokens_session_hash"),
        **_OPTIONS,
    )
    _index("qr_tokens", "expires_at")
    op.create_table(
        "pairings",
        _text("token", 64),
        _employee("pairings"),
        _instant("expires_at"),
        sa.PrimaryKeyConstraint("token", name="pk_pairings"),
        sa.UniqueConstraint("karyawan_id", name="uq_pairings_karyawan_id"),
        **_OPTIONS,
    )
    _index("pairings", "expires_at")
    op.create_table(
        "pins",
        _employee("pins"),
        _text("pin_hash", 80),
        _text("key_id", 16),
        _number("failures"),
        sa.Column("locked_until", _INSTANT),
        _instant("created_at"),
        sa.PrimaryKeyConstraint("karyawan_id", name="pk_pins"),
        **_OPTIONS,
    )
    op.create_table(
        "web_sessions",
        _text("id_hash", 64),
        sa.Column("user_id", sa.Integer),
        sa.Column("data", sa.Text, nullable=False),
        _instant("created_at"),
        _number("idle_s"),
        _instant("idle_until"),
        _instant("expires_at"),
        sa.PrimaryKeyConstraint("id_hash", name="pk_web_sessions"),
        **_OPTIONS,
    )
    _index("web_sessions", "user_id")
    _index("web_sessions", "idle_until")
    op.create_table(
        "rate_limits",
        _text("key_hash", 64),
        _number("count"),
        _instant("resets_at"),
        sa.PrimaryKeyConstraint("key_hash", name="pk_rate_limits"),
        **_OPTIONS,
    )
    _index("rate_limits", "resets_at")


def downgrade() -> None:
    """Drop the tables, with everything in them, and make ``qr_tokens`` as it was."""
    op.drop_table("qr_tokens", if_exists=True)
    for table in reversed(_NEW_TABLES):
        op.drop_table(table, if_exists=True)
    op.create_table(
        "qr_tokens",
        _text("token", 64),
        _instant("created_at"),
        sa.Column("verified", sa.Boolean, nullable=False),
        _instant("expires_at"),
        sa.PrimaryKeyConstraint("token", name="pk_qr_tokens"),
        **_OPTIONS,
    )
    _index("qr_tokens", "expires_at")


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _instant(name: str) -> sa.Column[Any]:
    return sa.Column(name, _INSTANT, nullable=False)


def _employee(table: str) -> sa.Column[int]:
    return sa.Column(
        "karyawan_id",
        sa.Integer,
        sa.ForeignKey("karyawan.id", name=f"fk_{table}_karyawan_id"),
        nullable=False,
        autoincrement=False,
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), if_not_exists=True)

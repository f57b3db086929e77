"""First tables.

Types are written out and not taken from ``tables/``: a migration must go on doing what it did when it was written.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
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
_TABLES = ("karyawan", "absensi", "qr_tokens", "templates", "punches", "audit", "meta")


def upgrade() -> None:
    """Make all tables."""
    _make(
        "karyawan",
        _text("kode", 64),
        _text("kode_kunci", 128),
        _text("nama", 200),
        _text("jabatan", 200),
        sa.Column("aktif", sa.Boolean, nullable=False),
        sa.Column("telepon", sa.String(32)),
        sa.Column("email", sa.String(254)),
        sa.Column("persetujuan_at", _INSTANT),
        _text("cari", 700),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("kode_kunci", name="uq_karyawan_kode_kunci"),
    )
    _make(
        "absensi",
        _employee("absensi"),
        sa.Column("tanggal", sa.Date, nullable=False),
        sa.Column("jam_masuk", _INSTANT),
        sa.Column("jam_pulang", _INSTANT),
        _text("status", 16),
        sa.Column("menit_terlambat", sa.Integer, nullable=False),
        sa.Column("menit_kerja", sa.Integer, nullable=False),
        _text("keterangan", 500),
        sa.UniqueConstraint("karyawan_id", "tanggal", name="uq_absensi_karyawan_id_tanggal"),
        sa.CheckConstraint("status IN ('Hadir', 'Terlambat', 'Izin', 'Sakit')", name="ck_absensi_status"),
    )
    _index("absensi", "tanggal")
    op.create_table(
        "qr_tokens",
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("verified", sa.Boolean, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_qr_tokens"),
        **_OPTIONS,
    )
    _index("qr_tokens", "expires_at")
    _make(
        "templates",
        _employee("templates"),
        _text("engine", 100),
        _text("model_digest", 64),
        sa.Column("dimension", sa.Integer, nullable=False),
        sa.Column("embedding", sa.LargeBinary, nullable=False),
        sa.Column("quality", sa.Text, nullable=False),
        _text("source", 255),
        _text("photo_digest", 64),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.UniqueConstraint(
            "karyawan_id",
            "engine",
            "model_digest",
            "photo_digest",
            name="uq_templates_karyawan_id_engine_model_digest_photo_digest",
        ),
    )
    _index("templates", "engine", "model_digest")
    _make(
        "punches",
        _employee("punches"),
        _text("idempotency_key", 100),
        sa.Column("at_utc", _INSTANT, nullable=False),
        sa.Column("work_date", sa.Date, nullable=False),
        _text("method", 16),
        _text("status", 16),
        _text("kiosk", 100),
        sa.Column("similarity", sa.Double),
        sa.Column("liveness", sa.Double),
        _text("model_digest", 64),
        _text("note", 500),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("idempotency_key", name="uq_punches_idempotency_key"),
    )
    _index("punches", "karyawan_id", "at_utc")
    _index("punches", "work_date", "id")
    _make(
        "audit",
        sa.Column("at_utc", _INSTANT, nullable=False),
        _text("actor", 100),
        _text("action", 100),
        _text("subject", 100),
        sa.Column("details", sa.Text, nullable=False),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_meta"),
        **_OPTIONS,
    )


def downgrade() -> None:
    """Drop all tables, with everything in them."""
    for table in reversed(_TABLES):
        op.drop_table(table, if_exists=True)


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


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), if_not_exists=True)

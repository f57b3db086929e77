"""Shifts with their versions, patterns, assignments, rosters, presets, and the calendar."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
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
_TABLES = (
    "shifts",
    "shift_versions",
    "patterns",
    "pattern_steps",
    "shift_assignments",
    "roster_days",
    "shift_presets",
    "shift_preset_shifts",
    "calendar_days",
    "joint_leave_worked",
)
_INDEXES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("pattern_steps", ("shift_id",)),
    ("shift_assignments", ("scope", "scope_id", "first_date")),
    ("shift_assignments", ("karyawan_id",)),
    ("shift_assignments", ("pattern_id",)),
    ("roster_days", ("work_date",)),
    ("roster_days", ("shift_id",)),
    ("shift_preset_shifts", ("preset_id",)),
    ("shift_preset_shifts", ("shift_id",)),
    ("shift_preset_shifts", ("instead_id",)),
    ("joint_leave_worked", ("work_date",)),
)


def upgrade() -> None:
    """Add the tables, all empty; each step leaves alone what is there."""
    _table("shifts", *_codes("shifts"), _made())
    _table(
        "shift_versions",
        sa.Column("shift_id", _ID, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("spans", sa.String(500), nullable=False),
        sa.Column("breaks", sa.String(500), nullable=False),
        sa.Column("opens_before", sa.Integer, nullable=False),
        sa.Column("closes_after", sa.Integer, nullable=False),
        sa.Column("grace_in", sa.Integer, nullable=False),
        sa.Column("grace_out", sa.Integer, nullable=False),
        sa.Column("flexible_day", sa.Integer),
        sa.Column("flexible_week", sa.Integer),
        sa.Column("early_counts", sa.Boolean, nullable=False),
        sa.Column("break_is_taken", sa.Boolean, nullable=False),
        sa.Column("rounding", sa.Integer, nullable=False),
        _made(),
        sa.UniqueConstraint("shift_id", "valid_from", name="uq_shift_versions_shift_id_valid_from"),
        _key("shift_versions", "shift_id", "shifts"),
    )
    _table(
        "patterns",
        *_codes("patterns"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("starts", sa.Date),
        _made(),
    )
    _table(
        "pattern_steps",
        sa.Column("pattern_id", _ID, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("shift_id", _ID),
        sa.Column("days", sa.Integer, nullable=False),
        sa.UniqueConstraint("pattern_id", "place", name="uq_pattern_steps_pattern_id_place"),
        _key("pattern_steps", "pattern_id", "patterns"),
        _key("pattern_steps", "shift_id", "shifts"),
    )
    _table(
        "shift_assignments",
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("scope_id", _ID, nullable=False),
        sa.Column("karyawan_id", sa.Integer),
        sa.Column("pattern_id", _ID, nullable=False),
        sa.Column("first_date", sa.Date, nullable=False),
        sa.Column("last_date", sa.Date),
        _made(),
        _key("shift_assignments", "karyawan_id", "karyawan"),
        _key("shift_assignments", "pattern_id", "patterns"),
    )
    _table(
        "roster_days",
        sa.Column("karyawan_id", sa.Integer, nullable=False),
        sa.Column("work_date", sa.Date, nullable=False),
        sa.Column("shift_id", _ID),
        sa.Column("reason", sa.String(500), nullable=False),
        _made(),
        sa.UniqueConstraint("karyawan_id", "work_date", name="uq_roster_days_karyawan_id_work_date"),
        _key("roster_days", "karyawan_id", "karyawan"),
        _key("roster_days", "shift_id", "shifts"),
    )
    _table(
        "shift_presets",
        *_codes("shift_presets"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("first_date", sa.Date, nullable=False),
        sa.Column("last_date", sa.Date, nullable=False),
        _made(),
    )
    _table(
        "shift_preset_shifts",
        sa.Column("preset_id", _ID, nullable=False),
        sa.Column("shift_id", _ID, nullable=False),
        sa.Column("weekday", sa.Integer),
        sa.Column("instead_id", _ID, nullable=False),
        _key("shift_preset_shifts", "preset_id", "shift_presets"),
        _key("shift_preset_shifts", "shift_id", "shifts"),
        _key("shift_preset_shifts", "instead_id", "shifts"),
    )
    _table(
        "calendar_days",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("site_id", _ID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("is_tentative", sa.Boolean, nullable=False),
        sa.Column("is_taken", sa.Boolean, nullable=False),
        _made(),
        sa.UniqueConstraint("day", "kind", "region", "site_id", name="uq_calendar_days_day_kind_region_site_id"),
    )
    _table(
        "joint_leave_worked",
        sa.Column("karyawan_id", sa.Integer, nullable=False),
        sa.Column("work_date", sa.Date, nullable=False),
        _made(),
        sa.UniqueConstraint("karyawan_id", "work_date", name="uq_joint_leave_worked_karyawan_id_work_date"),
        _key("joint_leave_worked", "karyawan_id", "karyawan"),
    )
    for table, columns in _INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), if_not_exists=True)


def downgrade() -> None:
    """Drop them: an older program knows one start of work, from its settings."""
    for table in reversed(_TABLES):
        op.drop_table(table, if_exists=True)


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    number = sa.Column("id", _ID, nullable=False, autoincrement=True)
    op.create_table(name, number, *parts, sa.PrimaryKeyConstraint("id", name=f"pk_{name}"), **_OPTIONS)


def _codes(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("code_key", sa.String(128), nullable=False),
        sa.UniqueConstraint("code_key", name=f"uq_{table}_code_key"),
    )


def _made() -> sa.Column[Any]:
    return sa.Column("created_at", _INSTANT, nullable=False)


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}")

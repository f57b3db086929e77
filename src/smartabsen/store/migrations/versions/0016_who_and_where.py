"""Sites, kiosks, departments; what was agreed with people, from when on; their former codes and their sealed wages."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0016"
down_revision = "0015"
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
_TABLES = ("sites", "kiosks", "departments", "former_codes", "employment_terms", "wages")
_COLUMNS: tuple[tuple[str, str, sa.types.TypeEngine[Any]], ...] = (
    ("karyawan", "tanggal_bergabung", sa.Date()),
    ("karyawan", "tanggal_keluar", sa.Date()),
    ("users", "department_id", _ID),
    ("users", "karyawan_id", _ID),
)
_INDEXES = (
    ("kiosks", "site_id"),
    ("departments", "head_id"),
    ("former_codes", "karyawan_id"),
    ("employment_terms", "site_id"),
    ("employment_terms", "department_id"),
)


def upgrade() -> None:
    """Add tables and columns, all empty; each step leaves alone what is there. The first start enters the site."""
    _table(
        "sites",
        *_code_and_name(),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("confirmed_at", _INSTANT),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("code_key", name="uq_sites_code_key"),
    )
    _table(
        "kiosks",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("site_id", _ID, nullable=False),
        sa.Column("assigned_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("name", name="uq_kiosks_name"),
        _key("kiosks", "site_id", "sites"),
    )
    _table(
        "departments",
        *_code_and_name(),
        sa.Column("head_id", _ID),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("code_key", name="uq_departments_code_key"),
    )
    _table(
        "former_codes",
        sa.Column("karyawan_id", sa.Integer, nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("code_key", sa.String(128), nullable=False),
        sa.Column("until_utc", _INSTANT, nullable=False),
        sa.UniqueConstraint("code_key", name="uq_former_codes_code_key"),
        _key("former_codes", "karyawan_id", "karyawan"),
    )
    _table(
        "employment_terms",
        sa.Column("karyawan_id", sa.Integer, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("site_id", _ID),
        sa.Column("department_id", _ID),
        sa.Column("week", sa.Integer),
        sa.Column("shortest_day", sa.Integer),
        sa.Column("exempt_clause", sa.String(500)),
        sa.UniqueConstraint("karyawan_id", "valid_from", name="uq_employment_terms_karyawan_id_valid_from"),
        _key("employment_terms", "karyawan_id", "karyawan"),
        _key("employment_terms", "site_id", "sites"),
        _key("employment_terms", "department_id", "departments"),
    )
    _table(
        "wages",
        sa.Column("karyawan_id", sa.Integer, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("wage", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.String(12), nullable=False),
        sa.UniqueConstraint("karyawan_id", "valid_from", name="uq_wages_karyawan_id_valid_from"),
        _key("wages", "karyawan_id", "karyawan"),
    )
    for table, column in _INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column], if_not_exists=True)
    for table, name, kind in _COLUMNS:
        if not _has(table, name):
            op.add_column(table, sa.Column(name, kind))


def downgrade() -> None:
    """Drop them. Older programs know two roles: who had another one may look, and a manager, who saw less, may not."""
    op.execute("UPDATE users SET role = 'viewer', active = 0 WHERE role = 'manager'")
    op.execute("UPDATE users SET role = 'viewer' WHERE role NOT IN ('admin', 'viewer')")
    for table, name, _kind in reversed(_COLUMNS):
        if _has(table, name):
            op.drop_column(table, name)
    for table in reversed(_TABLES):
        op.drop_table(table, if_exists=True)


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    number = sa.Column("id", _ID, nullable=False, autoincrement=True)
    op.create_table(name, number, *parts, sa.PrimaryKeyConstraint("id", name=f"pk_{name}"), **_OPTIONS)


def _code_and_name() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("code_key", sa.String(128), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
    )


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}")


def _has(table: str, column: str) -> bool:
    return column in {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}

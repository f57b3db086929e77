"""Leave: kinds of the firm, requests with days, steps and letters, the ledger, delegations."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_PLAIN: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
    "if_not_exists": True,
}
_OPTIONS: dict[str, Any] = {**_PLAIN, "sqlite_autoincrement": True}
_INDEXES = (
    ("leave_requests", ["karyawan_id", "first_day"]),
    ("leave_requests", ["state"]),
    ("leave_days", ["karyawan_id", "day"]),
    ("leave_steps", ["request_id"]),
    ("leave_ledger", ["karyawan_id", "account"]),
    ("leave_ledger", ["request_id"]),
    ("leave_attachments", ["request_id"]),
    ("leave_delegations", ["delegate"]),
)


def upgrade() -> None:
    """Add the tables; each step leaves alone what is there."""
    person = _type_of_person()
    op.create_table(
        "leave_kinds",
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("label", sa.String(100), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("most_days", sa.Integer),
        sa.Column("calendar", sa.Boolean, nullable=False),
        sa.Column("counts_as_work", sa.Boolean, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_leave_kinds"),
        **_PLAIN,
    )
    op.create_table(
        "leave_requests",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("karyawan_id", person, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("part_of_day", sa.String(16), nullable=False),
        sa.Column("half_days", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("steps_wanted", sa.Integer, nullable=False),
        sa.Column("steps_done", sa.Integer, nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("asked_by", sa.String(100), nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leave_requests"),
        sa.ForeignKeyConstraint(["karyawan_id"], ["karyawan.id"], name="fk_leave_requests_karyawan_id"),
        **_OPTIONS,
    )
    op.create_table(
        "leave_days",
        sa.Column("request_id", _BIG_ID, nullable=False, autoincrement=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("karyawan_id", person, nullable=False),
        sa.Column("half_days", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("request_id", "day", name="pk_leave_days"),
        sa.ForeignKeyConstraint(["request_id"], ["leave_requests.id"], name="fk_leave_days_request_id"),
        sa.ForeignKeyConstraint(["karyawan_id"], ["karyawan.id"], name="fk_leave_days_karyawan_id"),
        **_PLAIN,
    )
    op.create_table(
        "leave_steps",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("request_id", _BIG_ID, nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("in_place_of", sa.String(100), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("at_utc", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leave_steps"),
        sa.ForeignKeyConstraint(["request_id"], ["leave_requests.id"], name="fk_leave_steps_request_id"),
        **_OPTIONS,
    )
    op.create_table(
        "leave_ledger",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("karyawan_id", person, nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("entry", sa.String(16), nullable=False),
        sa.Column("half_days", sa.Integer, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("expires_on", sa.Date),
        sa.Column("request_id", _BIG_ID),
        sa.Column("lot_id", _BIG_ID),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("at_utc", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leave_ledger"),
        sa.ForeignKeyConstraint(["karyawan_id"], ["karyawan.id"], name="fk_leave_ledger_karyawan_id"),
        sa.ForeignKeyConstraint(["request_id"], ["leave_requests.id"], name="fk_leave_ledger_request_id"),
        **_OPTIONS,
    )
    op.create_table(
        "leave_attachments",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("request_id", _BIG_ID, nullable=False),
        sa.Column("karyawan_id", person, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"), nullable=False),
        sa.Column("key_id", sa.String(12), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leave_attachments"),
        sa.ForeignKeyConstraint(["request_id"], ["leave_requests.id"], name="fk_leave_attachments_request_id"),
        sa.ForeignKeyConstraint(["karyawan_id"], ["karyawan.id"], name="fk_leave_attachments_karyawan_id"),
        **_OPTIONS,
    )
    op.create_table(
        "leave_delegations",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("principal", sa.String(100), nullable=False),
        sa.Column("delegate", sa.String(100), nullable=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leave_delegations"),
        **_OPTIONS,
    )
    for table, columns in _INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns, if_not_exists=True)


def downgrade() -> None:
    """Drop them."""
    for table in (
        "leave_delegations",
        "leave_attachments",
        "leave_ledger",
        "leave_steps",
        "leave_days",
        "leave_requests",
        "leave_kinds",
    ):
        op.drop_table(table, if_exists=True)


def _type_of_person() -> sa.types.TypeEngine[Any]:
    """Return the type of ``karyawan.id`` as it is: a server takes a foreign key of the very same type only."""
    columns = sa.inspect(op.get_bind()).get_columns("karyawan")
    kind: sa.types.TypeEngine[Any] = next(column["type"] for column in columns if column["name"] == "id")
    return sa.BigInteger() if isinstance(kind, sa.BigInteger) else sa.Integer()

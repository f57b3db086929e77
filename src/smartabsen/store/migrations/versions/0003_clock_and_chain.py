"""The mark of a clock that was not to be trusted, the database's identity, and the chain of the audit trail."""

from __future__ import annotations

import json
import uuid
from datetime import UTC
from hashlib import sha256

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_CHAIN = ("number", "previous", "digest")


def upgrade() -> None:
    """Add what is missing; each step leaves alone what is there."""
    if not _has("punches", "clock_trusted"):
        op.add_column("punches", sa.Column("clock_trusted", sa.Boolean, nullable=False, server_default=sa.true()))
    for name in _CHAIN:
        if not _has("audit", name):
            op.add_column("audit", sa.Column(name, sa.Integer if name == "number" else sa.String(64)))
    op.create_index("ix_audit_number", "audit", ["number"], unique=True, if_not_exists=True)
    _put("database_id", uuid.uuid4().hex, replace=False)
    _chain()


def downgrade() -> None:
    """Take it away again."""
    op.drop_index("ix_audit_number", "audit", if_exists=True)
    for table, names in (("audit", _CHAIN), ("punches", ("clock_trusted",))):
        for name in names:
            if _has(table, name):
                op.drop_column(table, name)


def _chain() -> None:
    """Chain the entries that are there, the oldest first. Run again, it comes to the same end."""
    connection = op.get_bind()
    audit = sa.table(
        "audit",
        sa.column("id", sa.Integer),
        sa.column("at_utc", _INSTANT),
        *(sa.column(name, sa.Text) for name in ("actor", "action", "subject", "details")),
        sa.column("number", sa.Integer),
        *(sa.column(name, sa.String) for name in ("previous", "digest")),
    )
    number, last = 0, "0" * 64
    for row in connection.execute(sa.select(audit).order_by(audit.c.id)).all():
        number += 1
        at = row.at_utc.replace(tzinfo=UTC).isoformat()
        facts = [number, at, row.actor, row.action, row.subject, row.details, last]
        digest = sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()
        values = {"number": number, "previous": last, "digest": digest}
        connection.execute(sa.update(audit).where(audit.c.id == row.id).values(**values))
        last = digest
    _put("audit_head", f"{number}:{last}", replace=True)


def _put(name: str, value: str, *, replace: bool) -> None:
    connection = op.get_bind()
    meta = sa.table("meta", sa.column("name", sa.String), sa.column("value", sa.Text))
    if connection.scalar(sa.select(meta.c.value).where(meta.c.name == name)) is None:
        connection.execute(sa.insert(meta).values(name=name, value=value))
    elif replace:
        connection.execute(sa.update(meta).where(meta.c.name == name).values(value=value))


def _has(table: str, column: str) -> bool:
    return column in {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}

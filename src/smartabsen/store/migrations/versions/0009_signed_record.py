"""Entries of the audit trail that can forget a person, signatures of entries, punches and days, reasons of erasures.

What is there stays as it is, without a signature: this migration has no key, and hashes that were written down or lie
in backups go on to fit.
"""

from __future__ import annotations

import json
from datetime import UTC
from hashlib import sha256

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_COLUMNS = (
    ("audit", "salt", 32),
    ("audit", "content", 64),
    ("audit", "signature", 80),
    ("punches", "signature", 80),
    ("absensi", "signature", 80),
)


def upgrade() -> None:
    """Add the columns; each step leaves alone what is there."""
    for table, name, length in _COLUMNS:
        if not _has(table, name):
            op.add_column(table, sa.Column(name, sa.String(length)))
    if not _has("erasures", "reason"):
        op.add_column("erasures", sa.Column("reason", sa.String(500), nullable=False, server_default=""))


def downgrade() -> None:
    """Take them away, and chain the entries as an older program does: heads that were written down fit no more."""
    _chain()
    for table, name, _length in (("erasures", "reason", 500), *reversed(_COLUMNS)):
        if _has(table, name):
            op.drop_column(table, name)


def _chain() -> None:
    connection = op.get_bind()
    audit = sa.table(
        "audit",
        sa.column("at_utc", _INSTANT),
        *(sa.column(name, sa.Text) for name in ("actor", "action", "subject", "details")),
        sa.column("number", sa.Integer),
        *(sa.column(name, sa.String) for name in ("previous", "digest")),
    )
    number, last = 0, "0" * 64
    for row in connection.execute(sa.select(audit).where(audit.c.number > 0).order_by(audit.c.number)).all():
        number = row.number
        at = row.at_utc.replace(tzinfo=UTC).isoformat()
        facts = [number, at, row.actor, row.action, row.subject, row.details, last]
        digest = sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()
        connection.execute(sa.update(audit).where(audit.c.number == number).values(previous=last, digest=digest))
        last = digest
    meta = sa.table("meta", sa.column("name", sa.String), sa.column("value", sa.Text))
    connection.execute(sa.update(meta).where(meta.c.name == "audit_head").values(value=f"{number}:{last}"))


def _has(table: str, column: str) -> bool:
    return column in {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}

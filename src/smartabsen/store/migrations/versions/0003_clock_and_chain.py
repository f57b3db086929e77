"""The mark of a clock that was not to be trusted, the database's identity, and the chain of the audit trail."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is missing; each step leaves alone what is there."""
    if not _has("punches", "clock_trusted"):
        op.add_column("punches", sa.Column("clock_trusted", sa.Boolean, nullable=False, server_default=sa.true()))
    connection = op.get_bind()
    if connection.scalar(sa.text("SELECT value FROM meta WHERE name = 'database_id'")) is None:
        identity = sa.text("INSERT INTO meta (name, value) VALUES ('database_id', :value)")
        connection.execute(identity, {"value": uuid.uuid4().hex})


def downgrade() -> None:
    """Take it away again."""
    if _has("punches", "clock_trusted"):
        with op.batch_alter_table("punches") as batch:
            batch.drop_column("clock_trusted")


def _has(table: str, column: str) -> bool:
    return column in {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}

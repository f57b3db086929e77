"""By how much the clock of a kiosk was ahead of the database server's at each punch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; punches of before have none."""
    if not _has("punches", "clock_offset_s"):
        op.add_column("punches", sa.Column("clock_offset_s", sa.Double))


def downgrade() -> None:
    """Take it away: punches that have an offset lose what their signature covers."""
    if _has("punches", "clock_offset_s"):
        op.drop_column("punches", "clock_offset_s")


def _has(table: str, column: str) -> bool:
    return column in {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}

"""At which place of an address a sign-in waits, and when its browser last asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TABLE = "qr_tokens"
_INDEX = "ix_qr_tokens_waits_at"
_COLUMNS = (
    ("waits_at", sa.String(64)),
    ("asked_at", sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")),
)


def upgrade() -> None:
    """Add them, empty: what waits already ends within ten minutes. Each step leaves alone what is there."""
    known = _columns()
    for name, kind in _COLUMNS:
        if name not in known:
            op.add_column(_TABLE, sa.Column(name, kind))
    op.create_index(_INDEX, _TABLE, ["waits_at"], unique=True, if_not_exists=True)


def downgrade() -> None:
    """Drop them."""
    if _INDEX in {found["name"] for found in sa.inspect(op.get_bind()).get_indexes(_TABLE)}:
        op.drop_index(_INDEX, _TABLE)
    known = _columns()
    for name, _kind in reversed(_COLUMNS):
        if name in known:
            op.drop_column(_TABLE, name)


def _columns() -> set[str]:
    return {found["name"] for found in sa.inspect(op.get_bind()).get_columns(_TABLE)}

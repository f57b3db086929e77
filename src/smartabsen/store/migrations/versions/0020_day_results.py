"""Days have a revision, what they were judged by and why; older results are kept; any word may be a status.

Rows that are there become revision 0 and keep their signature. SQLite cannot drop a CHECK, so the table is rebuilt
there: it keeps AUTOINCREMENT and the number that the next row gets.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_TABLE = "absensi"
_OLDER = "day_revisions"
_CHECK = "ck_absensi_ck_absensi_status"
# What 0001 called it became this by the naming convention, which databases of an older Alembic may not have applied.
_NAMES = (_CHECK, "ck_absensi_status")
_WORDS = "status IN ('Hadir', 'Terlambat', 'Izin', 'Sakit')"
_INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("revision", sa.Integer()),
    ("ruleset", sa.String(64)),
    ("shift", sa.String(64)),
    ("kind", sa.String(16)),
    ("is_final", sa.Boolean()),
    ("minutes", sa.Text()),
    ("reasons", sa.Text()),
    ("marks", sa.Text()),
    ("judged_at", _INSTANT),
)
_NEW = "absensi_new"
_OLD_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("id", sa.Integer()),
    ("karyawan_id", sa.Integer()),
    ("tanggal", sa.Date()),
    ("jam_masuk", _INSTANT),
    ("jam_pulang", _INSTANT),
    ("status", sa.String(16)),
    ("menit_terlambat", sa.Integer()),
    ("menit_kerja", sa.Integer()),
    ("keterangan", sa.String(500)),
    ("signature", sa.String(80)),
)
_REQUIRED = {"karyawan_id", "tanggal", "status", "menit_terlambat", "menit_kerja", "keterangan"}
_SERVER: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
}


def upgrade() -> None:
    """Add columns and table, and take the CHECK away; each step leaves alone what is there."""
    known = _columns()
    for name, kind in _COLUMNS:
        if name not in known:
            op.add_column(_TABLE, sa.Column(name, kind))
    op.execute("UPDATE absensi SET revision = 0 WHERE revision IS NULL")
    check = _find_check()
    if check is not None:
        _drop_check(check)
    op.create_table(
        _OLDER,
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("karyawan_id", _type_of_person(), nullable=False),
        sa.Column("tanggal", sa.Date, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("jam_masuk", _INSTANT),
        sa.Column("jam_pulang", _INSTANT),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("menit_terlambat", sa.Integer, nullable=False),
        sa.Column("menit_kerja", sa.Integer, nullable=False),
        sa.Column("keterangan", sa.String(500), nullable=False),
        sa.Column("signature", sa.String(80)),
        *(sa.Column(name, kind) for name, kind in _COLUMNS if name != "revision"),
        sa.PrimaryKeyConstraint("id", name="pk_day_revisions"),
        sa.UniqueConstraint("karyawan_id", "tanggal", "revision", name="uq_day_revisions_karyawan_id_tanggal_revision"),
        sa.ForeignKeyConstraint(["karyawan_id"], ["karyawan.id"], name="fk_day_revisions_karyawan_id"),
        **_SERVER,
        sqlite_autoincrement=True,
        if_not_exists=True,
    )
    op.create_index("ix_day_revisions_tanggal", _OLDER, ["tanggal"], if_not_exists=True)


def downgrade() -> None:
    """Put everything back; right after the upgrade only, as the older program knows four statuses."""
    op.drop_table(_OLDER, if_exists=True)
    known = _columns()
    for name, _kind in reversed(_COLUMNS):
        if name in known:
            op.drop_column(_TABLE, name)
    if _find_check() is None:
        _add_check()


def _drop_check(name: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(present=False)
    else:
        op.drop_constraint(op.f(name), _TABLE, type_="check")


def _add_check() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(present=True)
    else:
        op.create_check_constraint(op.f(_CHECK), _TABLE, _WORDS)


def _rebuild(*, present: bool) -> None:
    """Rebuild the table of SQLite with the CHECK or without it, within the transaction; no other table refers to it."""
    connection = op.get_bind()
    last = connection.scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'absensi'"))
    known = _columns()
    columns = [*_OLD_COLUMNS, *(each for each in _COLUMNS if each[0] in known)]
    names = ", ".join(name for name, _ in columns)
    op.create_table(
        _NEW,
        sa.Column("id", sa.Integer, nullable=False),
        *(sa.Column(name, kind, nullable=name not in _REQUIRED) for name, kind in columns if name != "id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absensi")),
        sa.ForeignKeyConstraint(["karyawan_id"], ["karyawan.id"], name=op.f("fk_absensi_karyawan_id")),
        sa.UniqueConstraint("karyawan_id", "tanggal", name=op.f("uq_absensi_karyawan_id_tanggal")),
        *((sa.CheckConstraint(_WORDS, name=op.f(_CHECK)),) if present else ()),
        sqlite_autoincrement=True,
    )
    op.execute(f"INSERT INTO {_NEW} ({names}) SELECT {names} FROM {_TABLE}")  # noqa: S608 - names of ours
    op.drop_table(_TABLE)
    op.rename_table(_NEW, _TABLE)
    op.create_index(op.f("ix_absensi_tanggal"), _TABLE, ["tanggal"])
    connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name IN ('absensi', 'absensi_new')"))
    if last is not None:
        connection.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('absensi', :seq)"), {"seq": last})


def _find_check() -> str | None:
    known = {found["name"] for found in sa.inspect(op.get_bind()).get_check_constraints(_TABLE)}
    return next((name for name in _NAMES if name in known), None)


def _columns() -> set[str]:
    return {found["name"] for found in sa.inspect(op.get_bind()).get_columns(_TABLE)}


def _type_of_person() -> sa.types.TypeEngine[Any]:
    """Return the type of ``karyawan.id`` as it is: a server takes a foreign key of the very same type only."""
    columns = sa.inspect(op.get_bind()).get_columns("karyawan")
    kind: sa.types.TypeEngine[Any] = next(column["type"] for column in columns if column["name"] == "id")
    return sa.BigInteger() if isinstance(kind, sa.BigInteger) else sa.Integer()

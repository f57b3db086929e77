"""Days of Izin and Sakit, until now only a status of the day, become records of leave; the days stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None

_BY = "upgrade"
_KINDS = {"Izin": "izin", "Sakit": "sakit"}
_INSTANT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_DAYS = sa.table(
    "absensi",
    sa.column("karyawan_id", sa.Integer),
    sa.column("tanggal", sa.Date),
    sa.column("status", sa.String),
    sa.column("keterangan", sa.String),
)
_REQUESTS = sa.table(
    "leave_requests",
    sa.column("id", sa.Integer),
    sa.column("karyawan_id", sa.Integer),
    sa.column("kind", sa.String),
    sa.column("account", sa.String),
    sa.column("first_day", sa.Date),
    sa.column("last_day", sa.Date),
    sa.column("part_of_day", sa.String),
    sa.column("half_days", sa.Integer),
    sa.column("state", sa.String),
    sa.column("steps_wanted", sa.Integer),
    sa.column("steps_done", sa.Integer),
    sa.column("note", sa.String),
    sa.column("asked_by", sa.String),
    sa.column("asked_at", _INSTANT),
)
_REQUEST_DAYS = sa.table(
    "leave_days",
    sa.column("request_id", sa.Integer),
    sa.column("day", sa.Date),
    sa.column("karyawan_id", sa.Integer),
    sa.column("half_days", sa.Integer),
)
_STEPS = sa.table(
    "leave_steps",
    sa.column("request_id", sa.Integer),
    sa.column("decision", sa.String),
    sa.column("actor", sa.String),
    sa.column("in_place_of", sa.String),
    sa.column("reason", sa.String),
    sa.column("at_utc", _INSTANT),
)


def upgrade() -> None:
    """Enter a record for each run of days with the same status and note; what a record covers is left alone."""
    connection = op.get_bind()
    now = datetime.now(UTC).replace(tzinfo=None)
    for person, kind, note, days in _runs(connection):
        facts = {
            "karyawan_id": person,
            "kind": kind,
            "account": "",
            "first_day": days[0],
            "last_day": days[-1],
            "part_of_day": "full",
            "half_days": 2 * len(days),
            "state": "approved",
            "steps_wanted": 1,
            "steps_done": 1,
            "note": note,
            "asked_by": _BY,
            "asked_at": now,
        }
        request_id = connection.execute(sa.insert(_REQUESTS).values(**facts)).lastrowid
        rows = [{"request_id": request_id, "day": day, "karyawan_id": person, "half_days": 2} for day in days]
        connection.execute(sa.insert(_REQUEST_DAYS), rows)
        step = {"decision": "add", "actor": _BY, "in_place_of": "", "reason": note, "at_utc": now}
        connection.execute(sa.insert(_STEPS).values(request_id=request_id, **step))


def downgrade() -> None:
    """Take the records away that the upgrade entered; right after it only."""
    ours = sa.select(_REQUESTS.c.id).where(_REQUESTS.c.asked_by == _BY)
    for table in (_STEPS, _REQUEST_DAYS):
        op.execute(sa.delete(table).where(table.c.request_id.in_(ours)))
    op.execute(sa.delete(_REQUESTS).where(_REQUESTS.c.asked_by == _BY))


def _runs(connection: sa.Connection) -> Iterator[tuple[int, str, str, list[date]]]:
    """Yield person, kind, note and days of leave in a row that no record covers; one cut off goes on."""
    covered = sa.exists().where(
        _REQUEST_DAYS.c.karyawan_id == _DAYS.c.karyawan_id,
        _REQUEST_DAYS.c.day == _DAYS.c.tanggal,
        _REQUESTS.c.id == _REQUEST_DAYS.c.request_id,
        _REQUESTS.c.state.in_(["requested", "approved"]),
    )
    query = (
        sa.select(_DAYS.c.karyawan_id, _DAYS.c.status, _DAYS.c.keterangan, _DAYS.c.tanggal)
        .where(_DAYS.c.status.in_(list(_KINDS)), ~covered)
        .order_by(_DAYS.c.karyawan_id, _DAYS.c.tanggal)
    )
    found: list[Any] = list(connection.execute(query))
    numbered = enumerate(found)
    keyed = groupby(numbered, lambda each: (*each[1][:3], each[1].tanggal - timedelta(days=each[0])))
    for (person, status, note, _start), rows in keyed:
        yield person, _KINDS[status], note or "", [row.tanggal for _, row in rows]

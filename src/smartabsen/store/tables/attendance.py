"""Punches, and the days that are derived from them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from .base import BIG_ID, CODE_LENGTH, LABEL_LENGTH, NOTE_LENGTH, SIGNATURE_LENGTH, TABLE_OPTIONS, Base


class DayColumns:
    """What a result of a day has beside the owner's columns: null where the day was stored before there were rules.

    ``minutes``, ``reasons`` and ``marks`` are JSON: a new kind of minutes is no new column.
    """

    ruleset: Mapped[str | None] = mapped_column(String(CODE_LENGTH))
    shift: Mapped[str | None] = mapped_column(String(CODE_LENGTH))
    kind: Mapped[str | None] = mapped_column(String(16))
    is_final: Mapped[bool | None]
    minutes: Mapped[str | None] = mapped_column(Text)
    reasons: Mapped[str | None] = mapped_column(Text)
    marks: Mapped[str | None] = mapped_column(Text)
    judged_at: Mapped[datetime | None]


class Absensi(DayColumns, Base):
    """Attendance days: one row for each employee and work date, the newest result of the day.

    ``signature`` covers the row and which punches the day has; see ``store.signing``. ``status`` has no CHECK: its
    words grow. ``revision`` is 0 for days from before there were rules with a date.
    """

    __tablename__ = "absensi"
    __table_args__ = (UniqueConstraint("karyawan_id", "tanggal"), Index(None, "tanggal"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"))
    tanggal: Mapped[date]
    jam_masuk: Mapped[datetime | None]
    jam_pulang: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(16))
    menit_terlambat: Mapped[int]
    menit_kerja: Mapped[int]
    keterangan: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    signature: Mapped[str | None] = mapped_column(String(SIGNATURE_LENGTH))
    revision: Mapped[int | None]


class DayRevisionRow(DayColumns, Base):
    """Older results of days, as they were when a newer one took their place; never changed."""

    __tablename__ = "day_revisions"
    __table_args__ = (UniqueConstraint("karyawan_id", "tanggal", "revision"), Index(None, "tanggal"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"))
    tanggal: Mapped[date]
    revision: Mapped[int]
    jam_masuk: Mapped[datetime | None]
    jam_pulang: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(16))
    menit_terlambat: Mapped[int]
    menit_kerja: Mapped[int]
    keterangan: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    signature: Mapped[str | None] = mapped_column(String(SIGNATURE_LENGTH))


class PunchRow(Base):
    """Punches: never changed. ``status`` is what the person was told. ``method`` has no CHECK: its words will grow.

    ``supersedes_id`` names the punch that a correction replaces or takes out; unique, so that each one is corrected
    once and a further correction follows on the first.
    """

    __tablename__ = "punches"
    __table_args__ = (
        Index(None, "karyawan_id", "at_utc"),
        Index(None, "karyawan_id", "work_date"),
        Index(None, "work_date", "id"),
        Index(None, "supersedes_id", unique=True),
        TABLE_OPTIONS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"))
    idempotency_key: Mapped[str] = mapped_column(String(LABEL_LENGTH), unique=True)
    at_utc: Mapped[datetime]
    work_date: Mapped[date]
    method: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    kiosk: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    similarity: Mapped[float | None]
    liveness: Mapped[float | None]
    model_digest: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    clock_trusted: Mapped[bool] = mapped_column(server_default=true())
    clock_offset_s: Mapped[float | None]
    created_at: Mapped[datetime]
    supersedes_id: Mapped[int | None]
    signature: Mapped[str | None] = mapped_column(String(SIGNATURE_LENGTH))

"""Punches, and the days that are derived from them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from ...kernel.domain import Status
from .base import LABEL_LENGTH, NOTE_LENGTH, SIGNATURE_LENGTH, TABLE_OPTIONS, Base


class Absensi(Base):
    """Attendance days: one row for each employee and work date, derived from punches or entered as leave.

    ``signature`` covers the row and which punches the day has; see ``store.signing``.
    """

    __tablename__ = "absensi"
    __table_args__ = (
        UniqueConstraint("karyawan_id", "tanggal"),
        CheckConstraint("status IN ({})".format(", ".join(f"'{status}'" for status in Status)), name="status"),
        Index(None, "tanggal"),
        TABLE_OPTIONS,
    )

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

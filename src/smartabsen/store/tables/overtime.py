"""Orders for overtime."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import BIG_ID, LABEL_LENGTH, NOTE_LENGTH, TABLE_OPTIONS, Base


class OvertimeOrderRow(Base):
    """Orders for overtime (SPL): asked by somebody, agreed to by the worker, approved; each with its time."""

    __tablename__ = "overtime_orders"
    __table_args__ = (Index(None, "karyawan_id", "work_date"), Index(None, "work_date"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"))
    work_date: Mapped[date]
    minutes: Mapped[int]
    reason: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    ordered_by: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    ordered_at: Mapped[datetime]
    consent_by: Mapped[str | None] = mapped_column(String(LABEL_LENGTH))
    consent_at: Mapped[datetime | None]
    approved_by: Mapped[str | None] = mapped_column(String(LABEL_LENGTH))
    approved_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None] = mapped_column(String(LABEL_LENGTH))
    cancelled_at: Mapped[datetime | None]

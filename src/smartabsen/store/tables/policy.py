"""What a firm decides of its working time, with the date from which it holds."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import BIG_ID, LABEL_LENGTH, TABLE_OPTIONS, Base


class PolicyRow(Base):
    """Values of policies. ``scope`` is firm, site, department or employee; ``scope_id`` is whose, 0 of the firm.

    ``karyawan_id`` repeats the id of a person, so that an erasure finds the row as one of theirs.
    """

    __tablename__ = "policies"
    __table_args__ = (UniqueConstraint("name", "scope", "scope_id", "valid_from"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    scope: Mapped[str] = mapped_column(String(16))
    scope_id: Mapped[int] = mapped_column(BIG_ID)
    karyawan_id: Mapped[int | None] = mapped_column(ForeignKey("karyawan.id"), index=True)
    valid_from: Mapped[date]
    value: Mapped[str] = mapped_column(Text)
    set_by: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    set_at: Mapped[datetime]

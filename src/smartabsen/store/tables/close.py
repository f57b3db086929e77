"""Periods that were closed: what was frozen, what was exported, and who opened one again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from .base import BIG_ID, CODE_LENGTH, KEY_ID_LENGTH, LABEL_LENGTH, NOTE_LENGTH, TABLE_OPTIONS, Base

_LONG_TEXT = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
_LONG_BYTES = LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")


class PeriodRow(Base):
    """A month as it was closed. A month that was opened and closed again has several rows: the last one counts.

    ``summary`` is what ``hash`` covers: the digest of each part, rulesets and totals.
    """

    __tablename__ = "periods"
    __table_args__ = (TABLE_OPTIONS,)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    month: Mapped[str] = mapped_column(String(7), index=True)
    is_closed: Mapped[bool]
    closed_by: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    closed_at: Mapped[datetime]
    rulesets: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    hash: Mapped[str] = mapped_column(String(CODE_LENGTH))
    summary: Mapped[str] = mapped_column(_LONG_TEXT)


class PeriodPartRow(Base):
    """What a closed period keeps, sealed: of each person (``karyawan_id``; ``name`` is the UUID), and each export."""

    __tablename__ = "period_parts"
    __table_args__ = (UniqueConstraint("period_id", "name"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    period_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey("periods.id"))
    karyawan_id: Mapped[int | None] = mapped_column(ForeignKey("karyawan.id"), index=True)
    name: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    digest: Mapped[str] = mapped_column(String(CODE_LENGTH))
    content: Mapped[bytes] = mapped_column(_LONG_BYTES)
    key_id: Mapped[str] = mapped_column(String(KEY_ID_LENGTH))


class PeriodReopeningRow(Base):
    """Wishes to open a closed period again, and who confirmed them."""

    __tablename__ = "period_reopenings"
    __table_args__ = (TABLE_OPTIONS,)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    period_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey("periods.id"), index=True)
    reason: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    asked_by: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    asked_at: Mapped[datetime]
    confirmed_by: Mapped[str | None] = mapped_column(String(LABEL_LENGTH))
    confirmed_at: Mapped[datetime | None]

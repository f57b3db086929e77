"""Where people work: sites with their zone and their kiosks, and departments."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import BIG_ID, CODE_LENGTH, LABEL_LENGTH, NAME_LENGTH, TABLE_OPTIONS, Base

ZONE_LENGTH = 64


class SiteRow(Base):
    """Sites. The first one is the site of whoever has no other; ``confirmed_at`` is null until somebody agreed."""

    __tablename__ = "sites"
    __table_args__ = TABLE_OPTIONS

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(2 * CODE_LENGTH), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    zone: Mapped[str] = mapped_column(String(ZONE_LENGTH))
    confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class KioskRow(Base):
    """Which site a kiosk stands at, by the name that its punches carry."""

    __tablename__ = "kiosks"
    __table_args__ = TABLE_OPTIONS

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(LABEL_LENGTH), unique=True)
    site_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey("sites.id"), index=True)
    assigned_at: Mapped[datetime]


class DepartmentRow(Base):
    """Departments. ``head_id`` is the row id of an employee; without a key, as the department outlives its head."""

    __tablename__ = "departments"
    __table_args__ = TABLE_OPTIONS

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(2 * CODE_LENGTH), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    head_id: Mapped[int | None] = mapped_column(BIG_ID, index=True)
    created_at: Mapped[datetime]

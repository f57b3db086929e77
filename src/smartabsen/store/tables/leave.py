"""Leave: kinds of the firm, requests with their days and steps, and the ledger. Amounts are whole half days."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from .base import (
    BIG_ID,
    KEY_ID_LENGTH,
    LABEL_LENGTH,
    NOTE_LENGTH,
    SERVER_OPTIONS,
    SOURCE_LENGTH,
    TABLE_OPTIONS,
    Base,
)

KIND_LENGTH = 32


class LeaveKindRow(Base):
    """Kinds of leave that the firm added to the law's; ``status`` is what the day is called."""

    __tablename__ = "leave_kinds"
    __table_args__ = SERVER_OPTIONS

    code: Mapped[str] = mapped_column(String(KIND_LENGTH), primary_key=True)
    label: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    status: Mapped[str] = mapped_column(String(16))
    account: Mapped[str] = mapped_column(String(KIND_LENGTH))
    most_days: Mapped[int | None]
    calendar: Mapped[bool]
    counts_as_work: Mapped[bool]
    active: Mapped[bool]


class LeaveRequestRow(Base):
    """Requests. ``state`` is requested, approved, rejected or withdrawn; its steps tell who said what.

    ``half_days`` is what it takes of its ``account``: held from the first approval on, taken with the last one.
    """

    __tablename__ = "leave_requests"
    __table_args__ = (Index(None, "karyawan_id", "first_day"), Index(None, "state"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"))
    kind: Mapped[str] = mapped_column(String(KIND_LENGTH))
    account: Mapped[str] = mapped_column(String(KIND_LENGTH))
    first_day: Mapped[date]
    last_day: Mapped[date]
    part_of_day: Mapped[str] = mapped_column(String(16))
    half_days: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    steps_wanted: Mapped[int]
    steps_done: Mapped[int]
    note: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    asked_by: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    asked_at: Mapped[datetime]


class LeaveDayRow(Base):
    """The days that a request covers and counts: those on which the person would work."""

    __tablename__ = "leave_days"
    __table_args__ = (Index(None, "karyawan_id", "day"), SERVER_OPTIONS)

    request_id: Mapped[int] = mapped_column(
        BIG_ID, ForeignKey("leave_requests.id"), primary_key=True, autoincrement=False
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"))
    half_days: Mapped[int]


class LeaveStepRow(Base):
    """What was decided about a request, by whom and when; ``in_place_of`` names who had delegated it."""

    __tablename__ = "leave_steps"
    __table_args__ = (Index(None, "request_id"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    request_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey("leave_requests.id"))
    decision: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    in_place_of: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    reason: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    at_utc: Mapped[datetime]


class LeaveLedgerRow(Base):
    """The ledger: a balance is the sum of its rows, which are only ever added.

    ``entry`` is grant, carry, adjust, take or expire. ``day`` is the day of leave that a row takes (or gives back);
    ``lot_id`` names the grant of which an expiry takes the rest.
    """

    __tablename__ = "leave_ledger"
    __table_args__ = (Index(None, "karyawan_id", "account"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"))
    account: Mapped[str] = mapped_column(String(KIND_LENGTH))
    entry: Mapped[str] = mapped_column(String(16))
    half_days: Mapped[int]
    day: Mapped[date]
    expires_on: Mapped[date | None]
    request_id: Mapped[int | None] = mapped_column(BIG_ID, ForeignKey("leave_requests.id"), index=True)
    lot_id: Mapped[int | None] = mapped_column(BIG_ID)
    note: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    actor: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    at_utc: Mapped[datetime]


class LeaveAttachmentRow(Base):
    """Letters of requests, sealed; ``key_id`` is the key that seals one."""

    __tablename__ = "leave_attachments"
    __table_args__ = (Index(None, "request_id"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    request_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey("leave_requests.id"))
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"))
    name: Mapped[str] = mapped_column(String(SOURCE_LENGTH))
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"))
    key_id: Mapped[str] = mapped_column(String(KEY_ID_LENGTH))
    created_at: Mapped[datetime]


class LeaveDelegationRow(Base):
    """Who approves in whose place, and on which days."""

    __tablename__ = "leave_delegations"
    __table_args__ = (Index(None, "delegate"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    principal: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    delegate: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    first_day: Mapped[date]
    last_day: Mapped[date]
    created_at: Mapped[datetime]

"""Shifts, patterns, assignments, rosters, presets and the calendar."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import BIG_ID, CODE_LENGTH, LABEL_LENGTH, NAME_LENGTH, NOTE_LENGTH, TABLE_OPTIONS, Base

SPANS_LENGTH = 500


class ShiftRow(Base):
    """Shifts; ``code_key`` is the folded code. Their times are in ``shift_versions``."""

    __tablename__ = "shifts"
    __table_args__ = TABLE_OPTIONS

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(2 * CODE_LENGTH), unique=True)
    created_at: Mapped[datetime]


class ShiftVersionRow(Base):
    """What a shift is from a date on. ``spans`` and ``breaks`` are minutes from midnight, as ``480-1020 1080-1140``."""

    __tablename__ = "shift_versions"
    __table_args__ = (UniqueConstraint("shift_id", "valid_from"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    shift_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey("shifts.id"))
    valid_from: Mapped[date]
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    spans: Mapped[str] = mapped_column(String(SPANS_LENGTH))
    breaks: Mapped[str] = mapped_column(String(SPANS_LENGTH))
    opens_before: Mapped[int]
    closes_after: Mapped[int]
    grace_in: Mapped[int]
    grace_out: Mapped[int]
    flexible_day: Mapped[int | None]
    flexible_week: Mapped[int | None]
    early_counts: Mapped[bool]
    break_is_taken: Mapped[bool]
    rounding: Mapped[int]
    created_at: Mapped[datetime]


class PatternRow(Base):
    """Patterns; a cycle without ``starts`` begins on Mondays or with its assignment."""

    __tablename__ = "patterns"
    __table_args__ = TABLE_OPTIONS

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(2 * CODE_LENGTH), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    starts: Mapped[date | None]
    created_at: Mapped[datetime]


class PatternStepRow(Base):
    """Steps of a pattern by their place; without a shift they are days off."""

    __tablename__ = "pattern_steps"
    __table_args__ = (UniqueConstraint("pattern_id", "place"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    pattern_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey("patterns.id"))
    place: Mapped[int]
    shift_id: Mapped[int | None] = mapped_column(BIG_ID, ForeignKey("shifts.id"), index=True)
    days: Mapped[int]


class ShiftAssignmentRow(Base):
    """Patterns for a person, a department or a site. ``karyawan_id`` repeats the id of a person, for an erasure."""

    __tablename__ = "shift_assignments"
    __table_args__ = (Index(None, "scope", "scope_id", "first_date"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    scope: Mapped[str] = mapped_column(String(16))
    scope_id: Mapped[int] = mapped_column(BIG_ID)
    karyawan_id: Mapped[int | None] = mapped_column(ForeignKey("karyawan.id"), index=True)
    pattern_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey("patterns.id"), index=True)
    first_date: Mapped[date]
    last_date: Mapped[date | None]
    created_at: Mapped[datetime]


class RosterDayRow(Base):
    """Single dates of persons; without a shift they are off."""

    __tablename__ = "roster_days"
    __table_args__ = (UniqueConstraint("karyawan_id", "work_date"), Index(None, "work_date"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"))
    work_date: Mapped[date]
    shift_id: Mapped[int | None] = mapped_column(BIG_ID, ForeignKey("shifts.id"), index=True)
    reason: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    created_at: Mapped[datetime]


class PresetRow(Base):
    """Ranges of dates with other shifts."""

    __tablename__ = "shift_presets"
    __table_args__ = TABLE_OPTIONS

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    code: Mapped[str] = mapped_column(String(CODE_LENGTH))
    code_key: Mapped[str] = mapped_column(String(2 * CODE_LENGTH), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    first_date: Mapped[date]
    last_date: Mapped[date]
    created_at: Mapped[datetime]


class PresetShiftRow(Base):
    """Which shift a preset puts in place of which; ``weekday`` is 0 on Mondays, null on all days."""

    __tablename__ = "shift_preset_shifts"
    __table_args__ = TABLE_OPTIONS

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    preset_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey("shift_presets.id"), index=True)
    shift_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey("shifts.id"), index=True)
    weekday: Mapped[int | None]
    instead_id: Mapped[int] = mapped_column(BIG_ID, ForeignKey("shifts.id"), index=True)


class CalendarDayRow(Base):
    """Holidays and joint leave. ``site_id`` is 0 for all sites, so that there is one row of each kind."""

    __tablename__ = "calendar_days"
    __table_args__ = (UniqueConstraint("day", "kind", "region", "site_id"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    day: Mapped[date]
    kind: Mapped[str] = mapped_column(String(16))
    region: Mapped[str] = mapped_column(String(CODE_LENGTH))
    site_id: Mapped[int] = mapped_column(BIG_ID)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    source: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    is_tentative: Mapped[bool]
    is_taken: Mapped[bool]
    created_at: Mapped[datetime]


class JointLeaveWorkedRow(Base):
    """Persons who work on a day of joint leave that the firm takes."""

    __tablename__ = "joint_leave_worked"
    __table_args__ = (UniqueConstraint("karyawan_id", "work_date"), Index(None, "work_date"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"))
    work_date: Mapped[date]
    created_at: Mapped[datetime]

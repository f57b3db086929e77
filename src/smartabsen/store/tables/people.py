"""Employees, and what is stored of their faces."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from .base import (
    CODE_LENGTH,
    KEY_ID_LENGTH,
    LABEL_LENGTH,
    NAME_LENGTH,
    NOTE_LENGTH,
    SEARCH_LENGTH,
    SOURCE_LENGTH,
    TABLE_OPTIONS,
    UUID_LENGTH,
    Base,
)


def new_uuid() -> str:
    """Return a UUID that nobody has."""
    return str(uuid.uuid4())


class Karyawan(Base):
    """Employees.

    ``kode`` is the employer's code as it was written; ``kode_kunci`` is its folded form, which is unique: ``E001``,
    ``e001`` and `` E001 `` are one code. ``cari`` is the folded text that searches look into.
    ``uuid`` is never given out twice; row ids are, after an older database was restored. What another program inserted
    has none until it is needed.
    """

    __tablename__ = "karyawan"
    __table_args__ = TABLE_OPTIONS

    id: Mapped[int] = mapped_column(primary_key=True)
    kode: Mapped[str] = mapped_column(String(CODE_LENGTH))
    kode_kunci: Mapped[str] = mapped_column(String(2 * CODE_LENGTH), unique=True)
    nama: Mapped[str] = mapped_column(String(NAME_LENGTH))
    jabatan: Mapped[str] = mapped_column(String(NAME_LENGTH))
    aktif: Mapped[bool]
    telepon: Mapped[str | None] = mapped_column(String(32))
    email: Mapped[str | None] = mapped_column(String(254))
    persetujuan_at: Mapped[datetime | None]
    nonaktif_sejak: Mapped[datetime | None]
    cari: Mapped[str] = mapped_column(String(SEARCH_LENGTH))
    created_at: Mapped[datetime]
    uuid: Mapped[str | None] = mapped_column(String(UUID_LENGTH), index=True, unique=True, default=new_uuid)


class TemplateRow(Base):
    """Templates: sealed embeddings with the identity of their model; ``key_id`` is the key that seals them."""

    __tablename__ = "templates"
    __table_args__ = (
        UniqueConstraint("karyawan_id", "engine", "model_digest", "photo_digest"),
        Index(None, "engine", "model_digest"),
        TABLE_OPTIONS,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"))
    engine: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    model_digest: Mapped[str] = mapped_column(String(64))
    dimension: Mapped[int]
    embedding: Mapped[bytes] = mapped_column(LargeBinary)
    quality: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(SOURCE_LENGTH))
    photo_digest: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(KEY_ID_LENGTH))
    created_at: Mapped[datetime]


class FaceCropRow(Base):
    """Faces kept from enrolment photos, sealed: what another engine can make its templates of."""

    __tablename__ = "face_crops"
    __table_args__ = (UniqueConstraint("karyawan_id", "photo_digest"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"))
    photo_digest: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(SOURCE_LENGTH))
    crop: Mapped[bytes] = mapped_column(LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"))
    key_id: Mapped[str] = mapped_column(String(KEY_ID_LENGTH))
    created_at: Mapped[datetime]


class ConsentRow(Base):
    """Consents to face recognition: who, when, to which text, recorded by whom. ``withdrawn_at`` ends one."""

    __tablename__ = "consents"
    __table_args__ = TABLE_OPTIONS

    id: Mapped[int] = mapped_column(primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"), index=True)
    at_utc: Mapped[datetime]
    text_version: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    text_sha256: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(8))
    recorded_by: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    withdrawn_at: Mapped[datetime | None]


class ErasureRow(Base):
    """Tombstones: who was erased, as a row id, the instant of that row and its UUID, and what was to be done.

    There is no foreign key: a tombstone outlives the row, and is copied into older databases that come back.
    """

    __tablename__ = "erasures"
    __table_args__ = (UniqueConstraint("karyawan_id", "at_utc"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(primary_key=True)
    karyawan_id: Mapped[int]
    karyawan_created_at: Mapped[datetime]
    scope: Mapped[str] = mapped_column(String(16))
    attendance: Mapped[str] = mapped_column(String(16))
    at_utc: Mapped[datetime]
    requested_by: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    reason: Mapped[str] = mapped_column(String(NOTE_LENGTH), server_default="")
    done_at: Mapped[datetime | None]
    karyawan_uuid: Mapped[str | None] = mapped_column(String(UUID_LENGTH))

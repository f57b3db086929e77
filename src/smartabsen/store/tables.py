"""The tables. Their names and columns are the owner's Indonesian where the original system had them; ours are English.

Rules for every column, so that SQLite and MariaDB answer alike:

- An instant is stored as naive UTC with microseconds (:class:`UtcDateTime`), never as TIMESTAMP (which ends in 2038 and
  has defaults of its own). ``jam_masuk`` and ``jam_pulang`` are such UTC instants too.
- Text compares byte by byte (``utf8mb4_bin``). What must be equal regardless of case has a column of its own with the
  folded text (``kode_kunci``, ``cari``); sorting for people is done in Python.
- Row ids are never used twice, not even after the last row was deleted: the attendance log names them.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    true,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

from ..domain import Status

CODE_LENGTH: Final = 64
NAME_LENGTH: Final = 200
NOTE_LENGTH: Final = 500
USER_LENGTH: Final = 32
LABEL_LENGTH: Final = 100
SEARCH_LENGTH: Final = 700
SOURCE_LENGTH: Final = 255
KEY_ID_LENGTH: Final = 12

_OPTIONS: Final = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
}
TABLE_OPTIONS: Final[dict[str, Any]] = {**_OPTIONS, "sqlite_autoincrement": True}


class UtcDateTime(TypeDecorator[datetime]):
    """A UTC instant: aware in, aware out, naive UTC with microseconds in the database."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """The base of all tables; constraints get names that migrations can refer to."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), date: Date(), float: Double()}  # noqa: RUF012 - SQLAlchemy's form


class Karyawan(Base):
    """Employees.

    ``kode`` is the employer's code as it was written; ``kode_kunci`` is its folded form, which is unique: ``E001``,
    ``e001`` and `` E001 `` are one code. ``cari`` is the folded text that searches look into.
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


class Absensi(Base):
    """Attendance days: one row for each employee and work date, derived from punches or entered as leave."""

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


class QrToken(Base):
    """Sign-in requests; ``token`` holds the SHA-256 (64 hex characters) of the secret, never the secret.

    A browser session has one request: a new one takes the place of the one before. ``state`` decides; ``verified`` says
    whether it was ever confirmed, as in the original system.
    """

    __tablename__ = "qr_tokens"
    __table_args__ = _OPTIONS

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    session_hash: Mapped[str] = mapped_column(String(64), unique=True)
    number: Mapped[int]
    kiosk: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    place: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    state: Mapped[str] = mapped_column(String(16))
    verified: Mapped[bool]
    phone_id: Mapped[int | None] = mapped_column(ForeignKey("phones.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class PhoneRow(Base):
    """Paired phones; ``credential`` holds the SHA-256 of what the phone keeps. Revoked ones stay, for the audit."""

    __tablename__ = "phones"
    __table_args__ = TABLE_OPTIONS

    id: Mapped[int] = mapped_column(primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"))
    credential: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class PairingRow(Base):
    """Invitations to pair a phone, one for each employee at most; ``token`` holds the SHA-256 of the secret."""

    __tablename__ = "pairings"
    __table_args__ = _OPTIONS

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"), unique=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class PinRow(Base):
    """PINs: a bcrypt hash, which server secret went into it, and the wrong tries since the right one."""

    __tablename__ = "pins"
    __table_args__ = _OPTIONS

    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"), primary_key=True, autoincrement=False)
    pin_hash: Mapped[str] = mapped_column(String(80))
    key_id: Mapped[str] = mapped_column(String(16))
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class WebSessionRow(Base):
    """Sessions of browsers; ``id_hash`` holds the SHA-256 of the cookie's value, ``data`` is a JSON object.

    ``idle_until`` is never behind ``expires_at``: it alone says whether a session has ended.
    """

    __tablename__ = "web_sessions"
    __table_args__ = _OPTIONS

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(index=True)
    data: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    idle_s: Mapped[int]
    idle_until: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]


class RateLimitRow(Base):
    """Counts of tries; ``key_hash`` is the SHA-256 of what is counted, and the count starts anew at ``resets_at``."""

    __tablename__ = "rate_limits"
    __table_args__ = _OPTIONS

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    resets_at: Mapped[datetime] = mapped_column(index=True)


class SeenFrameRow(Base):
    """Digests of frames that came with attempts in browsers; ``attempt`` is the SHA-256 of the attempt's key."""

    __tablename__ = "seen_frames"
    __table_args__ = _OPTIONS

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    attempt: Mapped[str] = mapped_column(String(64))
    seen_at: Mapped[datetime] = mapped_column(index=True)


class TemplateRow(Base):
    """Templates: sealed embeddings with the identity of their model.

    ``key_id`` is the key that ``embedding`` is sealed with; it is empty in rows from before there were seals, which
    hold float32 little-endian.
    """

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
    """Tombstones: who was erased, as a row id and the instant of that row, and what was to be done.

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
    done_at: Mapped[datetime | None]


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
    created_at: Mapped[datetime]
    supersedes_id: Mapped[int | None]


class UserRow(Base):
    """Users of the dashboard. ``name`` is in lower case. Wrong passwords are counted here, where all workers see it."""

    __tablename__ = "users"
    __table_args__ = TABLE_OPTIONS

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(USER_LENGTH), unique=True)
    password_hash: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(16))
    active: Mapped[bool]
    failed_attempts: Mapped[int]
    locked_until: Mapped[datetime | None]
    sessions_valid_from: Mapped[datetime]
    created_at: Mapped[datetime]
    last_login_at: Mapped[datetime | None]


class AuditRow(Base):
    """The audit trail: rows are only ever added. ``details`` is a JSON object.

    ``number``, ``previous`` and ``digest`` chain the rows; they are empty until right before the commit.
    """

    __tablename__ = "audit"
    __table_args__ = TABLE_OPTIONS

    id: Mapped[int] = mapped_column(primary_key=True)
    at_utc: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    action: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    subject: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    details: Mapped[str] = mapped_column(Text)
    number: Mapped[int | None] = mapped_column(index=True, unique=True)
    previous: Mapped[str | None] = mapped_column(String(64))
    digest: Mapped[str | None] = mapped_column(String(64))


class RefusalRow(Base):
    """That somebody was refused, for a while: why, and by how much; nobody's name, no picture."""

    __tablename__ = "refusals"
    __table_args__ = (Index(None, "at_utc"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(primary_key=True)
    at_utc: Mapped[datetime]
    kiosk: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    outcome: Mapped[str] = mapped_column(String(32))
    similarity: Mapped[float | None]
    threshold: Mapped[float]
    lead: Mapped[float | None]
    margin: Mapped[float]


class MetaRow(Base):
    """Facts about this database, by name."""

    __tablename__ = "meta"
    __table_args__ = _OPTIONS

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)

"""Users of the dashboard, the record of who did what, refusals, and facts about the installation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import LABEL_LENGTH, SERVER_OPTIONS, SIGNATURE_LENGTH, TABLE_OPTIONS, USER_LENGTH, Base


class UserRow(Base):
    """Users of the dashboard. ``name`` is in lower case.

    ``locked_until`` says until when unknown devices are kept out; the tries lie in ``sign_in_tries``. Programs before
    counted them in ``failed_attempts``, which is 0 now. ``must_change`` is set while the password is one that somebody
    else gave. ``totp_secret`` is sealed; ``totp_step`` is the last time step (RFC 6238) whose code was accepted.
    """

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
    must_change: Mapped[bool | None]
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_step: Mapped[int | None]


class KnownDeviceRow(Base):
    """Browsers in which a user has signed in; ``device_hash`` is the SHA-256 of what the browser keeps."""

    __tablename__ = "known_devices"
    __table_args__ = SERVER_OPTIONS

    device_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False, index=True)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime] = mapped_column(index=True)


class SignInTryRow(Base):
    """Wrong passwords and codes since the last right one; ``key_hash`` is the SHA-256 of what is counted.

    Names that nobody has are counted as well, so that neither time nor answer tells them apart.
    """

    __tablename__ = "sign_in_tries"
    __table_args__ = SERVER_OPTIONS

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    touched_at: Mapped[datetime] = mapped_column(index=True)


class RecoveryCodeRow(Base):
    """Recovery codes of a second factor; ``code_hash`` is the SHA-256 of one, good until ``used_at`` is set."""

    __tablename__ = "recovery_codes"
    __table_args__ = SERVER_OPTIONS

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime | None]


class AuditRow(Base):
    """The audit trail: rows are only ever added. ``details`` is a JSON object.

    ``number``, ``previous``, ``digest`` and ``signature`` chain the rows; they are empty until right before the commit.
    ``content`` is the salted hash of what an erasure takes out: subject and details; ``salt`` goes with them. Both are
    empty in rows from before they were there.
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
    salt: Mapped[str | None] = mapped_column(String(32))
    content: Mapped[str | None] = mapped_column(String(64))
    signature: Mapped[str | None] = mapped_column(String(SIGNATURE_LENGTH))


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


class CameraTroubleRow(Base):
    """What is wrong with the camera of a kiosk now; no row where nothing is. ``params`` is a JSON object."""

    __tablename__ = "camera_troubles"
    __table_args__ = SERVER_OPTIONS

    kiosk: Mapped[str] = mapped_column(String(LABEL_LENGTH), primary_key=True)
    detail: Mapped[str] = mapped_column(Text)
    params: Mapped[str] = mapped_column(Text)
    since_utc: Mapped[datetime]


class MetaRow(Base):
    """Facts about this database, by name."""

    __tablename__ = "meta"
    __table_args__ = SERVER_OPTIONS

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)

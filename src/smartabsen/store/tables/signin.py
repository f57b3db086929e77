"""Signing in with a phone, sessions of browsers, and what is counted against guessing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import ADDRESS_LENGTH, LABEL_LENGTH, SERVER_OPTIONS, TABLE_OPTIONS, Base


class QrToken(Base):
    """Sign-in requests; ``token`` holds the SHA-256 (64 hex characters) of the secret, never the secret.

    A browser session has one request: a new one takes the place of the one before. ``state`` decides; ``verified`` says
    whether it was ever confirmed, as in the original system. ``waits_at`` is the keyed hash of an address and of one of
    its places, NULL once the request was answered: no two requests hold the same. ``asked_at`` says when the browser
    last asked how it stands. Both are missing in requests from before they were there.
    """

    __tablename__ = "qr_tokens"
    __table_args__ = SERVER_OPTIONS

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
    waits_at: Mapped[str | None] = mapped_column(String(64), index=True, unique=True)
    asked_at: Mapped[datetime | None]


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
    __table_args__ = SERVER_OPTIONS

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"), unique=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class PinRow(Base):
    """PINs: a bcrypt hash, which server secret went into it, and the wrong tries since the right one."""

    __tablename__ = "pins"
    __table_args__ = SERVER_OPTIONS

    karyawan_id: Mapped[int] = mapped_column(ForeignKey("karyawan.id"), primary_key=True, autoincrement=False)
    pin_hash: Mapped[str] = mapped_column(String(80))
    key_id: Mapped[str] = mapped_column(String(16))
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class WebSessionRow(Base):
    """Sessions of browsers; ``id_hash`` holds the SHA-256 of the cookie's value, ``data`` is a JSON object.

    ``idle_until`` is never behind ``expires_at``: it alone says whether a session has ended. Address and label of the
    browser, and when it was last seen, are kept for people; they are missing in sessions from before they were there.
    """

    __tablename__ = "web_sessions"
    __table_args__ = SERVER_OPTIONS

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(index=True)
    data: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    idle_s: Mapped[int]
    idle_until: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    address: Mapped[str | None] = mapped_column(String(ADDRESS_LENGTH))
    label: Mapped[str | None] = mapped_column(String(LABEL_LENGTH))


class RateLimitRow(Base):
    """Counts of tries; ``key_hash`` is the SHA-256 of what is counted, and the count starts anew at ``resets_at``."""

    __tablename__ = "rate_limits"
    __table_args__ = SERVER_OPTIONS

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    resets_at: Mapped[datetime] = mapped_column(index=True)


class SeenFrameRow(Base):
    """Digests of frames that came with attempts in browsers; ``attempt`` is the SHA-256 of the attempt's key."""

    __tablename__ = "seen_frames"
    __table_args__ = SERVER_OPTIONS

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    attempt: Mapped[str] = mapped_column(String(64))
    seen_at: Mapped[datetime] = mapped_column(index=True)

"""The tables, by subject. Their rules are in ``base``."""

from .attendance import Absensi, PunchRow
from .base import (
    ADDRESS_LENGTH,
    CODE_LENGTH,
    KEY_ID_LENGTH,
    LABEL_LENGTH,
    NAME_LENGTH,
    NOTE_LENGTH,
    SEARCH_LENGTH,
    SOURCE_LENGTH,
    TABLE_OPTIONS,
    USER_LENGTH,
    UUID_LENGTH,
    Base,
    UtcDateTime,
)
from .people import ConsentRow, ErasureRow, FaceCropRow, Karyawan, TemplateRow, new_uuid
from .record import AuditRow, KnownDeviceRow, MetaRow, RecoveryCodeRow, RefusalRow, SignInTryRow, UserRow
from .signin import PairingRow, PhoneRow, PinRow, QrToken, RateLimitRow, SeenFrameRow, WebSessionRow

__all__ = [
    "ADDRESS_LENGTH",
    "CODE_LENGTH",
    "KEY_ID_LENGTH",
    "LABEL_LENGTH",
    "NAME_LENGTH",
    "NOTE_LENGTH",
    "SEARCH_LENGTH",
    "SOURCE_LENGTH",
    "TABLE_OPTIONS",
    "USER_LENGTH",
    "UUID_LENGTH",
    "Absensi",
    "AuditRow",
    "Base",
    "ConsentRow",
    "ErasureRow",
    "FaceCropRow",
    "Karyawan",
    "KnownDeviceRow",
    "MetaRow",
    "PairingRow",
    "PhoneRow",
    "PinRow",
    "PunchRow",
    "QrToken",
    "RateLimitRow",
    "RecoveryCodeRow",
    "RefusalRow",
    "SeenFrameRow",
    "SignInTryRow",
    "TemplateRow",
    "UserRow",
    "UtcDateTime",
    "WebSessionRow",
    "new_uuid",
]

"""The tables, by subject. Their rules are in ``base``."""

from .attendance import Absensi, PunchRow
from .base import (
    CODE_LENGTH,
    KEY_ID_LENGTH,
    LABEL_LENGTH,
    NAME_LENGTH,
    NOTE_LENGTH,
    SEARCH_LENGTH,
    SOURCE_LENGTH,
    TABLE_OPTIONS,
    USER_LENGTH,
    Base,
    UtcDateTime,
)
from .people import ConsentRow, ErasureRow, FaceCropRow, Karyawan, TemplateRow
from .record import AuditRow, CameraTroubleRow, MetaRow, RefusalRow, UserRow
from .signin import PairingRow, PhoneRow, PinRow, QrToken, RateLimitRow, SeenFrameRow, WebSessionRow

__all__ = [
    "CODE_LENGTH",
    "KEY_ID_LENGTH",
    "LABEL_LENGTH",
    "NAME_LENGTH",
    "NOTE_LENGTH",
    "SEARCH_LENGTH",
    "SOURCE_LENGTH",
    "TABLE_OPTIONS",
    "USER_LENGTH",
    "Absensi",
    "AuditRow",
    "Base",
    "CameraTroubleRow",
    "ConsentRow",
    "ErasureRow",
    "FaceCropRow",
    "Karyawan",
    "MetaRow",
    "PairingRow",
    "PhoneRow",
    "PinRow",
    "PunchRow",
    "QrToken",
    "RateLimitRow",
    "RefusalRow",
    "SeenFrameRow",
    "TemplateRow",
    "UserRow",
    "UtcDateTime",
    "WebSessionRow",
]

"""What a site may be called, and which zones there are."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ...kernel.codes import CODE_LENGTH, code_key
from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_

FIRST_CODE: Final = "UTAMA"
"""Code of the first site where the settings give it no name."""
FIRST_NAME: Final = "Kantor utama"


def checked_zone(zone: str) -> str:
    """Return the name of a zone.

    Raises:
        InvalidInputError: There is none of that name.
    """
    zone = zone.strip()
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise InvalidInputError(
            N_("There is no time zone “{zone}”."),
            hint=N_("Write it as Asia/Jakarta, Asia/Makassar or Asia/Jayapura."),
            zone=zone[:40],
        ) from exc
    return zone


def code_of_name(name: str) -> str:
    """Return a code made of a site's name: its letters and digits in capitals, joined by hyphens."""
    words = "".join(letter if letter.isalnum() else " " for letter in name).upper().split()
    code = "-".join(words)[:CODE_LENGTH].strip("-")
    return code if code and len(code_key(code)) <= CODE_LENGTH else FIRST_CODE

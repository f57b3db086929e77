"""The zone of this machine, and the one that a home was given at its first start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..kernel.errors import ConfigError
from ..kernel.i18n import N_
from ..kernel.reading import read_bytes, refuse_odd

ZONE_FILE: Final = "site-zone"
"""In the home: the zone that was taken at the first start, so that it does not change when the machine's does."""
FIRST_START: Final = "first start"
"""Origin of such a zone."""
DEFAULT_ZONE: Final = "Asia/Jakarta"
"""What homes had before there was a choice, and what a machine without a zone of a site gets."""
UTC_NAMES: Final = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "UCT", "Zulu", "Etc/Zulu", "GMT", "Etc/GMT", "Universal"})
"""Servers and containers are set so: that says nothing about where people work."""
_BY_HOURS: Final[Mapping[int, str]] = {7: "Asia/Jakarta", 8: "Asia/Makassar", 9: "Asia/Jayapura"}
"""Indonesia's three, for machines that name their zone in a way of their own."""
_TRACES: Final = ("smartabsen.db", "secrets/audit-heads.json", "Attendance", "queue", "assets")
"""What stands in a home that was used before; keys and settings may have been put into one that was not."""


def machine_zone() -> str:
    """Return the IANA name of this machine's zone; “UTC” where it has none that is known."""
    for name in _names():
        if _exists(name):
            return name
    offset = datetime.now().astimezone().utcoffset() or timedelta(0)
    return _BY_HOURS.get(round(offset / timedelta(hours=1)), "UTC")


def zone_of_home(home: Path) -> tuple[str, str]:
    """Return the zone of a home where no setting names one, and its origin, empty where that is the default.

    A home that is not used yet gets this machine's; one that was used before keeps what it always had.

    Raises:
        ConfigError: The file of the zone holds none: another zone would make other people late.
        StorageError: It cannot be read.
    """
    place = home / ZONE_FILE
    refuse_odd(place, directory=False)
    if place.exists():
        kept = _first_line(place)
        if not _exists(kept):
            raise ConfigError(
                N_("The file {path} names no time zone."),
                hint=N_("Write the site's zone into it, as Asia/Jakarta, Asia/Makassar or Asia/Jayapura."),
                path=place,
            )
        return kept, FIRST_START
    if any((home / name).exists() for name in _TRACES):
        return DEFAULT_ZONE, ""
    return _of_machine(), FIRST_START


def same_time(one: str, other: str) -> bool:
    """Tell whether clocks of two zones show the same time, now and in half a year."""
    now = datetime.now(UTC)
    return all(
        at.astimezone(ZoneInfo(one)).utcoffset() == at.astimezone(ZoneInfo(other)).utcoffset()
        for at in (now, now + timedelta(days=182))
    )


def _of_machine() -> str:
    zone = machine_zone()
    return DEFAULT_ZONE if zone in UTC_NAMES else zone


def _names() -> tuple[str, ...]:
    given = os.environ.get("TZ", "").removeprefix(":")
    if given:
        return (given, _below_zoneinfo(given))
    try:
        link = os.path.realpath("/etc/localtime")
    except OSError:
        link = ""
    return (_below_zoneinfo(link), _first_line(Path("/etc/timezone")))


def _below_zoneinfo(path: str) -> str:
    return path.partition("zoneinfo/")[2]


def _first_line(path: Path) -> str:
    try:
        return read_bytes(path, most=100).decode("ascii").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _exists(name: str) -> bool:
    try:
        return bool(name) and ZoneInfo(name) is not None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False

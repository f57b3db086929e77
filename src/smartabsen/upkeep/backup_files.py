"""Backups as files of a directory: their names, and which of them go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

SAFETY: Final = "-before-restore"
"""In the name of what a restore replaced."""
SAFETY_AGE: Final = timedelta(days=7)
"""So long a safety copy stays at least: within it somebody notices that the wrong backup was restored."""
_NAME: Final = re.compile(rf"smartabsen-(\d{{8}}T\d{{6}}Z)({SAFETY})?(-\d+)?\.tar(\.age)?")


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A backup on the disk.

    Attributes:
        made_at: UTC, as its name says.
        encrypted: Whether a secret key is needed to read it.
        safety: Whether a restore made it, of what it replaced.
    """

    path: Path
    made_at: datetime
    size_bytes: int
    encrypted: bool
    safety: bool = False


def list_backups(directory: Path) -> tuple[BackupFile, ...]:
    """Return the backups in a directory, the newest first."""
    found = []
    if directory.is_dir():
        for path in directory.iterdir():
            if name := _NAME.fullmatch(path.name):
                at = datetime.strptime(name[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
                found.append(BackupFile(path, at, path.stat().st_size, bool(name[4]), bool(name[2])))
    return tuple(sorted(found, key=lambda one: (one.made_at, one.path.name), reverse=True))


def surplus(found: Sequence[BackupFile], *, keep: int, now: datetime) -> tuple[BackupFile, ...]:
    """Return which backups go when ``keep`` are to stay.

    Safety copies do not count. One goes when ``keep`` backups stay and all of them are younger than it, not before
    it is :data:`SAFETY_AGE` old: what is kept reaches back as far as was asked for, whoever made it.

    Args:
        found: The newest first.
        keep: At least 1.
        now: Aware.
    """
    regular = [one for one in found if not one.safety]
    if len(regular) < keep:
        return ()
    horizon = min(regular[keep - 1].made_at, now - SAFETY_AGE)
    return (*regular[keep:], *(one for one in found if one.safety and one.made_at < horizon))


def free_name(directory: Path, stem: str, ending: str) -> Path:
    """Return a name that no backup has."""
    path = directory / f"{stem}{ending}"
    number = 1
    while path.exists():
        number += 1
        base, _, rest = ending.partition(".tar")
        path = directory / f"{stem}{base}-{number}.tar{rest}"
    return path

"""Which backups go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smartabsen.upkeep.backup_files import BackupFile, list_backups, surplus

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def made(days_ago: int, *, safety: bool = False) -> BackupFile:
    """A backup of so many days ago."""
    return BackupFile(Path(f"{days_ago}{safety}"), NOW - timedelta(days=days_ago), 1, encrypted=False, safety=safety)


@pytest.mark.parametrize(
    ("regular", "safety", "keep", "gone"),
    [
        # The newest of each day stay; a safety copy that is older than all of them goes.
        ((0, 10, 20, 30), (5, 15, 25), 3, {(30, False), (25, True)}),
        # Many backups on one day do not shorten the time in which a wrong restore is noticed.
        ((0, 0, 0), (3, 8), 2, {(0, False), (8, True)}),
        # As long as there are fewer than are to stay, nothing goes.
        ((0, 1), (40,), 3, set()),
        # They do not count.
        ((0, 10), (1, 2, 3), 2, set()),
    ],
)
def test_safety_copies_go_with_the_backups_of_their_time(
    regular: tuple[int, ...], safety: tuple[int, ...], keep: int, gone: set[tuple[int, bool]]
) -> None:
    """What is kept reaches back as far as was asked for, whoever made it."""
    found = [*map(made, regular), *(made(days, safety=True) for days in safety)]
    found.sort(key=lambda one: one.made_at, reverse=True)
    going = surplus(found, keep=keep, now=NOW)
    assert {((NOW - one.made_at).days, one.safety) for one in going} == gone


def test_a_safety_copy_is_known_by_its_name(tmp_path: Path) -> None:
    """Encrypted or not; other files are nobody's backups."""
    names = {
        "smartabsen-20261124T010203Z.tar": (False, False),
        "smartabsen-20261124T010203Z-before-restore-2.tar.age": (True, True),
        "smartabsen-20261124T010204Z-before-restore.tar": (True, False),
    }
    for name in (*names, "smartabsen-20261124T010203Z.tar.sha256", "notes.txt"):
        (tmp_path / name).touch()
    assert {one.path.name: (one.safety, one.encrypted) for one in list_backups(tmp_path)} == names

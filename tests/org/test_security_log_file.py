"""The files of the security log: whole lines from many processes, bounded, private."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smartabsen.kernel.errors import StorageError
from smartabsen.org.security_log_file import SecurityFiles

_WRITER = """
import sys
from pathlib import Path
from smartabsen.org.security_log_file import SecurityFiles
files = SecurityFiles(Path(sys.argv[1]), keep_days=0, file_bytes=4_000, total_bytes=10_000_000)
sys.stdin.readline()
for number in range(300):
    files.append(f"{sys.argv[2]} {number} {'x' * 60}\\n".encode())
"""


def files_in(path: Path, **limits: int) -> SecurityFiles:
    return SecurityFiles(path, keep_days=limits.pop("keep_days", 0), **limits)


def test_many_processes_lose_and_mix_no_line_while_files_are_closed(tmp_path: Path) -> None:
    """Each line is one write; a file that is renamed under a writer keeps what still reaches it."""
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path), str(number)], stdin=subprocess.PIPE)
        for number in range(4)
    ]
    for writer in writers:
        writer.communicate(b"go\n", timeout=120)
    assert [writer.returncode for writer in writers] == [0] * 4
    files = files_in(tmp_path)
    lines = [line.decode().split() for line in files.lines()]
    assert len(files.closed()) > 3
    assert sorted((int(who), int(number)) for who, number, _x in lines) == [
        (who, number) for who in range(4) for number in range(300)
    ]


def test_all_files_together_stay_within_their_bound(tmp_path: Path) -> None:
    """The oldest lines go first."""
    files = files_in(tmp_path, file_bytes=1_000, total_bytes=5_000)
    for number in range(400):
        files.append(f"{number:04d} {'x' * 90}\n".encode())
    assert sum(path.stat().st_size for path in (*files.closed(), files.path)) <= 5_000
    kept = [int(line.split()[0]) for line in files.lines()]
    assert kept == list(range(kept[0], 400)) and len(kept) > 30


def test_a_file_ends_with_its_day_and_is_deleted_when_it_is_too_old(tmp_path: Path) -> None:
    """So that a retention period in days can be kept."""
    files = files_in(tmp_path, keep_days=30)
    long_ago = (datetime.now(UTC) - timedelta(days=40)).timestamp()
    files.append(b"old\n")
    os.utime(files.path, (long_ago, long_ago))
    files.append(b"new\n")
    assert list(files.lines()) == [b"new"]
    os.utime(files.path, (long_ago, long_ago))
    before = datetime.now(UTC) - timedelta(days=30)
    assert files.delete_before(before, dry_run=True) == 1
    assert list(files.lines()) == [b"new"]
    assert files.delete_before(before, dry_run=False) == 1
    assert list(files.lines()) == []


def test_a_clock_that_is_far_ahead_deletes_nothing(tmp_path: Path) -> None:
    """What is too old goes by the time that the database told."""
    right = datetime.now(UTC) - timedelta(days=400)
    files = SecurityFiles(tmp_path, keep_days=30, now=lambda: right)
    files.append(b"old\n")
    written = (right - timedelta(days=2)).timestamp()
    os.utime(files.path, (written, written))
    files.append(b"new\n")
    assert list(files.lines()) == [b"old", b"new"]


@pytest.mark.skipif(os.name == "nt", reason="modes are those of POSIX")
def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    """Addresses and account names are nobody else's."""
    files = files_in(tmp_path / "logs")
    files.append(b"one\n")
    assert (files.path.stat().st_mode & 0o777, files.path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.skipif(os.name == "nt", reason="pipes and links of POSIX")
def test_a_pipe_or_a_link_in_its_place_is_refused_at_once(tmp_path: Path) -> None:
    """Nobody waits for a reader, and nothing is written where a link leads."""
    files = files_in(tmp_path / "logs")
    files.append(b"one\n")
    files.path.unlink()
    os.mkfifo(files.path)
    with pytest.raises(StorageError):
        files.append(b"two\n")
    with pytest.raises(StorageError, match="named pipe, not a file"):
        list(files.lines())
    files.path.unlink()
    files.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        files.append(b"three\n")
    assert not (tmp_path / "elsewhere").exists()


def test_whoever_follows_sees_each_line_once_also_over_the_end_of_a_file(tmp_path: Path) -> None:
    """What the closed file still had comes first."""
    files = files_in(tmp_path, file_bytes=100)
    files.append(b"before\n")
    place = files.end()
    files.append(b"a" * 60 + b"\n")
    files.append(b"b" * 60 + b"\n")
    place, lines = files.read_from(place)
    assert lines == [b"a" * 60, b"b" * 60]
    assert files.read_from(place) == (place, [])

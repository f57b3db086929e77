"""A command that is killed in the middle leaves no plain data that stays: neither a name on the disk nor a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from smartabsen import SmartAbsen
from smartabsen.kernel.locking import give_back, try_take
from smartabsen.store import dumps, leftovers
from smartabsen.store.files import atomic_file

from ..backup_parts import kinds, used
from ..installation import draw, flags

__all__ = ["draw", "flags", "kinds", "used"]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kill -9, and files without a name, are Linux's here")

# The program stops for ever where the test wants to kill it.
STOP = """
import sys, time
from pathlib import Path
from smartabsen import SmartAbsen
from smartabsen.store import dumps
from smartabsen.upkeep import archive
def stop(*args, **kwargs):
    print("here", flush=True)
    time.sleep(600)
{patch}
with SmartAbsen.open(flags={flags!r}) as app:
    {work}
"""
MOMENTS = {
    "the database is copied": ("dumps._ends_well = stop; dumps._incomplete = stop\n"
                               "import sqlite3\nold = dumps._Patience\n"
                               "class Last(old):\n"
                               "    def __call__(self, status, remaining, total):\n"
                               "        if remaining == 0: stop()\n"
                               "dumps._Patience = Last"),
    "the archive is written": "archive._Hashed.digest = property(stop)",
}  # fmt: skip


def killed(script: str) -> None:
    """Run a script until it says where it is, and kill it there."""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "here\n"
        finally:
            os.kill(process.pid, signal.SIGKILL)


def files_below(*folders: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def recipient() -> str:
    pyrage = pytest.importorskip("pyrage")
    return str(pyrage.x25519.Identity.generate().to_public())


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_encrypted_backup_leaves_no_plain_data(
    used: SmartAbsen, kinds: dict[str, object], recipient: str, moment: str
) -> None:
    """Killed with kill -9 while the database is copied, and when all is written but the name."""
    script = STOP.format(
        patch=MOMENTS[moment], flags=kinds, work=f"app.backups.create(recipient={recipient!r}, keep=0)"
    )
    killed(script)
    left = files_below(used.backups.directory)
    assert [path for path, content in left.items() if b"Contoh" in content or b"SQLite" in content] == []
    made = used.backups.create(recipient=recipient)
    assert {path.name for path in files_below(used.backups.directory)} == {made.path.name, f"{made.path.name}.sha256"}
    assert list(used.backups.directory.glob(".*")) == []


def test_a_killed_restore_leaves_nothing_after_the_next_start(used: SmartAbsen, kinds: dict[str, object]) -> None:
    """Neither the unpacked folder in the home nor, on a server, the database in which the backup was checked."""
    made = used.backups.create()
    patch = "from smartabsen.upkeep.backups import Backups\nBackups._require_keys = stop"
    killed(STOP.format(patch=patch, flags=kinds, work=f"app.backups.restore(Path({str(made.path)!r}))"))
    home = used.settings.home
    assert list(home.glob(".restoring-*"))
    with SmartAbsen.open(flags=kinds) as again:
        again.employees()
        assert list(home.glob(".restoring-*")) == []
        again.backups.verify(made.path)
        again.backups.restore(made.path, dry_run=True)
        if used.services.database.path is None:
            with used.services.database.connect() as connection:
                names = connection.scalars(text("SELECT schema_name FROM information_schema.schemata")).all()
            assert [name for name in names if str(name).startswith(f"{used.services.database.url.database}_")] == []


def test_an_erasure_reaches_what_killed_commands_left(used: SmartAbsen, kinds: dict[str, object]) -> None:
    """At once: whoever asks to be forgotten does not wait for the next start."""
    made = used.backups.create()
    patch = "from smartabsen.upkeep.backups import Backups\nBackups._require_keys = stop"
    killed(STOP.format(patch=patch, flags=kinds, work=f"app.backups.restore(Path({str(made.path)!r}))"))
    plain = used.backups.directory / ".smartabsen-20261101T000000Z.tar.age.plain.4711.tmp"
    plain.write_bytes(b"Contoh 1")
    os.utime(plain, (time.time() - 600, time.time() - 600))
    used.privacy.erase("E1", reason="asked for it")
    assert list(used.settings.home.glob(".restoring-*")) == [] and not plain.exists()
    assert dumps.sweep(used.services.database) == 0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "home"
    made.mkdir()
    yield made


def age(path: Path, seconds: float) -> None:
    for each in (path, *path.rglob("*")):
        os.utime(each, (time.time() - seconds, time.time() - seconds))


@pytest.mark.parametrize(
    "name",
    [
        ".2026-11-30.csv.0123456789ab.tmp",
        ".smartabsen-20261130T010203Z.tar.age.4711.tmp",
        ".smartabsen-20261130T010203Z.tar.age.plain.4711.tmp",
        ".det_10g.onnx.k2x_9abc.part",
        ".det_10g.onnx.install",
        ".2026-11-30.csv.restoring",
        ".write-test.0123456789ab.tmp",
    ],
)
def test_a_file_that_was_left_goes_and_one_that_is_being_written_stays(folder: Path, name: str) -> None:
    """Whatever command left it; what somebody holds, or wrote a moment ago, is no leftover."""
    path = folder / name
    path.write_bytes(b"Contoh")
    assert leftovers.sweep([folder]) == 0
    age(path, 600)
    held = try_take(path)
    assert held is not None
    assert leftovers.sweep([folder]) == 0
    give_back(held)
    assert leftovers.sweep([folder]) == 1
    assert list(folder.iterdir()) == []


def test_files_of_others_are_left_alone(folder: Path) -> None:
    """Only names that we give are swept, and no folder below is looked into."""
    names = [
        "smartabsen.toml",
        ".bashrc",
        ".note.tmp",
        "a.0123456789ab.tmp",
        ".model.lock",
        "x.replaced-20261101T000000",
    ]
    for name in names:
        (folder / name).write_bytes(b"x")
    (folder / "below").mkdir()
    (folder / "below" / ".a.0123456789ab.tmp").write_bytes(b"x")
    age(folder, 90_000)
    assert leftovers.sweep([folder, folder / "missing"]) == 0
    assert len(list(folder.iterdir())) == len(names) + 1


def test_a_folder_of_an_earlier_version_goes_when_nobody_has_written_to_it_for_an_hour(folder: Path) -> None:
    """It has no owner's lock: a long dump still writes into its file."""
    (folder / ".making-abc").mkdir()
    (folder / ".making-abc" / "database.sqlite").write_bytes(b"SQLite format 3")
    age(folder, 90_000)
    (folder / ".making-abc" / "database.sqlite").touch()
    assert leftovers.sweep([folder]) == 0
    age(folder, 90_000)
    assert leftovers.sweep([folder]) == 1


def test_a_folder_whose_owner_lives_stays_however_old(folder: Path) -> None:
    """A restore of a large database takes its time."""
    with leftovers.working_folder(folder, leftovers.RESTORING) as mine:
        staged = folder / ".2026-11-30.csv.restoring"
        staged.write_bytes(b"x")
        age(folder, 90_000)
        assert leftovers.sweep([folder]) == 0
        assert mine.is_dir() and staged.exists()
    assert leftovers.sweep([folder]) == 1
    assert list(folder.iterdir()) == []


def test_a_file_has_no_name_before_it_is_whole(folder: Path) -> None:
    """So there is nothing to be swept where the system can do that."""
    target = folder / "report.csv"
    with atomic_file(target) as file:
        file.write(b"Contoh")
        file.flush()
        assert list(folder.iterdir()) == []
    assert target.read_bytes() == b"Contoh"
    assert [path.name for path in folder.iterdir()] == ["report.csv"]


def test_where_files_need_names_they_are_locked_while_they_are_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system that knows no nameless ones; after an error nothing is left."""
    monkeypatch.setattr("smartabsen.store.files._DESCRIPTORS", str(folder / "none"))
    target = folder / "report.csv"
    with atomic_file(target) as file:
        file.write(b"Contoh")
        file.flush()
        (written,) = folder.iterdir()
        age(written, 600)
        assert leftovers.sweep([folder]) == 0
    assert [path.name for path in folder.iterdir()] == ["report.csv"]
    with pytest.raises(RuntimeError), atomic_file(target) as file:
        raise RuntimeError("no")
    assert target.read_bytes() == b"Contoh" and len(list(folder.iterdir())) == 1

"""The commands of every day while the surroundings fail: what each says, how long it takes, what it leaves behind.

    python -m bench.surroundings --fault full-disk --fault read-only --fault silent --fault refused

The home lies on a small disk in memory (tmpfs, which only root may mount) that is filled to its last byte, or mounted
anew for reading only; the database of the other faults is a server that accepts connections and never answers, or none
at all. Each command runs once with the fault and once without it afterwards.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from tests.web.server_process import Said

from smartabsen import SmartAbsen

from .installation import flags_of
from .write_kills import photos

FAULTS: Final = ("full-disk", "read-only", "silent", "refused", "redis-silent", "redis-refused")
ON_DISK: Final = ("full-disk", "read-only")
LIMIT_S: Final = 3.0
_DISK_MB: Final = 48
_REFUSED: Final = 1
"""A port below 1024 for which no service is in use any more (RFC 1078): nobody listens."""
_LAST_BYTES: Final = "filler"


@dataclass(frozen=True)
class Run:
    """What became of a command.

    Attributes:
        name: Of the command.
        code: Its exit code; of ``serve`` the status of a page, 0 where it did not start.
        seconds: How long it took; of ``serve`` the page.
        said: The lines on stderr.
        left: Files that it made or changed although it failed, except those of the database.
        then: Exit code or status after the fault had gone; of ``serve`` without a restart.
        then_seconds: How long that took: the machine and its load are in both.
    """

    name: str
    code: int
    seconds: float
    said: tuple[str, ...]
    left: tuple[str, ...]
    then: int
    then_seconds: float


class Disk:
    """A small disk in memory that can be filled and made read-only.

    Args:
        place: Empty directory to mount it on.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        _run("mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "smartabsen-bench", str(place))

    def fill(self) -> None:
        """Leave no byte free."""
        with suppress(OSError), (self.place / _LAST_BYTES).open("wb", buffering=0) as file:
            while True:
                file.write(b"0" * 65_536)
        with suppress(OSError), (self.place / _LAST_BYTES).open("ab", buffering=0) as file:
            while True:
                file.write(b"0")

    def empty(self) -> None:
        """Give the space back."""
        (self.place / _LAST_BYTES).unlink(missing_ok=True)

    def allow_writing(self, allowed: bool) -> None:
        """Mount it anew, for reading alone or for both."""
        _run("mount", "-o", f"remount,{'rw' if allowed else 'ro'}", str(self.place))

    def close(self) -> None:
        """Unmount it."""
        _run("umount", str(self.place))


def can_mount() -> bool:
    """Return whether a disk in memory can be mounted here."""
    with tempfile.TemporaryDirectory() as place:
        try:
            Disk(Path(place)).close()
        except (OSError, subprocess.CalledProcessError):
            return False
    return True


def measure(fault: str, folder: Path, commands: Collection[str] = ()) -> Iterator[Run]:
    """Run commands with a fault, each on an installation like the one before.

    Args:
        folder: For the disk and what is prepared.
        commands: Names of those to run; all where none is named.
    """
    prepared = folder / "prepared"
    if not prepared.exists():
        _prepare(prepared, folder)
    place = folder / "disk"
    place.mkdir(exist_ok=True)
    for name, arguments in _commands(folder, place).items():
        if commands and name not in commands:
            continue
        disk = Disk(place) if fault in ON_DISK else None
        try:
            shutil.copytree(prepared, place / "home")
            # Nobody has it open: a copy of the files is the database.
            with _silent_port() as port:
                yield _one(name, arguments, fault, disk, place, port)
        finally:
            if disk is not None:
                disk.close()
            else:
                shutil.rmtree(place / "home")


def _commands(folder: Path, place: Path) -> dict[str, list[str]]:
    pictures = [str(path) for path in photos(folder, 3, 2)]
    film = folder / "film"
    if not film.exists():
        film.mkdir()
        for path in photos(folder, 1, 8):
            path.rename(film / path.name)
    return {
        "enroll": ["enroll", "Contoh 3", *pictures, "--code", "E3", "--consent"],
        "train": ["train"],
        "run-kiosk": ["run-kiosk", "--camera", str(film), "--headless"],
        "punch": ["punch", "E1"],
        "report": ["report"],
        "report --output": ["report", "--output", str(place / "home" / "report.xlsx")],
        "privacy export": ["privacy", "export", "E1", "--output", str(place / "home" / "export")],
        "backup create": ["backup", "create"],
        "csv rebuild": ["csv", "rebuild"],
        "employee list": ["employee", "list"],
        "doctor": ["doctor"],
        "serve": ["serve", "--port", "0"],
    }


def _one(name: str, arguments: list[str], fault: str, disk: Disk | None, place: Path, port: int) -> Run:
    home = place / "home"
    sound = {**os.environ, **_environment(home)}
    broken = {**sound, **_settings_of(fault, port)}
    if name == "csv rebuild":
        # Else there is nothing to do.
        for path in (home / "Attendance").glob("*.csv"):
            path.write_bytes(path.read_bytes() + b"torn")
    before = _files(home)
    if disk is not None:
        disk.fill() if fault == "full-disk" else disk.allow_writing(False)

    def mend() -> None:
        if disk is not None:
            disk.allow_writing(True)
            disk.empty()

    if name == "serve":
        return _serve(arguments, broken, mend, before, home)
    done, seconds = _call(arguments, broken)
    left = _files(home)
    mend()
    then, then_seconds = _call(arguments, sound)
    return Run(
        name=name,
        code=done.returncode,
        seconds=seconds,
        said=tuple(done.stderr.splitlines()),
        left=_differences(before, left),
        then=then.returncode,
        then_seconds=then_seconds,
    )


def _serve(arguments: list[str], environment: Mapping[str, str], mend: Callable[[], None], before: dict[str, str],
           home: Path) -> Run:  # fmt: skip
    command = [sys.executable, "-m", "smartabsen", *arguments]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True)
    said = Said(process)
    (status, seconds), (then, then_seconds) = (0, 0.0), (0, 0.0)
    try:
        port = said.find_port()
        # A sign-in needs sessions, and so the database or Redis.
        page = f"http://127.0.0.1:{port}/auth"
        if port is not None:
            status, seconds = _status(page)
        left = _files(home)
        mend()
        if port is not None and process.poll() is None:
            then, then_seconds = _status(page)
    finally:
        process.terminate()
        process.wait(40)
    left_over = _differences(before, left)
    return Run("serve", status, seconds, tuple(said.text().splitlines()), left_over, then, then_seconds)


def _settings_of(fault: str, port: int) -> dict[str, str]:
    where = {"silent": port, "refused": _REFUSED, "redis-silent": port, "redis-refused": _REFUSED}
    if fault in ("silent", "refused"):
        return {"SMARTABSEN_DATABASE_URL": f"mysql+pymysql://root@127.0.0.1:{where[fault]}/smartabsen"}
    if fault in where:
        return {"SMARTABSEN_REDIS_URL": f"redis://127.0.0.1:{where[fault]}/0"}
    return {}


def _environment(home: Path) -> dict[str, str]:
    return {
        "SMARTABSEN_HOME": str(home),
        "SMARTABSEN_ENGINE": "fake",
        "SMARTABSEN_RECOGNITION_MATCHER": "exact",
        "SMARTABSEN_KIOSK_VOTES": "1",
        "SMARTABSEN_KIOSK_SOUND": "off",
        "SMARTABSEN_LANGUAGE": "en",
        "COLUMNS": "400",
    }


def _prepare(home: Path, folder: Path) -> None:
    with SmartAbsen.open(flags={**flags_of(home), "attendance.cooldown_s": 60}) as app:
        for person in (1, 2):
            app.enrol(f"Contoh {person}", photos(folder, person, 2), code=f"E{person}", consent=True)
        app.train()
        app.punch("E2", key="before")
        app.secret.derive("web")


def _files(home: Path) -> dict[str, str]:
    database = {"smartabsen.db", "smartabsen.db-journal", "smartabsen.db-wal", "smartabsen.db-shm"}
    return {
        str(path.relative_to(home)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.rglob("*"))
        if path.is_file() and path.name not in database
    }


def _differences(before: dict[str, str], after: dict[str, str]) -> tuple[str, ...]:
    return tuple(name for name in sorted({*before, *after}) if before.get(name) != after.get(name))


def _call(arguments: list[str], environment: Mapping[str, str]) -> tuple[subprocess.CompletedProcess[str], float]:
    command = [sys.executable, "-m", "smartabsen", *arguments]
    began = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done, time.monotonic() - began


def _status(url: str) -> tuple[int, float]:
    began = time.monotonic()
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            status = int(answer.status)
    except urllib.error.HTTPError as exc:
        exc.close()
        status = exc.code
    return status, time.monotonic() - began


@contextmanager
def _silent_port() -> Iterator[int]:
    # The system accepts for a socket that listens; nobody ever reads.
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield server.getsockname()[1]


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def main() -> None:
    """Print what was found as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fault", action="append", choices=FAULTS)
    parser.add_argument("--command", action="append", help="as its row is named; all of them by default")
    given = parser.parse_args()
    faults = given.fault or FAULTS
    if set(faults) & set(ON_DISK) and not can_mount():
        raise SystemExit("a disk in memory cannot be mounted here (root may): take the other faults")
    titles = ("fault", "command", "exit code or status", "s", "said", "files left or changed", "afterwards", "s")
    print(f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|")
    with tempfile.TemporaryDirectory() as folder:
        for fault in faults:
            for run in measure(fault, Path(folder), given.command or ()):
                cells = (
                    fault,
                    run.name,
                    run.code,
                    f"{run.seconds:.1f}",
                    " / ".join(run.said),
                    ", ".join(run.left),
                    run.then,
                    f"{run.then_seconds:.1f}",
                )
                print("| " + " | ".join(str(cell).replace(folder, "…") for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main()

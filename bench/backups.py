"""Backups under load, each restored elsewhere: is every punch there that was acknowledged before it began?

python -m bench.backups --backups 30
python -m bench.backups --backups 5 --server
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tests.faults.server import PrivateServer

from smartabsen import SmartAbsen

from .installation import flags_of, prepare, punch, stored_keys, table

WRITERS = 4


@dataclass(frozen=True)
class BackupsReport:
    """What was found.

    Attributes:
        acknowledged: Punches at the end; ``before_last`` of them before the last backup began.
        missing: Acknowledged before a backup began, and not in its restored copy; over all backups.
        doubled: Keys twice in a restored copy.
        differs: Restored copies whose log differs from their database.
        refused: Punches that failed while backups were made (each was tried again).
    """

    backups: int
    acknowledged: int
    before_last: int
    missing: int
    doubled: int
    differs: int
    refused: int
    median_create_s: float
    median_restore_s: float

    @property
    def clean(self) -> bool:
        """Everything was there."""
        return not (self.missing or self.doubled or self.differs)


def measure(backups: int, *, server: bool = False) -> BackupsReport:
    """Make and restore ``backups`` backups while four processes punch."""
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        private = None
        if server:
            private = PrivateServer(Path(stack.enter_context(tempfile.TemporaryDirectory())))
            stack.callback(private.kill)
        flags = flags_of(folder / "home", private.url if private else "")
        prepare(flags)
        pipes, writers = [], []
        for number in range(WRITERS):
            receiver, sender = context.Pipe(duplex=False)
            writer = context.Process(target=_punch, args=(sender, dict(flags), number), daemon=True)
            writer.start()
            sender.close()
            pipes.append(receiver)
            writers.append(writer)
        known: set[str] = set()
        refused = missing = doubled = differs = before_last = 0
        create_s, restore_s = [], []
        for pipe in pipes:
            # They start slowly: nothing is measured before everybody punches.
            pipe.poll(120)
        with SmartAbsen.open(flags=flags) as app:
            for number in range(backups):
                time.sleep(0.3)
                refused += _collect(pipes, known)
                before = set(known)
                began = time.monotonic()
                made = app.backups.create(keep=3)
                create_s.append(time.monotonic() - began)
                began = time.monotonic()
                keys, equal = _restore(folder / f"other-{number}", made.path, private)
                restore_s.append(time.monotonic() - began)
                missing += len(before - keys.keys())
                doubled += sum(count - 1 for count in keys.values())
                differs += not equal
                before_last = len(before)
        refused += _collect(pipes, known)
        for writer in writers:
            writer.kill()
            writer.join()
    return BackupsReport(
        backups=backups,
        acknowledged=len(known),
        before_last=before_last,
        missing=missing,
        doubled=doubled,
        differs=differs,
        refused=refused,
        median_create_s=statistics.median(create_s),
        median_restore_s=statistics.median(restore_s),
    )


def _restore(home: Path, backup: Path, private: PrivateServer | None) -> tuple[Counter[str], bool]:
    url = ""
    if private is not None:
        name = home.name.replace("-", "_")
        with private.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        url = private.url.replace("/smartabsen", f"/{name}")
    with SmartAbsen.open(flags=flags_of(home, url)) as other:
        other.backups.restore(backup)
        return Counter(stored_keys(other)), not other.attendance_log.verify()[1]


def _collect(pipes: list[Connection], known: set[str]) -> int:
    refused = 0
    for pipe in pipes:
        while pipe.poll():
            key, tries = pipe.recv()
            known.add(key)
            refused += tries - 1
    return refused


def _punch(sender: Connection, flags: Mapping[str, object], writer: int) -> None:
    from smartabsen import SmartAbsenError

    with SmartAbsen.open(flags=flags) as app:
        number = 0
        while True:
            number += 1
            key, tries = f"{writer}-{number}", 0
            while True:
                tries += 1
                try:
                    punch(app, writer + number, key)
                    break
                except SmartAbsenError:
                    time.sleep(0.02)
            sender.send((key, tries))


def main() -> None:
    """Print the figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backups", type=int, default=30)
    parser.add_argument("--server", action="store_true", help="on a private MariaDB instead of SQLite")
    given = parser.parse_args()
    report = measure(given.backups, server=given.server)
    print(table(vars(report)))
    raise SystemExit(not report.clean)


if __name__ == "__main__":
    main()

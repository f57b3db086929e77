"""Punches from many processes at once: how many a second, beside what the disk can sync, and does a lock ever fail?

    python -m bench.contention --url sqlite --url mysql+pymysql://root@127.0.0.1/bench_contention

The database behind a server's URL must be empty; use one made for this.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, time as wall_time, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from smartabsen.attendance import punch_rows
from smartabsen.attendance.recording_rows import record
from smartabsen.attendance.rules import Rules
from smartabsen.kernel.domain import Punch, PunchMethod
from smartabsen.kernel.errors import SmartAbsenError
from smartabsen.people import employee_rows
from smartabsen.store.database import Database

BEGIN = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
RULES = Rules(wall_time(8, 0), 0, "Asia/Jakarta", wall_time(4, 0), 0, 60)


@dataclass(frozen=True)
class ContentionReport:
    """What was found on one database.

    Attributes:
        kind: SQLite, or the server's kind and version.
        acknowledged: Punches that were stored, of so many ``wanted``; ``rows`` are in the database.
        errors: What went wrong, and how often.
        seconds: From the start of the first to the end of the last.
        slowest_s, median_s: Of one punch.
        fsync_ms: Median of a write and fsync of 4 KiB on the disk of this home (a server's own disk may differ).
    """

    kind: str
    wanted: int
    acknowledged: int
    rows: int
    errors: dict[str, int]
    seconds: float
    median_s: float
    slowest_s: float
    fsync_ms: float

    @property
    def clean(self) -> bool:
        """Every punch stored once, no error."""
        return not self.errors and self.acknowledged == self.rows == self.wanted


def measure(url: str, directory: Path, *, processes: int = 8, each: int = 100) -> ContentionReport:
    """Let ``processes`` processes punch ``each`` times, every second time for one person whom all others punch, too."""
    if url == "sqlite":
        url = f"sqlite:///{directory / 'contention.db'}"
    database = Database(url)
    with database.write() as session:
        for number in range(processes + 1):
            employee_rows.add(session, code=f"E{number}", name=f"Contoh {number}")
    facts = database.database_facts()
    database.close()
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(processes + 1)
    answers = context.SimpleQueue()
    workers = [
        context.Process(target=_punch, args=(number, url, each, together, answers)) for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    together.wait()
    began = time.monotonic()
    found: list[tuple[float, str]] = [answer for _ in workers for answer in answers.get()]
    seconds = time.monotonic() - began
    for worker in workers:
        worker.join()
    with database.read() as session:
        rows = sum(day.punches for day in punch_rows.dates(session))
    database.close()
    errors = [error for _, error in found if error]
    times = [taken for taken, error in found if not error]
    return ContentionReport(
        kind=f"{facts.kind} {facts.version} {facts.journal_mode}".strip(),
        wanted=processes * each,
        acknowledged=len(times),
        rows=rows,
        errors={error: errors.count(error) for error in set(errors)},
        seconds=seconds,
        median_s=statistics.median(times),
        slowest_s=max(times),
        fsync_ms=1000 * fsync_s(directory),
    )


def fsync_s(directory: Path, *, times: int = 100) -> float:
    """Return the median of appending 4 KiB and syncing it, in seconds."""
    taken = []
    path = directory / "fsync"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for _ in range(times):
            began = time.monotonic()
            os.write(descriptor, bytes(4096))
            os.fsync(descriptor)
            taken.append(time.monotonic() - began)
    finally:
        os.close(descriptor)
        path.unlink()
    return statistics.median(taken)


def _punch(number: int, url: str, each: int, together: Barrier, answers: Any) -> None:
    database = Database(url)
    with database.read() as session:
        employee_rows.count(session)
    found = []
    together.wait()
    for step in range(each):
        employee_id = 1 if step % 2 else number + 2
        at = BEGIN + timedelta(days=step, minutes=number)
        one = Punch(0, employee_id, at, at.date(), PunchMethod.MANUAL, f"kiosk-{number}", f"{number}-{step}")
        began = time.monotonic()
        try:
            database.run_write(lambda session, one=one: record(session, one, RULES))
            found.append((time.monotonic() - began, ""))
        except SmartAbsenError as exc:
            found.append((time.monotonic() - began, exc.message_id))
    answers.put(found)
    database.close()


def main() -> None:
    """Print the figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", action="append", help="sqlite, or the URL of an empty database on a server")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--each", type=int, default=100)
    arguments = parser.parse_args()
    print("| database | punches | errors | a second | median | slowest | fsync |\n|---|---|---|---|---|---|---|")
    clean = True
    for url in arguments.url or ["sqlite"]:
        with tempfile.TemporaryDirectory() as folder:
            report = measure(url, Path(folder), processes=arguments.processes, each=arguments.each)
        clean &= report.clean
        print(
            f"| {report.kind} | {report.acknowledged} of {report.wanted}, {report.rows} rows | {report.errors or 0} "
            f"| {report.acknowledged / report.seconds:.0f} | {1000 * report.median_s:.0f} ms "
            f"| {1000 * report.slowest_s:.0f} ms | {report.fsync_ms:.2f} ms |"
        )
    raise SystemExit(not clean)


if __name__ == "__main__":
    main()

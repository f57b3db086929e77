"""The database is away for minutes while a kiosk takes punches and is killed twice: is every one there afterwards?

    python -m bench.away --seconds 120 --punches 200

A kiosk (the real session, with the engine for drawn faces and a folder of pictures as the camera) runs on a private
MariaDB behind a gate. Half of the time the gate refuses connections, half of it it accepts them and stays silent.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import signal
import tempfile
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.faults.gate import Gate
from tests.faults.server import PrivateServer

from smartabsen import KioskEvent, KioskEventKind, Outcome, SmartAbsen
from smartabsen.attendance.punch_rows import dates, logged_on
from smartabsen.kiosk.punch_queue import PunchQueue

from .installation import flags_of, log_differs_after_one_start, table
from .kills import FRAMES, prepare_film

GAP_S = 0.25
"""Between two pictures: people do not come in milliseconds."""
SLACK_S = 0.1
"""By how much this machine's clock and its own server's may differ."""


@dataclass(frozen=True)
class AwayReport:
    """What was found.

    Attributes:
        told: Punches that were told to people as kept on the kiosk.
        rows: Rows in the database after its return.
        lost: Told ones that are not among them: no row of their own within :data:`SLACK_S` of their instant.
        doubled: Rows of one instant and person more than once.
        out_of_order: Rows whose instant is before that of an earlier row.
        waiting: Punches that still wait at the end.
        back_s: From the return of the database to the last delivery.
    """

    seconds_away: float
    kills: int
    told: int
    rows: int
    lost: int
    doubled: int
    out_of_order: int
    waiting: int
    log_differs: int
    longest_gap_s: float
    back_s: float

    @property
    def clean(self) -> bool:
        """Nothing lost, doubled, left, or out of order."""
        return not (self.lost or self.doubled or self.out_of_order or self.waiting or self.log_differs)


def measure(seconds: float, punches: int) -> AwayReport:
    """Take the database away for ``seconds``, or until ``punches`` were taken if that is later."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["smartabsen.app.facade", "smartabsen.recognition.embedders.fake"])
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as data:
        server = PrivateServer(Path(data))
        home, film = Path(folder, "home"), Path(folder, "film")
        try:
            with Gate("127.0.0.1", server.port) as gate:
                flags = flags_of(home, f"mysql+pymysql://root@127.0.0.1:{gate.port}/smartabsen")
                prepare_film(flags, str(film))
                return _take(context, flags, film, gate, seconds, punches)
        finally:
            server.kill()


def _take(
    context: Any, flags: Mapping[str, object], film: Path, gate: Gate, seconds: float, punches: int
) -> AwayReport:
    gate.set("closed")
    began = time.monotonic()
    told: list[float] = []
    heard: list[float] = []
    kills = 0
    kiosk, receiver = _start(context, flags, film)
    while time.monotonic() - began < seconds or len(told) < punches:
        if time.monotonic() - began > seconds / 2 and gate.state == "closed":
            gate.set("silent")
        if kills < 2 and time.monotonic() - began > seconds * (kills + 1) / 3:
            kills += 1
            os.kill(kiosk.pid, signal.SIGKILL)
            kiosk.join()
            told += _drain(receiver, heard)
            kiosk, receiver = _start(context, flags, film)
        told += _drain(receiver, heard)
        time.sleep(0.02)
    away_s = time.monotonic() - began
    waiting = PunchQueue(Path(str(flags["home"])) / "queue" / "punches.db")
    gate.set("open")
    back = time.monotonic()
    while waiting.count() and time.monotonic() - back < 120:
        told += _drain(receiver, heard)
        time.sleep(0.05)
    back_s = time.monotonic() - back
    os.kill(kiosk.pid, signal.SIGKILL)
    kiosk.join()
    told += _drain(receiver, heard)
    differs = log_differs_after_one_start(flags)
    with SmartAbsen.open(flags=flags) as app, app.services.database.read(long=True) as session:
        rows = [one.punch for day in dates(session) for one in logged_on(session, day.work_date)]
    rows.sort(key=lambda one: one.id)
    instants = [one.at.timestamp() for one in rows]
    pairs = list(itertools.pairwise(heard))
    return AwayReport(
        seconds_away=away_s,
        kills=kills,
        told=len(told),
        rows=len(rows),
        lost=_count_missing(told, instants),
        doubled=len(rows) - len({(one.employee_id, one.at) for one in rows}),
        out_of_order=sum(later < earlier for earlier, later in itertools.pairwise(instants)),
        waiting=waiting.count(),
        log_differs=differs,
        longest_gap_s=max((after - before for before, after in pairs), default=0.0),
        back_s=back_s,
    )


def _count_missing(told: Sequence[float], stored: Sequence[float]) -> int:
    """Count what has no stored instant of its own. What was taken before the server told the time gets its time."""
    left, missing = sorted(stored), 0
    for instant in sorted(told):
        place = bisect_left(left, instant - SLACK_S)
        if place < len(left) and left[place] <= instant + SLACK_S:
            del left[place]
        else:
            missing += 1
    return missing


def _start(context: Any, flags: Mapping[str, object], film: Path) -> tuple[Any, Connection]:
    receiver, sender = context.Pipe(duplex=False)
    kiosk = context.Process(target=_kiosk, args=(sender, dict(flags), str(film)), daemon=True)
    kiosk.start()
    sender.close()
    return kiosk, receiver


def _drain(receiver: Connection, heard: list[float]) -> list[float]:
    found = []
    try:
        while receiver.poll():
            found.append(receiver.recv())
            heard.append(time.monotonic())
    except (EOFError, OSError):
        pass
    return found


def _kiosk(sender: Connection, flags: Mapping[str, object], film: str) -> None:
    from smartabsen.camera import folder

    show = folder.FolderSource.read

    def slowly(source: Any, timeout_s: float) -> Any:
        time.sleep(GAP_S)
        return show(source, timeout_s)

    folder.FolderSource.read = slowly  # type: ignore[method-assign]

    def announce(event: KioskEvent) -> None:
        if event.kind is KioskEventKind.DECISION and event.outcome is Outcome.PENDING:
            sender.send(event.at.timestamp())

    with SmartAbsen.open(flags=flags) as app:
        while True:
            app.run_kiosk(camera=film, on_event=announce)


def main() -> None:
    """Print the figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--punches", type=int, default=200)
    given = parser.parse_args()
    report = measure(given.seconds, given.punches)
    print(f"{FRAMES} pictures, one each {GAP_S} s, two people on each\n")
    print(table(vars(report)))
    raise SystemExit(not report.clean)


if __name__ == "__main__":
    main()

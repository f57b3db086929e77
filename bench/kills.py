"""kill -9 of a kiosk at random instants while it punches: is anything lost that was announced?

Each round starts the kiosk (the real session, with the engine for drawn faces and a folder of pictures as the camera),
lets it run for a random time and kills it: every other one counts from its start, reconciliation included, the others
from their first announced punch, so that a busy machine does not end them all before they punch. After each kill the
attendance log is read as it lies there; after the last one it is made equal to the database by one start, and both are
compared.

    python -m bench.kills --kills 1000
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

PEOPLE = 40
FRAMES = 60
COOLDOWN_S = 1
CELL_PX, ROWS, COLUMNS, FACE_PX = 150, 4, 6, 76
LONGEST_S = 0.6
FIRST_PUNCH_WITHIN_S = 60.0


@dataclass(frozen=True)
class KillReport:
    """What was found.

    Attributes:
        kills: Kiosks killed; ``while_punching`` of them had announced a punch before.
        announced: Punches that were announced.
        stored: Punches in the database; an attempt may be stored and not announced.
        lost_in_database, lost_in_log: Announced ones that were missing after their kill.
        half_lines: Kills that left a log which does not end with a whole line.
        doubled: Attempts stored twice, and punches of one person within the cooldown.
        log_differs: Lines of the log that differ from the database after one start.
    """

    kills: int
    while_punching: int
    announced: int
    stored: int
    lost_in_database: int
    lost_in_log: int
    half_lines: int
    doubled: int
    log_differs: int
    seconds: float

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing halved, nothing doubled."""
        return not (self.lost_in_database or self.lost_in_log or self.half_lines or self.doubled or self.log_differs)


def measure(kills: int, *, seed: int = 1) -> KillReport:
    """Kill ``kills`` kiosks, one after another."""
    clock = random.Random(seed)
    # Everything is imported once, in the server that forks the kiosks: a start takes milliseconds, not seconds.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["smartabsen.app.facade", "smartabsen.recognition.detectors.fake", "smartabsen.recognition.embedders.fake"]
    )
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        home, film = Path(folder, "home"), Path(folder, "film")
        _in_process(context, prepare_film, _flags(home), str(film))
        announced: dict[str, str] = {}
        lost_in_log = half_lines = while_punching = 0
        for number in range(kills):
            after_s = clock.uniform(0.0, LONGEST_S)
            told = _run_and_kill(context, _flags(home), str(film), after_s=after_s, punching=number % 2 == 1)
            while_punching += bool(told)
            announced.update(told)
            ids, whole = _read_log(home / "Attendance")
            half_lines += not whole
            lost_in_log += sum(ids[punch_id] == 0 for punch_id in told)
        found = _in_process(context, _examine, _flags(home))
    keys = {str(punch_id): key for punch_id, key, _code, _at in found["punches"]}
    return KillReport(
        kills=kills,
        while_punching=while_punching,
        announced=len(announced),
        stored=len(keys),
        lost_in_database=sum(keys.get(punch_id) != key for punch_id, key in announced.items()),
        lost_in_log=lost_in_log,
        half_lines=half_lines,
        doubled=_count_doubled(found["punches"]),
        log_differs=found["log_differs"],
        seconds=time.monotonic() - started,
    )


def _flags(home: Path) -> dict[str, object]:
    return {
        "home": str(home),
        "engine": "fake",
        "recognition.matcher": "exact",
        "kiosk.votes": 1,
        "kiosk.sound": "off",
        "attendance.cooldown_s": COOLDOWN_S,
    }


def _in_process(context: Any, work: Any, *args: Any) -> Any:
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_call, args=(work, sender, *args))
    process.start()
    sender.close()
    answer = receiver.recv()
    process.join()
    return answer


def _call(work: Any, sender: Connection, *args: Any) -> None:
    sender.send(work(*args))


def prepare_film(flags: Mapping[str, object], film: str) -> None:
    """Enrol drawn people, train, and draw a film of two of them on each picture."""
    import cv2
    import numpy as np

    from smartabsen import SmartAbsen
    from smartabsen.recognition.detectors.fake import draw_face

    def picture(*people: int, first_cell: int) -> Any:
        image = np.full((CELL_PX * ROWS, CELL_PX * COLUMNS, 3), 90, dtype=np.uint8)
        for cell, person in enumerate(people, start=first_cell):
            row, column = divmod(cell % (ROWS * COLUMNS), COLUMNS)
            centre = column * CELL_PX + CELL_PX // 2, row * CELL_PX + CELL_PX // 2
            draw_face(image, person, centre_xy=centre, size_px=FACE_PX)
        return image

    folder = Path(film)
    folder.mkdir()
    photo = folder.parent / "photo.png"
    with SmartAbsen.open(flags=flags) as app:
        for person in range(PEOPLE):
            cv2.imwrite(str(photo), picture(person, first_cell=0))
            app.enrol(f"Contoh {person}", [photo], code=f"E{person}", allow_duplicate=True, consent=True)
        app.train()
    for number in range(FRAMES):
        # Every picture shows two others than the one before, elsewhere: each of them is a new track.
        people = (2 * number) % PEOPLE, (2 * number + 1) % PEOPLE
        cv2.imwrite(str(folder / f"{number:03d}.png"), picture(*people, first_cell=2 * number))


def _run_and_kill(
    context: Any, flags: Mapping[str, object], film: str, *, after_s: float, punching: bool
) -> dict[str, str]:
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_kiosk, args=(sender, flags, film))
    process.start()
    sender.close()
    receiver.recv_bytes()  # it runs
    if punching:
        receiver.poll(FIRST_PUNCH_WITHIN_S)
    time.sleep(after_s)
    os.kill(process.pid, signal.SIGKILL)
    told: dict[str, str] = {}
    while True:
        try:
            punch_id, key = receiver.recv_bytes().decode().split()
        except (EOFError, OSError):
            break
        told[punch_id] = key
    process.join()
    return told


def _kiosk(sender: Connection, flags: Mapping[str, object], film: str) -> None:
    from smartabsen import KioskEvent, Outcome, SmartAbsen

    sender.send_bytes(b"started")

    def announce(event: KioskEvent) -> None:
        if event.outcome is Outcome.RECOGNIZED and event.result is not None:
            sender.send_bytes(f"{event.result.punch.id} {event.result.punch.key}".encode())

    with SmartAbsen.open(flags=flags) as app:
        while True:
            app.run_kiosk(camera=film, on_event=announce)


def _read_log(directory: Path) -> tuple[Counter[str], bool]:
    """Return how often each punch id stands in the log, and whether every line is whole."""
    ids: Counter[str] = Counter()
    whole = True
    for path in directory.glob("*.csv"):
        content = path.read_bytes()
        lines = content.decode("utf-8-sig").split("\n")
        whole &= lines[-1] == "" and all(line.count(",") == lines[0].count(",") for line in lines[:-1])
        ids.update(line.split(",")[0] for line in lines[1:-1])
    return ids, whole


def _examine(flags: Mapping[str, object]) -> dict[str, Any]:
    from smartabsen import SmartAbsen
    from smartabsen.attendance.punch_rows import dates, logged_on

    with SmartAbsen.open(flags=flags) as app:
        app.reconcile_log()
        with app.services.database.read() as session:
            logged = [one for day in dates(session) for one in logged_on(session, day.work_date)]
    ids, whole = _read_log(Path(str(flags["home"])) / "Attendance")
    differs = sum((ids - Counter(str(one.punch.id) for one in logged)).values())
    differs += sum((Counter(str(one.punch.id) for one in logged) - ids).values())
    return {
        "punches": [(one.punch.id, one.punch.key, one.code, one.punch.at) for one in logged],
        "log_differs": differs + (not whole),
    }


def _count_doubled(punches: list[tuple[int, str, str, datetime]]) -> int:
    keys = Counter(key for _, key, _, _ in punches)
    doubled = sum(count - 1 for count in keys.values())
    last: dict[str, datetime] = {}
    for _, _, code, at in sorted(punches, key=lambda punch: punch[3]):
        doubled += at - last.get(code, datetime.min.replace(tzinfo=UTC)) < timedelta(seconds=COOLDOWN_S)
        last[code] = at
    return doubled


def main() -> None:
    """Print the figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    report = measure(arguments.kills, seed=arguments.seed)
    print(f"{report.kills} kills in {report.seconds:.0f} s, {report.while_punching} of them after a punch\n")
    print("| | |\n|---|---|")
    print(f"| punches announced | {report.announced} |")
    print(f"| punches stored | {report.stored} |")
    print(f"| announced and lost in the database | {report.lost_in_database} |")
    print(f"| announced and lost in the log | {report.lost_in_log} |")
    print(f"| half lines in the log | {report.half_lines} |")
    print(f"| doubled punches | {report.doubled} |")
    print(f"| lines that differ after one start | {report.log_differs} |")
    raise SystemExit(not report.clean)


if __name__ == "__main__":
    main()

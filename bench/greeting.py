"""How long from the first frame of a person to the greeting at the kiosk, with the liveness check and without.

A kiosk runs on frames made of photos: one or three people walk up (their photos lie on a wall, from one frame on, and
grow), with new noise and a sway in each frame, at 15 frames a second. Frames come at their time, so that a slow
machine drops some, as a camera does; the kiosk takes them for those of a live camera, so while nobody is there it looks
at every third one.
Measured is from the frame in which the people appear to the decision that is announced after the punch is stored.

The freshness watch of a live camera is on, and takes the camera for one that has proven itself, as after the first
seconds of a morning; ``--unwatched`` leaves it out.

Photos are no people: scores of liveness are not looked at here (each passes), only what they cost.

    python -m bench.greeting --engine openvino --engine sface --engine open --rounds 12
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from bench import SHARED
from bench.pipeline import gallery_photos, read
from smartabsen import SmartAbsen
from smartabsen.attendance.punch import attempt_by_face
from smartabsen.camera.base import Frame
from smartabsen.gallery.identify import open_gallery
from smartabsen.gallery.liveness import Attempts
from smartabsen.kernel.domain import ImageBGR, KioskEvent, KioskEventKind
from smartabsen.kernel.ending import Ending
from smartabsen.kiosk.kiosk import Kiosk
from smartabsen.kiosk.liveness import KioskLiveness
from smartabsen.kiosk.punch_writer import PunchWriter
from smartabsen.kiosk.start import PunchesOf
from smartabsen.org.limits import RateLimits
from smartabsen.recognition.liveness.freshness import FreshnessWatch

FPS: Final = 15.0
EMPTY_S: Final = 0.4
"""The wall alone, before people come."""
PATIENCE_S: Final = 4.0
WALK_S: Final = 1.5
FAR: Final = 0.75
"""People come nearer for so long, and begin at this part of their size in the end."""
WALL_PX: Final = (720, 1280)
SHIFTS_XY: Final = (59, 61)
"""Noise is one larger picture that is cut elsewhere for each frame: a camera takes no time of the kiosk's thread."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """Seconds to the greeting of the last person of a round; how many were greeted in time."""

    seconds: float
    greeted: int


class WalkUp:
    """A camera before which people appear; plays at its own pace and drops what nobody took."""

    live = True
    name = "walk-up"

    def __init__(self, photos: list[ImageBGR], seed: int) -> None:
        self._photos = photos
        rng = np.random.default_rng(seed)
        larger = (WALL_PX[0] + SHIFTS_XY[1], WALL_PX[1] + SHIFTS_XY[0], 3)
        self._noise = rng.integers(0, 5, larger, dtype=np.uint8)
        self._began = time.monotonic()
        self._next = 0
        self.appeared_s = 0.0
        self.over = False

    def read(self, timeout_s: float) -> Frame | None:  # noqa: ARG002 - it never waits for long
        """Return the frame of now, or of the next beat."""
        due = self._began + self._next / FPS
        now = time.monotonic()
        if now < due:
            time.sleep(due - now)
        else:
            self._next = int((now - self._began) * FPS)
        at_s = self._next / FPS
        self._next += 1
        if self.over or at_s > EMPTY_S + PATIENCE_S:
            return None
        wall = np.full((*WALL_PX, 3), 120, np.uint8)
        if at_s >= EMPTY_S:
            self.appeared_s = self.appeared_s or time.monotonic()
            self._place(wall, at_s)
        left, top = (7 * self._next) % SHIFTS_XY[0], self._next % SHIFTS_XY[1]
        noisy = cv2.add(wall, self._noise[top : top + WALL_PX[0], left : left + WALL_PX[1]])
        return Frame(np.asarray(noisy, dtype=np.uint8), self._next, at_s)

    def close(self) -> None:
        """Nothing to close."""

    def _place(self, wall: ImageBGR, at_s: float) -> None:
        width = WALL_PX[1] // len(self._photos)
        nearer = min(1.0, FAR + (1.0 - FAR) * (at_s - EMPTY_S) / WALK_S)
        for number, whole in enumerate(self._photos):
            photo = cv2.resize(whole, None, fx=nearer, fy=nearer)
            left = number * width + (width - photo.shape[1]) // 2 + round(4 * np.sin(3 * at_s + number))
            top = (WALL_PX[0] - photo.shape[0]) // 2 + round(3 * np.cos(2 * at_s + number))
            wall[top : top + photo.shape[0], left : left + photo.shape[1]] = photo


def measure(app: SmartAbsen, rounds: list[list[ImageBGR]], *, watched: bool) -> Iterator[Greeting]:
    """Yield a figure for each round of people; ``watched`` lets the frames be judged like those of a live camera."""
    services = app.services
    for number, photos in enumerate(rounds):
        camera, told = WalkUp(photos, number), []
        ending = Ending(threading.Event(), max_seconds=None)

        def note(event: KioskEvent, told: list[float], camera: WalkUp, count: int) -> None:
            if event.kind is KioskEventKind.DECISION and event.result is not None:
                told.append(time.monotonic() - camera.appeared_s)
                camera.over = len(told) == count

        gallery = open_gallery(services)
        kiosk = Kiosk(
            frames=camera,
            recognizer=services.at_kiosk,
            gallery=gallery,
            attempt=partial(attempt_by_face, services),
            liveness=KioskLiveness(
                services.liveness,
                Attempts(services.settings.liveness, RateLimits(services)),
                recognizer=services.at_kiosk,
                gallery=gallery,
                watch=FreshnessWatch(proving_s=0.0) if watched else None,
                too_slow=lambda: None,
                keep=lambda: None,
            ),
            writer=PunchWriter(PunchesOf(services), services.punch_queue, services.clock),
            clock=services.clock,
            votes=services.settings.kiosk.votes,
            announce=partial(note, told=told, camera=camera, count=len(photos)),
            stop=ending,
        )
        kiosk.run()
        if told:
            yield Greeting(told[-1], len(told))


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", choices=["openvino", "sface", "open"])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--unwatched", action="store_true", help="without the freshness watch")
    options = parser.parse_args()
    print(
        "| engine | people | liveness | rounds | all greeted | median s | p95 s |\n|---|---:|---|---:|---:|---:|---:|"
    )
    for engine in options.engine or ["openvino", "sface", "open"]:
        _measure_engine(engine, options.shared, options.rounds, watched=not options.unwatched)


def _measure_engine(engine: str, shared: Path, rounds: int, *, watched: bool) -> None:
    people = gallery_photos(shared)[:12]
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        flags = {"home": str(home), "engine": engine, "models_dir": str(shared / "models"), "language": "en"}
        # Each photo passes: only the cost is measured.
        guarded = {**flags, "liveness.require": "auto", "liveness.threshold": "0.0"}
        app = stack.enter_context(SmartAbsen.open(flags=guarded))
        for number, photos in enumerate(people):
            app.enrol(f"Contoh {number}", photos[:4], code=f"E{number:03}", consent=True)
        app.train()
        off = stack.enter_context(SmartAbsen.open(flags={**flags, "liveness.require": "off"}))
        probes = [cv2.resize(read(photos[4]), (380, 380)) for photos in people]
        for count in (1, 3):
            walk_ups = [[probes[(number + each) % len(probes)] for each in range(count)] for number in range(rounds)]
            found: dict[str, list[Greeting]] = {"off": [], "auto": []}
            # The first rounds load everything. Then in turn, so that both meet the same machine.
            for each in (off, app):
                list(measure(each, walk_ups[:2], watched=watched))
            for walk_up in walk_ups:
                found["off"] += measure(off, [walk_up], watched=watched)
                found["auto"] += measure(app, [walk_up], watched=watched)
            for name, greetings in found.items():
                seconds = [one.seconds for one in greetings if one.greeted == count]
                if not seconds:
                    print(f"| {engine} | {count} | {name} | {rounds} | 0 | - | - |", flush=True)
                    continue
                late = float(np.quantile(seconds, 0.95))
                print(
                    f"| {engine} | {count} | {name} | {rounds} | {len(seconds)} "
                    f"| {statistics.median(seconds):.2f} | {late:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()

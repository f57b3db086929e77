"""How long from the first frame of a person to the greeting at the kiosk, with the liveness check and without.

A kiosk runs on frames made of photos: one or three people walk up (their photos lie on a wall, from one frame on), with
new noise and a small sway in each frame, at 15 frames a second. Frames come at their time, so that a slow machine
drops some, as a camera does. Measured is from the frame in which the people appear to the decision that is announced
after the punch is stored. The freshness watch, which a live camera has, is off: it waits the same with and without.

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
from smartabsen.camera.base import Frame
from smartabsen.core.ending import Ending
from smartabsen.core.identify import open_gallery
from smartabsen.core.kiosk import Kiosk
from smartabsen.core.kiosk_liveness import KioskLiveness
from smartabsen.core.kiosk_start import PunchesOf
from smartabsen.core.limits import RateLimits
from smartabsen.core.liveness import Attempts
from smartabsen.core.punch import attempt_by_face
from smartabsen.core.punch_writer import PunchWriter
from smartabsen.domain import ImageBGR, KioskEvent, KioskEventKind

FPS: Final = 15.0
EMPTY_S: Final = 0.4
"""The wall alone, before people come."""
PATIENCE_S: Final = 4.0
WALL_PX: Final = (720, 1280)


@dataclass(frozen=True, slots=True)
class Greeting:
    """Seconds to the greeting of the last person of a round; how many were greeted in time."""

    seconds: float
    greeted: int


class WalkUp:
    """A camera before which people appear; plays at its own pace and drops what nobody took."""

    live = False
    name = "walk-up"

    def __init__(self, photos: list[ImageBGR], seed: int) -> None:
        self._photos = photos
        self._rng = np.random.default_rng(seed)
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
        noisy = cv2.add(wall, self._rng.integers(0, 5, wall.shape, dtype=np.uint8))
        return Frame(np.asarray(noisy, dtype=np.uint8), self._next, at_s)

    def close(self) -> None:
        """Nothing to close."""

    def _place(self, wall: ImageBGR, at_s: float) -> None:
        width = WALL_PX[1] // len(self._photos)
        for number, photo in enumerate(self._photos):
            left = number * width + (width - photo.shape[1]) // 2 + round(4 * np.sin(3 * at_s + number))
            top = (WALL_PX[0] - photo.shape[0]) // 2 + round(3 * np.cos(2 * at_s + number))
            wall[top : top + photo.shape[0], left : left + photo.shape[1]] = photo


def measure(app: SmartAbsen, rounds: list[list[ImageBGR]]) -> Iterator[Greeting]:
    """Yield a figure for each round of people."""
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
                watch=None,
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
    options = parser.parse_args()
    print(
        "| engine | people | liveness | rounds | all greeted | median s | p95 s |\n|---|---:|---|---:|---:|---:|---:|"
    )
    for engine in options.engine or ["openvino", "sface", "open"]:
        _measure_engine(engine, options.shared, options.rounds)


def _measure_engine(engine: str, shared: Path, rounds: int) -> None:
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
                list(measure(each, walk_ups[:2]))
            for walk_up in walk_ups:
                found["off"] += measure(off, [walk_up])
                found["auto"] += measure(app, [walk_up])
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

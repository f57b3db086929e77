"""Memory and processor time of ``run-kiosk``, at a camera with nobody in front, with somebody, and on a film.

A home of 12 people is made and trained; then ``smartabsen run-kiosk`` runs as a process of its own and reads pictures
of 640 x 480, 15 a second, over HTTP, as from a network camera: first an empty wall, with new noise in each picture,
then a stranger before it, who stays undecided, then somebody who is enrolled. A film (``one_person.mp4``) is played as
fast as it goes. Anonymous memory and mapped files are those of ``/proc/PID/smaps_rollup`` at the end of each; *share*
is the process's processor time by the time that passed, of one core.

    python -m bench.kiosk --engine open
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from bench import SHARED
from bench.pipeline import gallery_photos, read
from smartabsen import SmartAbsen
from smartabsen.kernel.domain import ImageBGR

ENGINES: Final = ("open", "sface", "openvino", "insightface", "dlib")
FPS: Final = 15.0
PICTURES: Final = 12
HEIGHT, WIDTH = 480, 640
_BOUNDARY: Final = "picture"
_LOADED_PAGES: Final = 50_000
"""Each engine takes some 200 MB at least."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a kiosk took at one scene: megabytes, and the share of one core."""

    scene: str
    resident_mb: float
    proportional_mb: float
    anonymous_mb: float
    share: float


class Camera(ThreadingHTTPServer):
    """A network camera (MJPEG over HTTP) whose scene can be changed."""

    daemon_threads = True

    def __init__(self, scene: list[bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scene = scene


class _Handler(BaseHTTPRequestHandler):
    server: Camera

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        self.end_headers()
        number, due = 0, time.monotonic()
        try:
            while True:
                picture = self.server.scene[number % PICTURES]
                head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                self.wfile.write(head.encode() + picture + b"\r\n")
                number, due = number + 1, due + 1 / FPS
                time.sleep(max(0.0, due - time.monotonic()))
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def make_scene(person: ImageBGR | None) -> list[bytes]:
    """Return JPEG pictures of a wall, with or without a person before it who sways a little."""
    rng = np.random.default_rng(0)
    pictures = []
    for number in range(PICTURES):
        wall = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
        if person is not None:
            left = (WIDTH - person.shape[1]) // 2 + round(4 * np.sin(number))
            wall[HEIGHT - person.shape[0] :, left : left + person.shape[1]] = person
        noisy = cv2.add(wall, rng.integers(0, 5, wall.shape, dtype=np.uint8))
        pictures.append(cv2.imencode(".jpg", noisy)[1].tobytes())
    return pictures


def measure(engine: str, shared: Path, *, seconds: float) -> Iterator[Cost]:
    """Run kiosks with an engine, and yield what each scene takes."""
    people = gallery_photos(shared)
    before = {"a stranger in front": people[20][0], "somebody enrolled in front": people[0][3]}
    with tempfile.TemporaryDirectory() as folder:
        flags: dict[str, object] = {"home": folder, "engine": engine, "models_dir": str(shared / "models")}
        with SmartAbsen.open(flags={**flags, "language": "en"}) as app:
            for number, photos in enumerate(people[:12]):
                app.enrol(f"Contoh {number}", photos[:3], code=f"E{number:03}", consent=True)
            app.train()
        camera = Camera(make_scene(None))
        threading.Thread(target=camera.serve_forever, daemon=True).start()
        run = partial(_running, engine, folder, shared / "models")
        try:
            with run(f"http://127.0.0.1:{camera.server_port}/") as process:
                _settle(process.pid, seconds / 2)
                yield _watch(process, "nobody in front", seconds)
                for scene, photo in before.items():
                    person = cv2.resize(read(photo), (400, 400))
                    camera.scene = make_scene(np.asarray(person, dtype=np.uint8))
                    _settle(process.pid, seconds / 2)
                    yield _watch(process, scene, seconds)
        finally:
            camera.shutdown()
        with run(str(shared / "faces" / "video" / "one_person.mp4")) as process:
            while process.poll() is None and _processor_s(process.pid) < seconds / 2:
                time.sleep(0.2)
            yield _watch(process, "a film", min(1.0, seconds))


@contextmanager
def _running(engine: str, home: str, models: Path, camera: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMARTABSEN_")}
    environment |= {"SMARTABSEN_MODELS_DIR": str(models)}
    command = [sys.executable, "-m", "smartabsen", "run-kiosk", "--home", home, "--engine", engine]
    process = subprocess.Popen(
        [*command, "--headless", "--sound", "off", "--camera", camera],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _watch(process: subprocess.Popen[bytes], scene: str, seconds: float) -> Cost:
    if process.poll() is not None:
        sys.exit(f"the kiosk ended with {process.returncode}")
    used, start = _processor_s(process.pid), time.monotonic()
    time.sleep(seconds)
    share = (_processor_s(process.pid) - used) / (time.monotonic() - start)
    fields = (line.split() for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:])
    megabytes = {parts[0]: int(parts[1]) / 1024 for parts in fields}
    return Cost(scene, megabytes["Rss:"], megabytes["Pss:"], megabytes["Anonymous:"], share)


def _settle(pid: int, seconds: float) -> None:
    """Wait until models are loaded and have allocated what they keep: the memory has not grown for so long."""
    known, since = 0, time.monotonic()
    while time.monotonic() - since < seconds or known < _LOADED_PAGES:
        time.sleep(0.5)
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        if pages > known:
            known, since = pages, time.monotonic()


def _processor_s(pid: int) -> float:
    # Behind the name, which may contain anything: fields 14 and 15, counted from 1, are user and system time.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    print("| engine | scene | RSS MB | PSS MB | anonymous MB | files MB | share of one core |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for engine in options.engine or ENGINES:
        for cost in measure(engine, options.shared, seconds=options.seconds):
            print(
                f"| {engine} | {cost.scene} | {cost.resident_mb:.0f} | {cost.proportional_mb:.0f} "
                f"| {cost.anonymous_mb:.0f} | {cost.resident_mb - cost.anonymous_mb:.0f} | {100 * cost.share:.0f} % |",
                flush=True,
            )


if __name__ == "__main__":
    main()

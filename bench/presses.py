"""From pressing the button of the attendance page to the answer, and how many faces a server recognises at once.

*Throughput*: bursts of six pictures are sent by one browser, and by two at once, in turn in one run, to a server in
production with one and with two workers. Sign-ins and pictures are made before; only sending, recognition (three
pictures looked at, liveness included) and recording are timed.

*Press to answer*: Chromium shows the attendance page with a film as its camera, and the button is pressed; timed is
from there until the page greets. The first press after a start of the server is told apart.

Photos are no people: scores of liveness are not looked at here (each passes), only what they cost.

    python -m bench.presses --engine open --engine sface
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import secrets
import shutil
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from tests.web.server_process import running_server

from bench import SHARED
from bench.pipeline import gallery_photos, read
from bench.web_client import Client
from smartabsen import SmartAbsen
from smartabsen.kernel.domain import ImageBGR, VerifyOutcome
from smartabsen.recognition.images import encode_image

PEOPLE: Final = 12
FPS: Final = 30
FILM_S: Final = 4
SIZE_PX: Final = (640, 480)


@dataclass(frozen=True, slots=True)
class Office:
    """A running server, and the installation behind it."""

    port: int
    app: SmartAbsen
    pid: int
    started_s: float

    def processor_s(self) -> float:
        """Seconds of processor that the server and its workers have used (Linux)."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if self.pid in (int(stat.parent.name), int(fields[1])):
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(home: Path, engine: str, shared: Path, *, workers: int) -> Iterator[Office]:
    """Start a server in production and wait until it listens."""
    secret = secrets.token_urlsafe(48)
    variables = {
        "ENGINE": engine,
        "MODELS_DIR": str(shared / "models"),
        "SECRET_KEY": secret,
        "LANGUAGE": "en",
        "LIVENESS_THRESHOLD": "0.0",
        "SIGNIN_WAITING_PER_ADDRESS": "1000",
    }
    settings = {f"SMARTABSEN_{name}": value for name, value in variables.items()}
    started_s = time.monotonic()
    with running_server(home, "--production", "--workers", str(workers), settings=settings) as server:
        flags = {**_flags(home, engine, shared), "server.port": server.port, "server.secret_key": secret}
        with SmartAbsen.open(flags=flags) as app:
            yield Office(server.port, app, server.process.pid, started_s)


def make_home(home: Path, engine: str, shared: Path, further: Sequence[Path]) -> None:
    """Enrol some people of LFW, and one more of these photos; train."""
    with SmartAbsen.open(flags=_flags(home, engine, shared)) as app:
        for number, photos in enumerate(gallery_photos(shared)[:PEOPLE]):
            app.enrol(f"Contoh {number}", photos[:4], code=f"E{number:03}", consent=True)
        if further:
            app.enrol("Contoh Film", list(further), code="F001", consent=True)
        app.train(force=True)


def _flags(home: Path, engine: str, shared: Path) -> dict[str, object]:
    return {"home": str(home), "engine": engine, "models_dir": str(shared / "models"), "language": "en"}


# --- throughput ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Throughput:
    """What a server did with so many browsers at once, one figure for each round.

    Attributes:
        rates: Bursts a second.
        processor_ms: Milliseconds of processor for each burst, whatever else the machine does.
        outcomes: What became of the bursts.
    """

    rates: dict[int, list[float]]
    processor_ms: dict[int, list[float]]
    outcomes: Counter[str]

    @property
    def ratio(self) -> float:
        """What two at once serve in one time, of what one serves; the median over the rounds."""
        return statistics.median(two / one for one, two in zip(self.rates[1], self.rates[2], strict=True))


def measure_throughput(office: Office, shared: Path, *, workers: int, rounds: int, each: int) -> Throughput:
    """Send bursts by one browser and by two at once, in turn."""
    bursts = _bursts(shared, 2 * rounds * each + 2 * workers, seed=workers)
    found = Throughput({1: [], 2: []}, {1: [], 2: []}, Counter())
    # Everything is loaded by these.
    _send_all(office, [next(bursts) for _ in range(2 * workers)], at_once=2)
    for _, at_once in itertools.product(range(rounds), (1, 2)):
        seconds, processor_s, outcomes = _send_all(office, [next(bursts) for _ in range(each)], at_once=at_once)
        found.rates[at_once].append(each / seconds)
        found.processor_ms[at_once].append(1000 * processor_s / each)
        found.outcomes.update(outcomes)
    return found


def _send_all(office: Office, bursts: Sequence[Sequence[bytes]], *, at_once: int) -> tuple[float, float, Counter[str]]:
    waiting = [(_signed_in(office), burst) for burst in bursts]
    outcomes: Counter[str] = Counter()
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                client, burst = waiting.pop()
            status, text = client.send_burst(burst)
            outcome = re.search(r'"outcome": ?"(\w+)"', text)
            with lock:
                outcomes[outcome[1] if outcome else f"status {status}"] += 1
            client.close()

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    began, used_s = time.perf_counter(), office.processor_s()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, office.processor_s() - used_s, outcomes


def _signed_in(office: Office) -> Client:
    client = Client(office.port)
    _status, page = client.ask("GET", "/auth")
    code, number = (re.search(rf'id="{name}">([^<]+)<', page) for name in ("access-code", "number"))
    assert code and number, page
    _confirm(office, code[1], number[1])
    client.post("/auth")
    status, _text = client.ask("GET", "/web_attendance")
    assert status == 200, status
    return client


def _confirm(office: Office, code: str, number: str) -> None:
    outcome = office.app.signin.verify_qr_code(code, number=int(number), client=secrets.token_hex(8))
    assert outcome is VerifyOutcome.CONFIRMED, outcome


def _bursts(shared: Path, count: int, *, seed: int) -> Iterator[list[bytes]]:
    """Yield bursts of people who sway before a wall; no two pictures have the same noise."""
    rng = np.random.default_rng(seed)
    portraits = [cv2.resize(read(photos[4]), (400, 400)) for photos in gallery_photos(shared)[:PEOPLE]]
    for number in range(count):
        yield [_frame(portraits[number % PEOPLE], step, rng) for step in range(6)]


def _frame(portrait_bgr: ImageBGR, step: int, rng: np.random.Generator) -> bytes:
    frame = np.full((SIZE_PX[1], SIZE_PX[0], 3), 150, np.uint8)
    left = 100 + 4 * step
    frame[40:440, left : left + 400] = portrait_bgr
    noisy = cv2.add(frame, rng.integers(0, 4, frame.shape, dtype=np.uint8))
    return encode_image(np.asarray(noisy, dtype=np.uint8), suffix=".jpg")


# --- press to answer ----------------------------------------------------------------------------------------

PRESS: Final = """
() => new Promise((resolve) => {
  const status = document.getElementById("status");
  const done = document.getElementById("done");
  const take = document.getElementById("take");
  let answered = false;
  const pressed = performance.now();
  const look = () => {
    if (done.hidden && !status.classList.contains("is-refusal")) return;
    if (answered) return;
    answered = true;
    resolve([performance.now() - pressed, done.hidden ? status.textContent : "done"]);
  };
  new MutationObserver(look).observe(document.body, { attributes: true, childList: true, subtree: true });
  take.click();
})
"""


@dataclass(frozen=True, slots=True)
class Presses:
    """Milliseconds of presses that were greeted, what the page said otherwise, and the first press after a start."""

    took_ms: list[float]
    refused: Counter[str]
    first_ms: float
    first_after_s: float


def measure_presses(office: Office, films: Sequence[Path], *, chromium: str) -> Presses:
    """Sign in and press once before each film, in a new browser each: it begins its film anew for every page."""
    from playwright.sync_api import sync_playwright

    took_ms: list[float] = []
    refused: Counter[str] = Counter()
    first_after_s = 0.0
    with sync_playwright() as playwright:
        for film in films:
            camera = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *camera])
            page = browser.new_context(permissions=["camera"]).new_page()
            _sign_in(office, page)
            page.wait_for_selector("#take:not([disabled])", timeout=30_000)
            first_after_s = first_after_s or time.monotonic() - office.started_s
            ms, said = page.evaluate(PRESS)
            if said == "done":
                took_ms.append(ms)
            else:
                refused[said] += 1
            browser.close()
    first, *others = took_ms
    return Presses(others, refused, first, first_after_s)


def _sign_in(office: Office, page: Any) -> None:
    page.goto(f"http://127.0.0.1:{office.port}/auth")
    _confirm(office, page.locator("#access-code").inner_text(), page.locator("#number").inner_text())
    page.wait_for_url("**/web_attendance", timeout=30_000)


def make_films(shared: Path, directory: Path, count: int) -> tuple[list[Path], list[Path]]:
    """Write the film of one person as a camera gives it, each time with new noise; return the films and photos."""
    capture = cv2.VideoCapture(str(shared / "faces" / "video" / "one_person.mp4"))
    frames: list[ImageBGR] = []
    while True:
        there, frame = capture.read()
        if not there:
            break
        frames.append(_as_a_camera(np.asarray(frame, dtype=np.uint8)))
    photos = []
    for number in (0, 80, 160, 240):
        photos.append(directory / f"photo-{number}.png")
        cv2.imwrite(str(photos[-1]), frames[number])
    rng = np.random.default_rng(1)
    films = []
    for number in range(count):
        films.append(directory / f"film-{number}.mjpeg")
        start = 10 * number % (len(frames) - FILM_S * FPS)
        with films[-1].open("wb") as stream:
            for frame in frames[start : start + FILM_S * FPS]:
                noisy = cv2.add(frame, rng.integers(0, 4, frame.shape, dtype=np.uint8))
                stream.write(encode_image(np.asarray(noisy, dtype=np.uint8), suffix=".jpg"))
    return films, photos


def _as_a_camera(frame_bgr: ImageBGR) -> ImageBGR:
    height = round(frame_bgr.shape[0] * SIZE_PX[1] / frame_bgr.shape[1])
    turned = cv2.resize(frame_bgr, (SIZE_PX[1], height), interpolation=cv2.INTER_LINEAR)
    wall = np.full((SIZE_PX[1], SIZE_PX[0], 3), 120, np.uint8)
    wall[:, 80 : 80 + SIZE_PX[1]] = turned[60 : 60 + SIZE_PX[1]]
    return wall


# --- the report ---------------------------------------------------------------------------------------------


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", choices=["openvino", "sface", "open"])
    parser.add_argument("--workers", action="append", type=int)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bursts", type=int, default=24)
    parser.add_argument("--presses", type=int, default=15)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    engines = options.engine or ["open", "sface"]
    print(f"Load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.\n")
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        films, photos = make_films(options.shared, directory, len(engines) * options.presses)
        for engine in engines:
            make_home(directory / engine, engine, options.shared, photos)
        print("| engine | workers | one at once, bursts/s | two at once | two of one | processor ms a burst | two at "
              "once | outcomes |\n|---|---:|---:|---:|---:|---:|---:|---|")  # fmt: skip
        for engine, workers in itertools.product(engines, options.workers or [1, 2]):
            with running(directory / engine, engine, options.shared, workers=workers) as office:
                found = measure_throughput(
                    office, options.shared, workers=workers, rounds=options.rounds, each=options.bursts
                )
            one, two = (statistics.median(found.rates[count]) for count in (1, 2))
            alone_ms, both_ms = (statistics.median(found.processor_ms[count]) for count in (1, 2))
            print(f"| {engine} | {workers} | {one:.2f} | {two:.2f} | {found.ratio:.2f} | {alone_ms:.0f} | "
                  f"{both_ms:.0f} | {dict(found.outcomes)} |", flush=True)  # fmt: skip
        if chromium is None or not options.presses:
            return
        print("\n| engine | presses | median ms | p95 ms | first after a start ms | pressed after s | refused |\n"
              "|---|---:|---:|---:|---:|---:|---|")  # fmt: skip
        for number, engine in enumerate(engines):
            mine = films[number * options.presses : (number + 1) * options.presses]
            with running(directory / engine, engine, options.shared, workers=2) as office:
                presses = measure_presses(office, mine, chromium=chromium)
            late = float(np.quantile(presses.took_ms, 0.95))
            print(f"| {engine} | {len(presses.took_ms)} | {statistics.median(presses.took_ms):.0f} | {late:.0f} | "
                  f"{presses.first_ms:.0f} | {presses.first_after_s:.1f} | {dict(presses.refused) or 0} |",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

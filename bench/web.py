"""The web server under load: one-time tokens, link previews, recognition and pages, and what each page costs.

python -m bench.web --seconds 60
"""

from __future__ import annotations

import argparse
import re
import secrets
import shutil
import sqlite3
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from bench.web_client import Client, Running, running, taken_anew
from smartabsen import SmartAbsen
from smartabsen.camera.picture import read_picture
from smartabsen.kernel.domain import ImageBGR, VerifyOutcome
from smartabsen.recognition.images import encode_image
from smartabsen.upkeep.demo_film import make_demo_material

NAMES: Final = tuple(f"Contoh {number}" for number in range(1, 7))
PREVIEWERS: Final = (
    "WhatsApp/2.24",
    "TelegramBot (like TwitterBot)",
    "facebookexternalhit/1.1",
    "Slackbot-LinkExpanding 1.0",
)


# --- one-time tokens and previews ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TokenReport:
    """What became of tokens that several clients confirmed at the same instant."""

    tokens: int
    clients: int
    successes: int
    statuses: dict[int, int]

    @property
    def clean(self) -> bool:
        """Each token was used exactly once, and no answer was an error of the server."""
        return self.successes == self.tokens and not any(status >= 500 for status in self.statuses)


def measure_tokens(server: Running, *, tokens: int, clients: int) -> TokenReport:
    """Let clients confirm each token at the same instant."""
    made = [server.app.signin.generate_qr_code(secrets.token_hex(16)) for _ in range(tokens)]
    barrier = threading.Barrier(clients)
    statuses: Counter[int] = Counter()
    confirmed: Counter[str] = Counter()
    lock = threading.Lock()

    def work() -> None:
        client = Client(server.port)
        client.ask("GET", "/verify_qr")
        for request in made:
            barrier.wait(timeout=120)
            status, text = client.post("/verify_qr", token=request.token, number=str(request.number), action="confirm")
            with lock:
                statuses[status] += 1
                confirmed[request.token] += 'data-outcome="confirmed"' in text
        client.close()

    _at_once(work, clients)
    assert all(count <= 1 for count in confirmed.values()), "a token was used twice"
    return TokenReport(tokens, clients, sum(confirmed.values()), dict(statuses))


@dataclass(frozen=True, slots=True)
class PreviewReport:
    """What became of a token whose address link previews fetched."""

    fetched: int
    statuses: dict[int, int]
    rows_written: int
    still_good: bool

    @property
    def clean(self) -> bool:
        """Nothing was written, and a person could confirm afterwards."""
        return set(self.statuses) == {200} and self.rows_written == 0 and self.still_good


def measure_previews(server: Running, *, times: int) -> PreviewReport:
    """Fetch the address of one request by GET and HEAD, then confirm it."""
    request = server.app.signin.generate_qr_code(secrets.token_hex(16))
    path = f"/verify_qr?token={request.token}"
    before = _rows(server.home)
    statuses: Counter[int] = Counter()
    for number in range(times):
        agent = PREVIEWERS[number % len(PREVIEWERS)]
        # Each preview is a stranger: no cookies.
        client = Client(server.port)
        status, _text = client.ask("GET" if number % 2 else "HEAD", path, agent=agent)
        client.close()
        statuses[status] += 1
    written = _rows(server.home) - before
    outcome = server.app.signin.verify_qr_code(request.token, number=request.number)
    return PreviewReport(times, dict(statuses), written, outcome is VerifyOutcome.CONFIRMED)


def _rows(home: Path) -> int:
    connection = sqlite3.connect(home / "smartabsen.db")
    try:
        tables = ("qr_tokens", "web_sessions", "rate_limits", "audit", "punches")
        return sum(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables)
    finally:
        connection.close()


# --- load ---------------------------------------------------------------------------------------------------


@dataclass
class Load:
    """Answers that users got, in milliseconds, and those that were errors."""

    name: str
    took_ms: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def percentile(self, share: float) -> float:
        """The time that this share of the answers did not exceed."""
        ordered = sorted(self.took_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def measure_recognition(server: Running, bursts: Sequence[Sequence[bytes]], *, users: int, seconds: float) -> Load:
    """Let users sign in and send bursts; only the recognition is timed."""
    load, lock = Load("recognition"), threading.Lock()
    until = time.monotonic() + seconds
    number = iter(range(users))

    def work() -> None:
        mine = next(number)
        while time.monotonic() < until:
            client = Client(server.port)
            _sign_in(server, client)
            frames = taken_anew(bursts[mine % len(bursts)])
            began = time.perf_counter()
            status, text = client.send_burst(frames)
            took = 1000 * (time.perf_counter() - began)
            client.close()
            with lock:
                load.took_ms.append(took)
                if status != 200:
                    load.errors[f"{status}"] += 1
                outcome = re.search(r'"outcome": "(\w+)"', text)
                load.outcomes[outcome[1] if outcome else "none"] += 1

    _at_once(work, users)
    return load


def measure_pages(server: Running, *, users: int, seconds: float) -> list[Load]:
    """Let users open pages one after the other without a pause, each in a browser of their own."""
    lock = threading.Lock()
    until = time.monotonic() + seconds
    request = server.app.signin.generate_qr_code(secrets.token_hex(16))
    pages = ("/auth", f"/verify_qr?token={request.token}", "/verify_qr", "/static/app.css", "/healthz")
    loads = {page: Load(page.replace(request.token, "...")) for page in pages}

    def work() -> None:
        client = Client(server.port)
        while time.monotonic() < until:
            for page, load in loads.items():
                began = time.perf_counter()
                status, _text = client.ask("GET", page)
                took = 1000 * (time.perf_counter() - began)
                with lock:
                    load.took_ms.append(took)
                    if status != 200:
                        load.errors[f"{status}"] += 1
        client.close()

    _at_once(work, users)
    every = Load("all pages")
    for load in loads.values():
        every.took_ms += load.took_ms
        every.errors += load.errors
    return [*loads.values(), every]


def _sign_in(server: Running, client: Client) -> None:
    """Open the sign-in page, confirm its code as a phone would, and go on to the camera."""
    _status, page = client.ask("GET", "/auth")
    code, number = (re.search(rf'id="{name}">([^<]+)<', page) for name in ("access-code", "number"))
    assert code and number, page
    outcome = server.app.signin.verify_qr_code(code[1], number=int(number[1]), client=secrets.token_hex(8))
    assert outcome is VerifyOutcome.CONFIRMED, outcome
    client.post("/auth")
    status, _text = client.ask("GET", "/web_attendance")
    assert status == 200, status


def _at_once(work: Callable[[], None], count: int) -> None:
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as exc:
            failures.append(exc)
            raise

    threads = [threading.Thread(target=guarded) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


# --- what a page costs --------------------------------------------------------------------------------------


def measure_costs(home: Path, *, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of each call in one process, an empty Flask route among them."""
    from flask import Flask

    from smartabsen.qr.render import svg_qr
    from smartabsen.web import auth, create_app

    empty = Flask("empty")
    empty.add_url_rule("/", "empty", lambda: "")
    with SmartAbsen.open(flags={"home": str(home), "engine": "dlib"}) as app:
        web = create_app(app)
        client, bare = web.test_client(), empty.test_client()
        client.get("/auth")
        calls: dict[str, Callable[[], object]] = {
            "an empty Flask route": lambda: bare.get("/"),
            "/healthz": lambda: client.get("/healthz"),
            "a poll (/auth/status)": lambda: client.get("/auth/status"),
            "/verify_qr": lambda: client.get("/verify_qr"),
            "/auth, renewed": lambda: client.get("/auth"),
            "/auth in a new browser": lambda: web.test_client().get("/auth", environ_base={"REMOTE_ADDR": _somebody()}),
            "drawing a QR": lambda: svg_qr(f"https://absen.example.com/verify_qr?token={secrets.token_urlsafe(48)}"),
        }
        auth.POLL.every_s = 0.0
        took: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(rounds):
            for name, call in calls.items():
                began = time.perf_counter()
                call()
                took[name].append(1000 * (time.perf_counter() - began))
    return {name: statistics.median(times) for name, times in took.items()}


def _somebody() -> str:
    return f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"


def measure_first_qr(server: Running, *, rounds: int) -> tuple[float, float] | None:
    """Return the median milliseconds until Chromium shows the QR, and an empty answer; None without Chromium."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        return None
    from playwright.sync_api import sync_playwright

    shown, empty = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(rounds):
            page = browser.new_context().new_page()
            page.goto(f"http://127.0.0.1:{server.port}/healthz")
            began = time.perf_counter()
            page.goto(f"http://127.0.0.1:{server.port}/healthz", wait_until="commit")
            empty.append(1000 * (time.perf_counter() - began))
            began = time.perf_counter()
            page.goto(f"http://127.0.0.1:{server.port}/auth", wait_until="commit")
            page.locator(".qr svg").wait_for(state="visible")
            shown.append(1000 * (time.perf_counter() - began))
            page.context.close()
        browser.close()
    return statistics.median(shown), statistics.median(empty)


# --- the report ---------------------------------------------------------------------------------------------


def make_home(directory: Path) -> tuple[Path, list[list[bytes]]]:
    """Enrol six people and train; return the home, and a burst of each person as JPEG files."""
    home = directory / "home"
    with SmartAbsen.open(flags={"home": str(home), "engine": "dlib"}) as app:
        detector = app.services.engine.detector
        made = make_demo_material(directory, lambda image: [face.box_xyxy for face in detector.detect(image)], NAMES)
        for number, (name, photos) in enumerate(made.photos.items(), start=1):
            app.enrol(name, photos, code=f"E{number:03}", consent=True)
        app.train()
    bursts = []
    for photos in made.photos.values():
        portrait = read_picture(photos[0])[:480]
        bursts.append([encode_image(_before_a_wall(portrait, 3 * step), suffix=".jpg") for step in range(6)])
    return home, bursts


def _before_a_wall(portrait_bgr: ImageBGR, left: int) -> ImageBGR:
    frame = np.full((480, 640, 3), 174, dtype=np.uint8)
    height, width = portrait_bgr.shape[:2]
    frame[:height, 60 + left : 60 + left + width] = portrait_bgr
    return frame


def main() -> None:
    """Measure everything and print Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.web", description=__doc__)
    parser.add_argument("--tokens", type=int, default=300)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--previews", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        home, bursts = make_home(Path(directory))
        with running(home, workers=options.workers) as server:
            tokens = measure_tokens(server, tokens=options.tokens, clients=options.clients)
            print(f"- {tokens.tokens} tokens, each confirmed by {tokens.clients} clients at once against "
                  f"{options.workers} workers: {tokens.successes} successes, statuses {tokens.statuses}")  # fmt: skip
            previews = measure_previews(server, times=options.previews)
            print(f"- {previews.fetched} GET and HEAD by link previews: statuses {previews.statuses}, rows written "
                  f"{previews.rows_written}, the token still good: {previews.still_good}")  # fmt: skip
            first = measure_first_qr(server, rounds=max(3, options.rounds // 20))
            loads = [
                measure_recognition(server, bursts, users=options.clients, seconds=options.seconds),
                *measure_pages(server, users=options.clients, seconds=options.seconds),
            ]
        costs = measure_costs(home, rounds=options.rounds)
    print(f"\n{options.clients} users without a pause for {options.seconds:.0f} s each:\n")
    print("| | answers | p50 ms | p99 ms | errors | outcomes |\n|---|---|---|---|---|---|")
    for load in loads:
        print(f"| {load.name} | {len(load.took_ms)} | {load.percentile(0.5):.0f} | {load.percentile(0.99):.0f} | "
              f"{dict(load.errors) or 0} | {dict(load.outcomes) or ''} |")  # fmt: skip
    empty_ms = costs["an empty Flask route"]
    print("\n| in one process | ms | times an empty Flask route |\n|---|---|---|")
    for name, took_ms in costs.items():
        print(f"| {name} | {took_ms:.2f} | {took_ms / empty_ms:.1f} |")
    if first is not None:
        shown_ms, empty_page_ms = first
        ratio = shown_ms / empty_page_ms
        print(f"\nFrom the address to the QR on Chromium's screen: {shown_ms:.0f} ms, {ratio:.1f} empty answers.")
    failed = not tokens.clean or not previews.clean or any(load.errors for load in loads)
    raise SystemExit(failed)


if __name__ == "__main__":
    main()

"""One-time tokens that several clients confirm at once, and link previews that fetch their address."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from smartabsen import SmartAbsen
from smartabsen.camera.picture import read_picture
from smartabsen.kernel.domain import ImageBGR, VerifyOutcome
from smartabsen.recognition.images import encode_image
from smartabsen.upkeep.demo.material import make_demo_material
from tests.web.plain_client import Client, Running

NAMES: Final = tuple(f"Contoh {number}" for number in range(1, 7))
PREVIEWERS: Final = (
    "WhatsApp/2.24",
    "TelegramBot (like TwitterBot)",
    "facebookexternalhit/1.1",
    "Slackbot-LinkExpanding 1.0",
)


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

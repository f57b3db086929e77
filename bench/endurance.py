"""Does the server's memory grow? Sign-ins, pages and bursts for hours, and what its workers hold each minute.

    python -m bench.endurance --minutes 120 --pause 0.5

The anonymous memory of the workers is counted (Linux): pages of files may come and go as the system likes.
"""

from __future__ import annotations

import argparse
import re
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from bench.web import make_home
from bench.web_client import Client, Running, running, taken_anew
from smartabsen.kernel.domain import VerifyOutcome

SETTLED: Final = 0.25
"""The part of the time in which models are loaded, and memory is taken for the first time."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the workers held at one moment.

    Attributes:
        minutes: Since the beginning.
        anonymous_mib: Of all workers together.
        requests: Until then.
        recognised: Bursts until then in which somebody was recognised.
    """

    minutes: float
    anonymous_mib: float
    requests: int
    recognised: int


def measure(
    server: Running,
    bursts: Sequence[Sequence[bytes]],
    *,
    minutes: float,
    users: int = 2,
    pause_s: float = 0.5,
    every_s: float = 60.0,
    say: Callable[[Look], None] = lambda _: None,
) -> list[Look]:
    """Use a server for some time and look at its memory."""
    began = time.monotonic()
    until = began + 60 * minutes
    done, lock, looks = [0, 0], threading.Lock(), []

    def work(number: int) -> None:
        while time.monotonic() < until:
            client = Client(server.port)
            recognised = _one_visit(server, client, bursts[number % len(bursts)])
            client.close()
            with lock:
                done[0] += 8
                done[1] += recognised
            time.sleep(pause_s)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(users)]
    for each in threads:
        each.start()
    while any(each.is_alive() for each in threads):
        time.sleep(min(every_s, max(0.1, until - time.monotonic())))
        look = Look((time.monotonic() - began) / 60, anonymous_mib(server.pid), *done)
        looks.append(look)
        say(look)
    for each in threads:
        each.join()
    return looks


def _one_visit(server: Running, client: Client, frames: Sequence[bytes]) -> bool:
    client.ask("GET", "/healthz")
    client.ask("GET", "/verify_qr")
    _, page = client.ask("GET", "/auth")
    code, number = (re.search(rf'id="{name}">([^<]+)<', page) for name in ("access-code", "number"))
    assert code and number, page
    outcome = server.app.signin.verify_qr_code(code[1], number=int(number[1]), client=secrets.token_hex(8))
    assert outcome is VerifyOutcome.CONFIRMED, outcome
    client.post("/auth")
    client.ask("GET", "/web_attendance")
    client.ask("GET", "/static/app.css")
    _, answer = client.send_burst(taken_anew(frames))
    client.ask("GET", "/admin/login")
    return '"employee": {' in answer


def anonymous_mib(pid: int) -> float:
    """What the children of a process hold that is no file, in MiB."""
    held = 0
    for child in psutil.Process(pid).children(recursive=True):
        try:
            text = Path(f"/proc/{child.pid}/smaps_rollup").read_text()
        except OSError:
            continue
        held += int(re.search(r"^Anonymous:\s+(\d+) kB", text, re.M)[1])  # type: ignore[index]
    return held / 1024


def growth_mib(looks: Sequence[Look]) -> float:
    """How much more is held at the end than after the first quarter: medians, as single looks jump."""
    settled = [each for each in looks if each.minutes >= SETTLED * looks[-1].minutes]
    part = max(1, len(settled) // 4)
    first, last = (sorted(each.anonymous_mib for each in some) for some in (settled[:part], settled[-part:]))
    return last[len(last) // 2] - first[len(first) // 2]


def main() -> None:
    """Print what was found as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.endurance", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--users", type=int, default=2)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two visits of a user")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home, bursts = make_home(Path(folder))
        print("| minutes | requests | recognised | anonymous MiB of the workers |\n|---|---|---|---|", flush=True)
        with running(home, workers=given.workers) as server:
            looks = measure(
                server,
                bursts,
                minutes=given.minutes,
                users=given.users,
                pause_s=given.pause,
                say=lambda look: print(
                    f"| {look.minutes:.0f} | {look.requests} | {look.recognised} | {look.anonymous_mib:.1f} |",
                    flush=True,
                ),
            )
    print(f"\nGrowth after the first quarter: {growth_mib(looks):+.1f} MiB")


if __name__ == "__main__":
    main()

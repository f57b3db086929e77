"""People who open the sign-in page beside others who log in to the dashboard: how long does the page take?

    python -m bench.logins --workers 2 --logins 8 --seconds 20
    python -m bench.logins --workers 8 --logins 16 --count 200

Each login hashes a password, which takes a quarter of a second of one processor on purpose.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.web_client import Client, Running, running
from smartabsen import SmartAbsen
from smartabsen.kernel.domain import Role

PASSWORD: Final = "contoh kata sandi untuk uji"
PAUSE_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class LoginReport:
    """What was found.

    Attributes:
        pages_s: Seconds of each request for ``/auth``, sorted.
        page_statuses: Status to how many.
        logins_s: Seconds of each login, sorted.
        login_statuses: Status to how many; 302 leads to the dashboard.
    """

    pages_s: list[float]
    page_statuses: Counter[int]
    logins_s: list[float]
    login_statuses: Counter[int]


def measure(server: Running, *, logins: int, seconds: float, count: int | None = None) -> LoginReport:
    """Log in as several users at once, again and again, and ask for ``/auth`` in new browsers meanwhile."""
    with SmartAbsen.open(flags={"home": str(server.home)}) as app:
        for number in range(logins):
            app.users.add(f"contoh{number}", PASSWORD, role=Role.VIEWER)
    report = LoginReport([], Counter(), [], Counter())
    lock, over = threading.Lock(), threading.Event()
    until = time.monotonic() + seconds
    left = iter(range(count if count is not None else 10**9))

    def log_in(name: str) -> None:
        while time.monotonic() < until and next(left, None) is not None:
            client = Client(server.port)
            client.ask("GET", "/admin/login")
            took, status = _timed(lambda client=client: client.post("/admin/login", name=name, password=PASSWORD)[0])
            client.close()
            with lock:
                report.logins_s.append(took)
                report.login_statuses[status] += 1

    def look() -> None:
        while not over.wait(PAUSE_S):
            client = Client(server.port)
            took, status = _timed(lambda client=client: client.ask("GET", "/auth")[0])
            client.close()
            report.pages_s.append(took)
            report.page_statuses[status] += 1

    people = [threading.Thread(target=log_in, args=(f"contoh{number}",)) for number in range(logins)]
    visitor = threading.Thread(target=look)
    for each in (*people, visitor):
        each.start()
    for each in people:
        each.join()
    over.set()
    visitor.join()
    report.pages_s.sort()
    report.logins_s.sort()
    return report


def _timed(work: Callable[[], int]) -> tuple[float, int]:
    began = time.monotonic()
    status = work()
    return time.monotonic() - began, status


def percentile(ordered: list[float], share: float) -> float:
    """The value that this share did not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def main() -> None:
    """Print what was found as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.logins", description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--logins", type=int, default=8, help="at once")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--count", type=int, help="of all; else as many as the seconds allow")
    given = parser.parse_args()
    seconds = 10**6 if given.count is not None else given.seconds
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), workers=given.workers) as server:
        found = measure(server, logins=given.logins, seconds=seconds, count=given.count)
    print("| what | requests | statuses | median s | p95 s | slowest s |\n|---|---|---|---|---|---|")
    for name, took, statuses in (
        ("/auth", found.pages_s, found.page_statuses),
        ("logins", found.logins_s, found.login_statuses),
    ):
        figures = [f"{percentile(took, share):.2f}" for share in (0.5, 0.95, 1.0)]
        print(f"| {' | '.join([name, str(len(took)), str(dict(statuses)), *figures])} |")


if __name__ == "__main__":
    main()

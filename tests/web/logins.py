"""People who open the sign-in page beside others who log in to the dashboard: how long does the page take?

Each login hashes a password, which takes a quarter of a second of one processor on purpose.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from smartabsen import SmartAbsen
from smartabsen.kernel.domain import Role
from tests.web.plain_client import Client, Running

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

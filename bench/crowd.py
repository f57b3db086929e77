"""Honest visitors beside somebody at the same address who asks for codes without end: do they get in, and how soon?

    python -m bench.crowd --workers 2 --visitors 10 --askers 4

All come from 127.0.0.1, as behind a tunnel that hides its visitors. A visitor's browser asks how its sign-in stands as
the page does; the phone confirms after some seconds. An asker keeps no cookies and never asks how a code stands.
"""

from __future__ import annotations

import argparse
import http.client
import multiprocessing
import re
import secrets
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape
from multiprocessing.synchronize import Event, Semaphore
from pathlib import Path
from typing import Any, Final

from bench.web_client import Client, Running, running
from smartabsen.kernel.domain import VerifyOutcome

CONFIRM_AFTER_S: Final = 15.0
"""A person takes so long to scan the code and to type the number."""
ALONE_S: Final = 2.0
"""The askers are alone for so long, from the first answer that each of them got."""
FIRST_S: Final = 1.5
SLOWER: Final = 1.15
SLOWEST_S: Final = 5.0
"""How often the page asks."""
HERE: Final = "127.0.0.1"


@dataclass
class CrowdReport:
    """What visitors met.

    Attributes:
        signed_in: Visitors who came to the camera, of all ``visitors``, with the first code that they saw.
        took_s: Of each of their requests.
        statuses: Of their answers that were neither 200, 303 nor 304.
        asked: Pages that the askers got, by status.
        alive_most: Sign-ins that waited at once, at most.
        sessions_most: Sessions of browsers in the database, at most.
    """

    workers: int
    visitors: int
    askers: int
    signed_in: int = 0
    took_s: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    asked: Counter[int] = field(default_factory=Counter)
    alive_most: int = 0
    sessions_most: int = 0

    @property
    def slowest_s(self) -> float:
        """The worst of them."""
        return max(self.took_s, default=float("nan"))

    @property
    def clean(self) -> bool:
        """Everybody came in, and no answer was an error of the server."""
        return self.signed_in == self.visitors and not any(status >= 500 for status in (*self.statuses, *self.asked))


def measure(
    home: Path, *, workers: int, visitors: int, askers: int, confirm_after_s: float = CONFIRM_AFTER_S
) -> CrowdReport:
    """Start a server, let the askers begin, and then the visitors."""
    report = CrowdReport(workers, visitors, askers)
    context = multiprocessing.get_context("spawn")
    with running(home, workers=workers, waiting_per_address=20) as server:
        end, begun, counts = context.Event(), context.Semaphore(0), context.SimpleQueue()
        asking = [context.Process(target=_ask_on, args=(server.port, end, begun, counts)) for _ in range(askers)]
        watch = threading.Thread(target=_watch, args=(server.home, report, end))
        for each in (*asking, watch):
            each.start()
        for _ in asking:
            begun.acquire(timeout=60)
        time.sleep(ALONE_S)
        lock = threading.Lock()
        coming = [
            threading.Thread(target=_visit, args=(server, report, lock, confirm_after_s)) for _ in range(visitors)
        ]
        for visitor in coming:
            visitor.start()
        for visitor in coming:
            visitor.join()
        end.set()
        for _ in asking:
            report.asked += Counter(counts.get())
        for each in (*asking, watch):
            each.join()
    return report


def _ask_on(port: int, end: Event, begun: Semaphore, counts: Any) -> None:
    statuses: Counter[int] = Counter()
    connection = http.client.HTTPConnection(HERE, port, timeout=60)
    while not end.is_set():
        try:
            connection.request("GET", "/auth")
            answer = connection.getresponse()
            answer.read()
            if not statuses:
                begun.release()
            statuses[answer.status] += 1
        except (http.client.HTTPException, OSError):
            connection.close()
    connection.close()
    counts.put(dict(statuses))


def _watch(home: Path, report: CrowdReport, end: Event) -> None:
    connection = sqlite3.connect(home / "smartabsen.db")
    while not end.wait(0.2):
        alive, sessions = (
            connection.execute(query).fetchone()[0]
            for query in (
                "SELECT COUNT(*) FROM qr_tokens WHERE state = 'pending'",
                "SELECT COUNT(*) FROM web_sessions",
            )
        )
        report.alive_most = max(report.alive_most, alive)
        report.sessions_most = max(report.sessions_most, sessions)
    connection.close()


def _visit(server: Running, report: CrowdReport, lock: threading.Lock, confirm_after_s: float) -> None:
    client = Client(server.port, source=HERE)

    def ask(method: str, path: str) -> str:
        began = time.perf_counter()
        status, text = client.post(path) if method == "POST" else client.ask(method, path)
        with lock:
            report.took_s.append(time.perf_counter() - began)
            if status not in (200, 303, 304):
                report.statuses[status] += 1
        return text

    page = ask("GET", "/auth")
    shown = {name: re.search(rf'id="{name}">([^<]+)<', page) for name in ("access-code", "number")}
    status = re.search(r'data-status="([^"]+)"', page)
    code, number = shown["access-code"], shown["number"]
    if not (code and number and status):
        return
    path, wait_s, confirmed = unescape(status[1]), FIRST_S, False
    confirm_at = time.monotonic() + confirm_after_s
    while True:
        state = re.search(r'"state": "(\w+)"', ask("GET", path))
        if state and state[1] == "verified":
            break
        if state and state[1] != "pending":
            return
        if not confirmed and time.monotonic() >= confirm_at:
            outcome = server.app.signin.verify_qr_code(code[1], number=int(number[1]), client=secrets.token_hex(8))
            confirmed = outcome is VerifyOutcome.CONFIRMED
        wait_s = min(SLOWEST_S, wait_s * SLOWER)
        time.sleep(wait_s)
    ask("POST", "/auth")
    came_in = 'data-csrf="' in ask("GET", "/web_attendance")
    client.close()
    with lock:
        report.signed_in += came_in


def as_markdown(reports: Sequence[CrowdReport]) -> str:
    """A table of what was measured."""
    lines = [
        "| workers | visitors | askers | signed in | slowest answer | median | waiting at most | sessions | asked |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in reports:
        median_s = sorted(one.took_s)[len(one.took_s) // 2]
        asked = ", ".join(f"{count} x {status}" for status, count in sorted(one.asked.items()))
        lines.append(
            f"| {one.workers} | {one.visitors} | {one.askers} | {one.signed_in} | {one.slowest_s:.2f} s "
            f"| {1000 * median_s:.0f} ms | {one.alive_most} | {one.sessions_most} | {asked} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.crowd", description=__doc__)
    parser.add_argument("--workers", type=int, action="append")
    parser.add_argument("--visitors", type=int, default=10)
    parser.add_argument("--askers", type=int, default=4)
    parser.add_argument("--confirm-after", type=float, default=CONFIRM_AFTER_S)
    arguments = parser.parse_args()
    reports = []
    for workers in arguments.workers or [2]:
        with tempfile.TemporaryDirectory() as home:
            found = measure(
                Path(home),
                workers=workers,
                visitors=arguments.visitors,
                askers=arguments.askers,
                confirm_after_s=arguments.confirm_after,
            )
        reports.append(found)
        if found.statuses:
            print(f"Answers to visitors that were refused: {dict(found.statuses)}")
    print(as_markdown(reports))


if __name__ == "__main__":
    main()

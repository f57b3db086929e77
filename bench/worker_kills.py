"""kill -9 of workers under clients that punch, and of a database server under writers: is anything lost or doubled?

    python -m bench.worker_kills workers --kills 100
    python -m bench.worker_kills server --kills 5

``workers``: several processes serve punches on one SQLite; clients try an attempt, with its key, until it is
acknowledged. ``server``: writers on a private MariaDB that is killed and started again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Any

from tests.faults.server import PrivateServer

from smartabsen import SmartAbsen, SmartAbsenError

from .installation import flags_of, log_differs_after_one_start, prepare, punch, stored_keys, table

WORKERS = 3
CLIENTS = 8


@dataclass(frozen=True)
class KillsReport:
    """What was found: acknowledged punches, of them lost, keys stored twice, days whose log differs after one start."""

    kills: int
    acknowledged: int
    stored: int
    lost: int
    doubled: int
    log_differs: int
    seconds: float

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing doubled."""
        return not (self.lost or self.doubled or self.log_differs)


def kill_workers(kills: int, *, seed: int = 1) -> KillsReport:
    """Kill ``kills`` workers, one after another, under eight clients."""
    clock = random.Random(seed)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["smartabsen.app.facade", "bench.installation"])
    with tempfile.TemporaryDirectory() as folder:
        flags = flags_of(Path(folder, "home"))
        prepare(flags)
        addresses = [str(Path(folder, f"w{number}")) for number in range(WORKERS)]
        workers = [_start(context, address, flags) for address in addresses]

        def send(number: int, key: str) -> bool:
            with Client(clock.choice(addresses)) as connection:
                connection.send((number, key))
                return bool(connection.recv())

        began = time.monotonic()
        acknowledged, stop, threads = _run_clients(lambda: send)
        for _ in range(kills):
            time.sleep(clock.uniform(0.05, 0.4))
            victim = clock.randrange(WORKERS)
            os.kill(workers[victim].pid or 0, signal.SIGKILL)
            workers[victim].join()
            workers[victim] = _start(context, addresses[victim], flags)
        _end(stop, threads)
        seconds = time.monotonic() - began
        for worker in workers:
            worker.kill()
            worker.join()
        return _examine(flags, acknowledged, kills, seconds)


def kill_server(kills: int, *, seed: int = 1) -> KillsReport:
    """Kill a private MariaDB ``kills`` times under eight writers."""
    clock = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as data:
        server = PrivateServer(Path(data))
        try:
            flags = flags_of(Path(folder, "home"), server.url)
            prepare(flags)

            def make() -> Callable[[int, str], bool]:
                app = SmartAbsen.open(flags=flags)
                return lambda number, key: punch(app, number, key) > 0

            began = time.monotonic()
            acknowledged, stop, threads = _run_clients(make)
            for _ in range(kills):
                time.sleep(clock.uniform(1.0, 4.0))
                server.kill()
                server.start()
            time.sleep(1.0)
            _end(stop, threads)
            return _examine(flags, acknowledged, kills, time.monotonic() - began)
        finally:
            server.kill()


def _run_clients(
    make: Callable[[], Callable[[int, str], bool]],
) -> tuple[dict[str, bool], threading.Event, list[threading.Thread]]:
    acknowledged: dict[str, bool] = {}
    stop = threading.Event()

    def work(client: int) -> None:
        send = make()
        number = 0
        while not stop.is_set():
            number += 1
            key = f"{client}-{number}"
            # The same attempt until it is acknowledged, as a kiosk or a browser does; also after the end was called.
            while True:
                try:
                    acknowledged[key] = send(client + number, key)
                    break
                except (OSError, EOFError, SmartAbsenError):
                    time.sleep(0.02)

    threads = [threading.Thread(target=work, args=[client], daemon=True) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    return acknowledged, stop, threads


def _end(stop: threading.Event, threads: list[threading.Thread]) -> None:
    stop.set()
    for thread in threads:
        thread.join(60)


def _start(context: Any, address: str, flags: Mapping[str, object]) -> Any:
    Path(address).unlink(missing_ok=True)
    worker = context.Process(target=_serve, args=(address, flags), daemon=True)
    worker.start()
    return worker


def _serve(address: str, flags: Mapping[str, object]) -> None:
    with SmartAbsen.open(flags=flags) as app, Listener(address, backlog=CLIENTS) as listener:
        while True:
            with listener.accept() as connection:
                try:
                    number, key = connection.recv()
                    connection.send(punch(app, number, key) > 0)
                except (OSError, EOFError, SmartAbsenError):
                    continue


def _examine(flags: Mapping[str, object], acknowledged: Mapping[str, bool], kills: int, seconds: float) -> KillsReport:
    differs = log_differs_after_one_start(flags)
    with SmartAbsen.open(flags=flags) as app:
        keys = Counter(stored_keys(app))
    return KillsReport(
        kills=kills,
        acknowledged=len(acknowledged),
        stored=sum(keys.values()),
        lost=sum(keys[key] == 0 for key in acknowledged),
        doubled=sum(count - 1 for count in keys.values()),
        log_differs=differs,
        seconds=seconds,
    )


def main() -> None:
    """Print the figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("workers", "server"))
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.what == "workers":
        report = kill_workers(given.kills or 100, seed=given.seed)
    else:
        report = kill_server(given.kills or 5, seed=given.seed)
    print(table(vars(report)))
    raise SystemExit(not report.clean)


if __name__ == "__main__":
    main()

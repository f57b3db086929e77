"""``smartabsen serve`` as a process of its own."""

from __future__ import annotations

import os
import queue
import re
import signal
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STRONG_SECRET = "tests-only-9f3b2c7d1e8a6f4052c1b7"


_RUNS = re.compile(r"(https?)://\S+:(\d+)\b.*Ctrl-C")
"""What it says when it listens: its address, which in English and Indonesian stands before the name of the keys."""
_START_S = 90
"""Generous: several test workers start servers at once."""


class Said:
    """What a process says, read while it runs so that it never waits for its reader."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._lines: list[str] = []
        self._address: queue.SimpleQueue[tuple[str, int] | None] = queue.SimpleQueue()
        self._process = process
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                self._lines.append(line)
                if found := _RUNS.search(line):
                    self._address.put((found[1], int(found[2])))
        self._address.put(None)

    def find_port(self) -> int | None:
        """The port that the server listens on, or None where it ended before."""
        found = self._address.get(timeout=_START_S)
        return None if found is None else found[1]

    def wait_for_address(self) -> tuple[str, int]:
        """Scheme and port that the server listens on."""
        found = self._address.get(timeout=_START_S)
        assert found is not None, self.text()
        return found

    def text(self) -> str:
        """All of it, after the end of the process."""
        self._thread.join(40)
        return "".join(self._lines)


@dataclass
class ServerProcess:
    """A running server.

    Attributes:
        address: As ``http://127.0.0.1:40123``.
        process: Of the program; in production the parent of the workers.
        said: What it says.
    """

    address: str
    process: subprocess.Popen[str]
    said: Said

    @property
    def port(self) -> int:
        """The port of :attr:`address`."""
        return int(self.address.rpartition(":")[2])

    def get(self, path: str, *, cafile: Path | None = None, timeout_s: float = 10.0) -> tuple[int, bytes]:
        """Status and body of a page."""
        context = ssl.create_default_context(cafile=str(cafile)) if cafile else None
        with urllib.request.urlopen(f"{self.address}{path}", timeout=timeout_s, context=context) as answer:
            return answer.status, answer.read()

    def stop(self, number: int = signal.SIGTERM) -> str:
        """End it by a signal; what it said."""
        self.process.send_signal(number)
        self.process.wait(timeout=40)
        return self.said.text()


@contextmanager
def running_server(home: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> Iterator[ServerProcess]:
    """Start a server on a port that the system chooses and wait until it listens; it is ended afterwards."""
    environment = {**os.environ, **(settings or {}), "SMARTABSEN_HOME": str(home)}
    command = [sys.executable, "-m", "smartabsen", "serve", "--port", "0", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = Said(process)
    try:
        scheme, port = said.wait_for_address()
        yield ServerProcess(f"{scheme}://127.0.0.1:{port}", process, said)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=40)
        said.text()

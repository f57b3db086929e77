"""``smartabsen serve`` as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STRONG_SECRET = "tests-only-9f3b2c7d1e8a6f4052c1b7"


@dataclass
class ServerProcess:
    """A running server.

    Attributes:
        address: As ``http://127.0.0.1:40123``.
        process: Of the program; in production the parent of the workers.
    """

    address: str
    process: subprocess.Popen[str]

    def get(self, path: str, *, cafile: Path | None = None, timeout_s: float = 10.0) -> tuple[int, bytes]:
        """Status and body of a page."""
        context = ssl.create_default_context(cafile=str(cafile)) if cafile else None
        with urllib.request.urlopen(f"{self.address}{path}", timeout=timeout_s, context=context) as answer:
            return answer.status, answer.read()

    def stop(self, number: int = signal.SIGTERM) -> str:
        """End it by a signal; what it said."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=40)[0]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(
    home: Path, *arguments: str, settings: Mapping[str, str] | None = None, scheme: str = "http"
) -> Iterator[ServerProcess]:
    """Start a server on a free port and wait until it listens; it is ended afterwards where the test did not."""
    port = free_port()
    environment = {**os.environ, **(settings or {}), "SMARTABSEN_HOME": str(home)}
    command = [sys.executable, "-m", "smartabsen", "serve", "--port", str(port), *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for _ in range(240):
            assert process.poll() is None, process.communicate()[0]
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.25)
        yield ServerProcess(f"{scheme}://127.0.0.1:{port}", process)
    finally:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=40)
        elif process.stdout is not None:
            process.stdout.close()

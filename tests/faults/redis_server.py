"""A Redis server of the tests' own, on a socket in their directory: as full, read-only or strict as a test wants it."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("redis-server")


class PrivateRedis:
    """A running server.

    Args:
        directory: Empty; gets the socket. Its path is short: sockets take no long one.
        options: More words for its command line.
    """

    def __init__(self, directory: Path, *options: str) -> None:
        assert PROGRAM
        self._socket = directory / "r"
        command = [PROGRAM, "--port", "0", "--unixsocket", str(self._socket), "--save", "", "--dir", str(directory)]
        self._process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not self._socket.exists():
            assert self._process.poll() is None and time.monotonic() < deadline, "Redis does not start"
            time.sleep(0.02)

    @property
    def url(self) -> str:
        """Its address, without a password."""
        return f"unix://{self._socket}?db=0"

    def client(self) -> Any:
        """Connect to it."""
        import redis

        return redis.Redis(unix_socket_path=str(self._socket))

    def fill(self) -> None:
        """Let it have more than it may: it takes nothing that needs memory any more."""
        with self.client() as client:
            client.set("filler", "x" * 2_000_000)
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", 1_000_000)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(30)

"""A gate in front of a TCP server: lets connections through, refuses them, or accepts them and stays silent."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from types import TracebackType
from typing import Self


class Gate:
    """Listens on a port of its own, as an ``open``, ``closed`` or ``silent`` server.

    Args:
        host, port: The server behind it; without one it can only be silent or closed.
    """

    def __init__(self, host: str = "", port: int = 0, *, state: str = "open") -> None:
        self._target = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._server.settimeout(0.05)
        self.port: int = self._server.getsockname()[1]
        self.state = state
        self.connections = 0
        self._kept: list[socket.socket] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._server.close()
        self._drop()

    def set(self, state: str) -> None:
        """Change the state; ``closed`` cuts what is open, ``silent`` keeps it and passes nothing on."""
        self.state = state
        if state == "closed":
            self._drop()

    def _drop(self) -> None:
        while self._kept:
            with contextlib.suppress(OSError):
                self._kept.pop().close()

    def _accept(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._server.accept()
                self.connections += 1
                if self.state == "closed":
                    client.close()
                    continue
                self._kept.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        if self.state == "silent":
            return
        with contextlib.suppress(OSError, ValueError), socket.create_connection(self._target, timeout=5) as server:
            self._kept.append(server)
            while not self._over.is_set():
                ready, _, _ = select.select([client, server], [], [], 0.05)
                if self.state == "silent":
                    continue
                for one in ready:
                    data = one.recv(65_536)
                    if not data:
                        client.close()
                        return
                    (server if one is client else client).sendall(data)

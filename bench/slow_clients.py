"""Honest requests beside clients that are slow on purpose: how long do they take, and how soon does the server end?

    python -m bench.slow_clients --workers 2 --workers 8 --slow 100

All come from one address, as behind a tunnel. A slow client sends a byte a second of a body, of a header or of a
handshake, sends nothing, or reads nothing of the answers that it asked for.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import selectors
import signal
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.web.server_process import STRONG_SECRET, running_server

from smartabsen import SmartAbsen

GAP_S: Final = 1.0
"""Between two bytes of a slow client."""
PATIENCE_S: Final = 20.0
"""An honest client gives up then."""
_BODY: Final = (
    b"POST /verify_qr HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 100000\r\n\r\n"
)
_HEAD: Final = b"GET /verify_qr HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
_PAGE: Final = b"GET /bootstrap/static/css/bootstrap.min.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_HELLO: Final = bytes.fromhex("1603010200010001fc0303") + bytes(64)
"""The first bytes of a TLS handshake."""

KINDS: Final[dict[str, tuple[bytes, bytes]]] = {
    "body": (_BODY, b"a"),
    "header": (_HEAD, b"a"),
    "silent": (b"", b""),
    "reader": (_PAGE * 40, b""),
    "handshake": (_HELLO, b"\0"),
}
"""What a slow client sends at once, and then each second."""


@dataclass(frozen=True)
class SlowReport:
    """What honest clients met.

    Attributes:
        took_s: Of each request of an honest client, with its connection.
        failed: Requests without an answer in :data:`PATIENCE_S`.
        ended_s: From SIGTERM to the end of the server, while the slow clients were there.
    """

    kind: str
    workers: int
    slow: int
    took_s: tuple[float, ...]
    failed: int
    ended_s: float

    @property
    def slowest_s(self) -> float:
        """The worst of them."""
        return max(self.took_s, default=float("nan"))

    @property
    def median_s(self) -> float:
        """The middle one."""
        return sorted(self.took_s)[len(self.took_s) // 2] if self.took_s else float("nan")


class SlowClients:
    """Clients that keep connections open and are slow.

    Args:
        port: Of the server, on 127.0.0.1.
        kind: One of :data:`KINDS`.
        count: How many.
        context: Speaks TLS with the server where the kind needs requests; None for plain http.
    """

    def __init__(self, port: int, kind: str, count: int, context: ssl.SSLContext | None = None) -> None:
        self._port, self._context, self._count = port, context, count
        self._first, self._then = KINDS[kind]
        self._raw = kind in ("silent", "handshake")
        self._sockets: list[socket.socket | None] = [None] * count
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._drip, daemon=True)

    def __enter__(self) -> SlowClients:
        for place in range(self._count):
            self._open(place)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for each in self._sockets:
            if each is not None:
                each.close()

    def _open(self, place: int) -> None:
        before, self._sockets[place] = self._sockets[place], None
        if before is not None:
            before.close()
        with contextlib.suppress(OSError):
            plain = socket.create_connection(("127.0.0.1", self._port), timeout=5)
            # Kept at once: whatever fails from here on, it is closed.
            self._sockets[place] = plain
            if not self._then and self._first:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            if self._context is not None and not self._raw:
                self._sockets[place] = plain = self._context.wrap_socket(plain, server_hostname="127.0.0.1")
            plain.sendall(self._first)

    def _drip(self) -> None:
        while not self._stop.wait(GAP_S):
            for place, each in enumerate(self._sockets):
                if each is None or _is_closed(each):
                    # Who was thrown out comes again.
                    self._open(place)
                elif self._then:
                    with contextlib.suppress(OSError):
                        each.sendall(self._then)


def _is_closed(each: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(each, selectors.EVENT_READ)
        if not selector.select(0):
            return False
    try:
        if isinstance(each, ssl.SSLSocket):
            return False
        return each.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


@contextmanager
def served(home: Path, *, workers: int, https: bool) -> Iterator[tuple[object, ssl.SSLContext | None]]:
    """Run a server in production on its defaults."""
    arguments: tuple[str, ...] = ("--production", "--workers", str(workers))
    context = None
    if https:
        with SmartAbsen.open(flags={"home": str(home)}) as app:
            made = app.tls.init()
        arguments += ("--tls-cert", str(made.certificate), "--tls-key", str(made.key))
        context = ssl.create_default_context(cafile=str(made.authority))
    settings = {"SMARTABSEN_SECRET_KEY": STRONG_SECRET, "SMARTABSEN_ENGINE": "fake"}
    with running_server(home, *arguments, settings=settings) as server:
        yield server, context


def ask(port: int, context: ssl.SSLContext | None, path: str = "/verify_qr") -> float | None:
    """Ask for a page on a new connection; the seconds that it took, or None without a good answer."""
    began = time.monotonic()
    client = (
        http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        if context is None
        else http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE_S, context=context)
    )
    try:
        client.request("GET", path)
        answer = client.getresponse()
        answer.read()
        return time.monotonic() - began if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        client.close()


def measure(kind: str, *, workers: int, slow: int, requests: int, https: bool = False) -> SlowReport:
    """Start a server, let slow clients in, ask as an honest client, and end the server by SIGTERM."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), workers=workers, https=https) as (server, tls):
        port = int(server.address.rpartition(":")[2])
        for _ in range(3 * workers):
            ask(port, tls)
        with SlowClients(port, kind, slow, tls):
            time.sleep(3 * GAP_S)
            took = []
            for _ in range(requests):
                took.append(ask(port, tls))
                time.sleep(0.2)
            began = time.monotonic()
            server.stop(signal.SIGTERM)
            ended_s = time.monotonic() - began
    good = tuple(each for each in took if each is not None)
    return SlowReport(kind, workers, slow, good, requests - len(good), ended_s)


def main(arguments: Sequence[str] | None = None, *, say: Callable[[str], None] = print) -> None:
    """Print what was found as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.slow_clients", description=__doc__)
    parser.add_argument("--kind", action="append", choices=list(KINDS))
    parser.add_argument("--workers", action="append", type=int)
    parser.add_argument("--slow", type=int, default=100)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--https", action="store_true")
    given = parser.parse_args(arguments)
    titles = ("slow clients", "workers", "honest requests", "without answer", "median s", "slowest s", "ended after s")
    say(f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|")
    for workers in given.workers or (2, 8):
        for kind in given.kind or KINDS:
            if kind == "handshake" and not given.https:
                continue
            found = measure(kind, workers=workers, slow=given.slow, requests=given.requests, https=given.https)
            cells = (f"{found.slow} {kind}", workers, given.requests, found.failed, f"{found.median_s:.3f}")
            say("| " + " | ".join(map(str, (*cells, f"{found.slowest_s:.3f}", f"{found.ended_s:.1f}"))) + " |")


if __name__ == "__main__":
    main()

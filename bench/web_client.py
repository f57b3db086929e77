"""A server in production, and browsers without a picture that ask it."""

from __future__ import annotations

import http.client
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import cv2
import numpy as np
from tests.web.server_process import running_server

from smartabsen import SmartAbsen
from smartabsen.recognition.images import encode_image


class Client:
    """A browser without a picture: one connection that stays, cookies, and the token of the last form.

    Args:
        port: Of the server.
        source: Its own address; by default each one is another computer, for what one address may do is limited.
    """

    def __init__(self, port: int, *, source: str = "") -> None:
        source = source or f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))
        self._cookies: dict[str, str] = {}
        self.csrf = ""

    def ask(
        self, method: str, path: str, body: bytes | None = None, *, kind: str = "", agent: str = "bench"
    ) -> tuple[int, str]:
        """Status and text of an answer."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()), "User-Agent": agent}
        if kind:
            headers["Content-Type"] = kind
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
        except (http.client.HTTPException, ConnectionError):
            # The server closes connections that were idle for long.
            self._connection.close()
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
        text = answer.read().decode(errors="replace")
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        token = re.search(r'(?:name="csrf_token" value|data-csrf)="([^"]+)"', text)
        if token:
            self.csrf = unescape(token[1])
        return answer.status, text

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        """Send a form."""
        body = urlencode({"csrf_token": self.csrf, **fields}).encode()
        return self.ask("POST", path, body, kind="application/x-www-form-urlencoded")

    def send_burst(self, frames: Sequence[bytes]) -> tuple[int, str]:
        """Send pictures as the attendance page does."""
        edge = secrets.token_hex(12)
        parts = [_part(edge, "csrf_token", self.csrf.encode()), _part(edge, "key", secrets.token_hex(16).encode())]
        times = ",".join(str(1000 + 220 * number) for number in range(len(frames)))
        parts += [_part(edge, "times", times.encode())]
        parts += [_part(edge, "frames", frame, file="frame.jpg") for frame in frames]
        body = b"".join(parts) + f"--{edge}--\r\n".encode()
        return self.ask("POST", "/process_attendance", body, kind=f"multipart/form-data; boundary={edge}")


def taken_anew(frames: Sequence[bytes]) -> list[bytes]:
    """Return the same pictures with noise of their own: pixels that were seen before are refused."""
    random = np.random.default_rng()
    taken = []
    for frame in frames:
        image = cv2.imdecode(np.frombuffer(frame, dtype=np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        noisy = image + random.integers(-2, 3, image.shape)
        taken.append(encode_image(np.clip(noisy, 0, 255).astype(np.uint8), suffix=".jpg"))
    return taken


def _part(edge: str, name: str, value: bytes, *, file: str = "") -> bytes:
    named = f'; filename="{file}"\r\nContent-Type: image/jpeg' if file else ""
    return f'--{edge}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + value + b"\r\n"


@dataclass(frozen=True, slots=True)
class Running:
    """A server in production, and the installation behind it."""

    port: int
    app: SmartAbsen
    home: Path
    pid: int


@contextmanager
def running(home: Path, *, workers: int, waiting_per_address: int = 1000) -> Iterator[Running]:
    """Start ``smartabsen serve --production`` on a port that the system chooses and wait until it listens."""
    secret = secrets.token_urlsafe(48)
    variables = {
        "ENGINE": "dlib",
        "SECRET_KEY": secret,
        "LANGUAGE": "en",
        "SIGNIN_WAITING_PER_ADDRESS": str(waiting_per_address),
    }
    settings = {f"SMARTABSEN_{name}": value for name, value in variables.items()}
    with running_server(home, "--production", "--workers", str(workers), settings=settings) as server:
        flags = {"home": str(home), "engine": "dlib", "server.port": server.port, "server.secret_key": secret}
        with SmartAbsen.open(flags=flags) as app:
            yield Running(server.port, app, home, server.process.pid)

"""A network camera on the loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest


class MjpegCamera:
    """A network camera: MJPEG over HTTP on the loopback, as cheap cameras serve it."""

    def __init__(self, port: int = 0) -> None:
        import cv2

        picture = cv2.imencode(".jpg", np.full((48, 64, 3), 120, np.uint8))[1].tobytes()
        stop = self._stop = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n".encode()
                try:
                    while not stop.is_set():
                        self.wfile.write(head + picture + b"\r\n")
                        time.sleep(0.02)
                except OSError:
                    pass

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://admin:rahasia@127.0.0.1:{self.port}/video.mjpg"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def unplug(self) -> None:
        """Drop all viewers and listen no more."""
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def start_camera() -> Iterator[Callable[..., MjpegCamera]]:
    """Starts network cameras, on a free port or on the one given, and stops those that are left."""
    started: list[MjpegCamera] = []

    def start(port: int = 0) -> MjpegCamera:
        started.append(MjpegCamera(port))
        return started[-1]

    yield start
    for camera in started:
        camera.unplug()

"""A camera that comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from smartabsen.camera.base import Frame, FrameSource
from smartabsen.camera.fake import FakeSource, unplugged
from smartabsen.camera.reconnect import Backoff, ReconnectingCamera, open_camera
from smartabsen.camera.standstill import NOTICED_S
from smartabsen.kernel.errors import CameraError

QUICK = Backoff(first_s=0.01, longest_s=0.04)


def live(*script: Any) -> FakeSource:
    """A live camera that plays a script of images, exceptions and hang-ups."""
    return FakeSource(script, live=True, period_s=0.002)


def image() -> np.ndarray:
    """Any image."""
    return np.zeros((4, 4, 3), np.uint8)


class Session:
    """A camera that opens what stands in ``cameras``, one after another, and what it told."""

    def __init__(self, *cameras: FrameSource | Exception, stall_s: float = 5.0, noticed_s: float = NOTICED_S) -> None:
        self.told: list[str] = []
        self.stop = threading.Event()
        self._cameras = list(cameras)
        self.camera = ReconnectingCamera(
            self._open,
            first=None,
            name="gate",
            stop=self.stop,
            on_lost=lambda error: self.told.append(f"lost: {error}"),
            on_back=lambda: self.told.append("back"),
            stall_s=stall_s,
            noticed_s=noticed_s,
            backoff=QUICK,
        )

    def _open(self) -> FrameSource:
        camera = self._cameras.pop(0)
        if isinstance(camera, Exception):
            raise camera
        return camera

    def frames(self, count: int) -> list[Frame]:
        """Read on until there are ``count`` frames."""
        deadline = time.monotonic() + 5.0
        found: list[Frame] = []
        while len(found) < count:
            assert time.monotonic() < deadline
            try:
                frame = self.camera.read(0.2)
            except CameraError:
                continue
            assert frame is not None
            found.append(frame)
        return found


def test_a_camera_that_disappears_is_told_once_and_goes_on() -> None:
    """Failed attempts in between are nobody's news; the index never goes back."""
    session = Session(live(image(), unplugged("gate")), unplugged(), OSError("no such device"), live(*[image()] * 400))
    indexes = [frame.index for frame in session.frames(4)]
    session.camera.close()
    assert session.told == ["lost: The camera gate gives no pictures any more.", "back"]
    assert indexes == sorted(set(indexes))


def test_a_camera_that_opens_and_stays_silent_is_not_back() -> None:
    """Only a frame shows that it is; until then the loss stands, and is not told again."""
    hang = threading.Event()
    session = Session(live(image(), hang), live(hang), live(*[image()] * 400), stall_s=0.5)
    session.frames(2)
    session.camera.close()
    hang.set()
    assert session.told == ["lost: The camera “gate” gave no picture within 0.5 s.", "back"]


def test_a_slow_camera_is_not_gone() -> None:
    """One frame in a while is a sign of life each time."""
    session = Session(FakeSource([image()] * 8, live=True, period_s=0.12), stall_s=0.7)
    assert len(session.frames(8)) == 8
    session.camera.close()
    assert session.told == []


@pytest.mark.parametrize("camera", [unplugged(), live(threading.Event())], ids=["gone", "hanging"])
def test_reading_ends_at_once_when_stopped(camera: FrameSource | Exception) -> None:
    """Neither back-off nor a hanging driver delays the end of the session."""
    session = Session(camera, *[unplugged()] * 50)
    threading.Timer(0.1, session.stop.set).start()
    started = time.monotonic()
    assert session.camera.read(30.0) is None
    session.camera.close()
    assert time.monotonic() - started < 15  # it was asked for 30 s


def test_reading_is_on_time_while_the_camera_is_gone() -> None:
    """A kiosk goes on with its window and its clock meanwhile."""
    session = Session(*[unplugged()] * 1000)
    started = time.monotonic()
    with pytest.raises(CameraError, match="no picture within"):
        session.camera.read(0.1)
    assert time.monotonic() - started < 10  # the thousand attempts would take minutes
    session.camera.close()


def test_waits_double_up_to_the_longest() -> None:
    """0.5 s at first, 10 s at most, and never in step with other kiosks."""
    backoff = Backoff()
    delays = [[backoff.delay_s(attempt) for attempt in range(8)] for _ in range(20)]
    for middle, samples in zip((0.5, 1, 2, 4, 8, 10, 10, 10), zip(*delays, strict=True), strict=True):
        assert all(0.75 * middle <= delay <= 1.25 * middle for delay in samples)
        assert len(set(samples)) > 1


def test_a_network_camera_comes_back(start_camera: Callable[..., Any]) -> None:
    """A real stream over a socket, cut and started again on its old port."""
    told: list[str] = []
    server = start_camera()
    camera = open_camera(
        server.url,
        stop=threading.Event(),
        on_lost=lambda error: told.append("lost"),
        on_back=lambda: told.append("back"),
        read_timeout_s=1.0,
    )
    assert camera.live
    assert camera.read(5.0) is not None
    server.unplug()
    deadline = time.monotonic() + 20.0
    while told != ["lost", "back"] and time.monotonic() < deadline:
        try:
            camera.read(0.1)
        except CameraError:
            if told == ["lost"] and server is not None:
                start_camera(server.port)
                server = None
    camera.close()
    assert told == ["lost", "back"]


def test_a_camera_that_cannot_be_opened_at_the_start_is_an_error() -> None:
    """Nobody waits for a camera that was never there."""
    with pytest.raises(CameraError):
        open_camera("rtsp://127.0.0.1:1/x", stop=threading.Event(), on_lost=print, on_back=print)


def test_stopping_while_a_silent_camera_is_opened_ends_at_once() -> None:
    """Ctrl-C does not wait for the camera's timeout."""
    import socket

    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Timer(0.1, stop.set).start()
        started = time.monotonic()
        camera = open_camera(
            f"rtsp://127.0.0.1:{silent.getsockname()[1]}/", stop=stop, on_lost=print, on_back=print, open_timeout_s=2.0
        )
        assert camera.read(5.0) is None
        assert time.monotonic() - started < 1.9
        camera.close()
        # Its thread leaves with the timeout; the next test should not meet it.
        time.sleep(2.0)

"""When a session ends: also while its camera is being opened."""

from __future__ import annotations

import threading
import time

import pytest

from smartabsen.camera import reconnect
from smartabsen.camera.base import FrameSource
from smartabsen.kernel.ending import Ending
from smartabsen.kernel.errors import CameraError


def test_it_ends_when_somebody_stops_it_or_when_its_time_is_over() -> None:
    """And says which of both it was."""
    stop = threading.Event()
    ending = Ending(stop, max_seconds=60)
    assert not ending.is_set() and not ending.wait(0.01)
    stop.set()
    assert ending.is_set() and ending.wait(10) and not ending.time_is_over
    over = Ending(threading.Event(), max_seconds=0.02)
    began = time.monotonic()
    assert over.wait(10) and over.time_is_over
    assert time.monotonic() - began < 5
    assert not Ending(threading.Event(), max_seconds=None).is_set()


def test_the_time_counts_while_a_camera_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that does not answer does not prolong the session."""
    release = threading.Event()

    def hang(*_: object, **__: object) -> FrameSource:
        release.wait(20)
        raise CameraError("too late")

    monkeypatch.setattr(reconnect, "open_source", hang)
    began = time.monotonic()
    source = reconnect.open_camera(
        "0",
        stop=Ending(threading.Event(), max_seconds=0.2),
        on_lost=lambda error: None,
        on_back=lambda: None,
    )
    assert source.read(1.0) is None
    assert time.monotonic() - began < 5
    source.close()
    release.set()

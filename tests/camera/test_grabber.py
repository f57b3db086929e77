"""The latest frame of a live camera."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from smartabsen.camera.fake import FakeSource, unplugged
from smartabsen.camera.grabber import LatestFrame
from smartabsen.kernel.errors import CameraError


def pictures(count: int) -> list[np.ndarray]:
    """Small images that differ."""
    return [np.full((4, 4, 3), level % 256, np.uint8) for level in range(count)]


def test_a_slow_reader_sees_the_present() -> None:
    """Frames that nobody took are gone; the gap shows in the index."""
    camera = LatestFrame(FakeSource(pictures(500), live=True, period_s=0.002))
    first = camera.read(2.0)
    time.sleep(0.1)
    later = camera.read(2.0)
    camera.close()
    assert first is not None
    assert later is not None
    assert later.index - first.index > 5


def test_the_same_frame_is_not_given_twice() -> None:
    """A fast reader waits for the next frame."""
    camera = LatestFrame(FakeSource(pictures(500), live=True, period_s=0.01))
    given = [camera.read(2.0) for _ in range(5)]
    camera.close()
    assert len({frame.index for frame in given if frame is not None}) == 5


def test_no_frame_of_a_recording_is_lost() -> None:
    """A file waits for its reader, and ends with None."""
    recording = LatestFrame(FakeSource(pictures(20), live=False))
    indexes = []
    while (frame := recording.read(1.0)) is not None:
        time.sleep(0.002)
        indexes.append(frame.index)
    assert indexes == list(range(20))


@pytest.mark.parametrize("failure", [unplugged(), RuntimeError("the driver crashed")])
def test_what_fails_in_the_thread_is_raised_at_the_reader_each_time(failure: Exception) -> None:
    """Also what is no error of ours; and the source is closed then."""
    source = FakeSource([*pictures(1), failure], live=True)
    camera = LatestFrame(source)
    assert camera.read(2.0) is not None
    for _ in range(2):
        with pytest.raises(CameraError) as caught:
            camera.read(2.0)
        assert caught.value.__cause__ is not None
    assert source.closed


def test_reading_a_camera_that_hangs_takes_no_longer_than_asked() -> None:
    """Whatever the driver does, the reader is on time."""
    hang = threading.Event()
    camera = LatestFrame(FakeSource([hang], live=True))
    with pytest.raises(CameraError, match=r"no picture within 0\.05 s"):
        camera.read(0.05)
    hang.set()
    camera.close()


def test_closing_does_not_wait_for_a_camera_that_hangs() -> None:
    """The thread releases the camera when it wakes up: closing it under a running read crashes OpenCV."""
    hang = threading.Event()
    source = FakeSource([hang, *pictures(1)], live=True)
    camera = LatestFrame(source)
    camera.close(wait_s=0.05)
    assert not source.closed
    hang.set()
    deadline = time.monotonic() + 2.0
    while not source.closed and time.monotonic() < deadline:
        time.sleep(0.005)
    assert source.closed

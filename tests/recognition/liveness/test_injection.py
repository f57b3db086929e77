"""Frames that no camera gives."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from smartabsen.kernel.domain import ImageBGR
from smartabsen.recognition.liveness.injection import (
    Injection,
    check_digests,
    check_pictures,
    check_times,
    digest_frames,
)

RNG = np.random.default_rng(3)
SCENE = cv2.GaussianBlur(RNG.integers(0, 255, (480, 640, 3), dtype=np.uint8), (0, 0), 5)


def frame(shift_px: int = 0, *, noise: float = 1.5) -> ImageBGR:
    """The scene, moved, with the noise of a sensor."""
    moved = np.roll(SCENE, shift_px, axis=1).astype(np.float64)
    return np.clip(moved + RNG.normal(0.0, noise, moved.shape), 0, 255).astype(np.uint8)


def test_the_same_pixels_twice_are_no_camera() -> None:
    """Anywhere in a burst; other pixels, or another size of them, are another picture."""
    one, other = frame(), frame()
    assert check_digests(digest_frames([one, other, one.copy()])) is Injection.REPEATED
    assert check_digests(digest_frames([one, other, frame()])) is None
    assert len(set(digest_frames([one, one.reshape(640, 480, 3)]))) == 2


@pytest.mark.parametrize(
    "times",
    [
        [0.0, 0.1],
        [0.0, 0.1, 0.1],
        [0.0, 0.2, 0.1],
        [0.0, 0.1, 3.0],
        [0.0, float("nan"), 0.2],
        [0.0, 0.1, float("inf")],
        [],
    ],
    ids=["too few", "standing", "backwards", "gap", "nan", "infinite", "none"],
)
def test_times_of_capture_must_advance(times: list[float]) -> None:
    """One for each frame, forwards, without a gap in which pictures could be changed."""
    assert check_times(times, count=3) is Injection.CLOCK


def test_a_burst_cannot_be_longer_than_the_time_since_it_was_asked_for() -> None:
    """It was taken before: for another challenge."""
    times = [0.5 * number for number in range(20)]
    assert check_times(times, count=20, within_s=5.0) is Injection.CLOCK
    assert check_times(times, count=20, within_s=9.6) is None


def test_a_camera_before_somebody_who_holds_still_passes() -> None:
    """The noise of the sensor is enough."""
    assert check_pictures([frame() for _ in range(8)]) is None


def test_one_picture_encoded_anew_is_a_still() -> None:
    """The bytes differ, the picture does not."""
    picture = frame()
    barely = [np.clip(picture.astype(int) + (number % 2), 0, 255).astype(np.uint8) for number in range(1)]
    again = [cv2.imdecode(cv2.imencode(".png", picture)[1], cv2.IMREAD_COLOR) for _ in range(5)]
    assert check_pictures([*barely, *again]) is Injection.STILL


def test_pictures_that_begin_anew_are_a_loop() -> None:
    """Also when their bytes differ by compression."""
    film = [frame(shift) for shift in (0, 3, 6, 9)]
    again = [cv2.imdecode(cv2.imencode(".jpg", each, [1, 98])[1], cv2.IMREAD_COLOR) for each in film]
    assert check_pictures(film) is None
    assert check_pictures(film + again) is Injection.LOOPED


def test_frames_of_unequal_size_are_no_burst() -> None:
    """A camera does not change in the middle."""
    assert check_pictures([frame(), frame()[:400]]) is Injection.REPEATED

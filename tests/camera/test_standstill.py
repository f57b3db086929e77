"""Pictures that stand still or show nothing, and cameras that give them."""

from __future__ import annotations

from itertools import repeat

import cv2
import numpy as np
import pytest

from smartabsen.camera.fake import FakeSource
from smartabsen.camera.reconnect import check_pictures
from smartabsen.camera.standstill import NOTICED_S, PictureWatch, Standstill
from smartabsen.kernel.errors import CameraError

from .test_reconnect import Session

RANDOM = np.random.default_rng(2)
SCENE = cv2.GaussianBlur(RANDOM.integers(0, 255, (240, 320, 3), dtype=np.uint8), (0, 0), 4)


def noisy(image: np.ndarray, sigma: float = 1.0) -> np.ndarray:
    """The image as a sensor gives it."""
    return np.clip(image + RANDOM.normal(0.0, sigma, image.shape), 0, 255).astype(np.uint8)


def with_clock(image: np.ndarray, number: int) -> np.ndarray:
    """The image with a time in its corner."""
    return cv2.putText(image.copy(), f"08:00:{number:02d}", (5, 12), cv2.FONT_HERSHEY_PLAIN, 0.9, (255, 255, 255))


def told(images: list[np.ndarray]) -> tuple[float | None, Standstill | None]:
    """Return when something is told of five frames a second, and what."""
    watch = PictureWatch()
    for number, image in enumerate(images):
        found = watch.add(image, number / 5)
        if found is not None:
            return number / 5, found
    return None, None


@pytest.mark.parametrize("clock", [True, False])
def test_a_picture_that_stands_still_is_noticed_within_five_seconds(clock: bool) -> None:
    """From the last frame that moved; a running clock is no movement."""
    moving = [noisy(SCENE) for _ in range(10)]
    still = [with_clock(moving[-1], number) if clock else moving[-1] for number in range(40)]
    at_s, found = told([*moving, *still])
    assert found is Standstill.STILL and at_s is not None
    assert NOTICED_S <= at_s - 9 / 5 <= 5.0


@pytest.mark.parametrize("level", [0, 8, 128, 255])
def test_a_picture_of_one_colour_is_noticed_within_five_seconds(level: int) -> None:
    """Also with the noise of a sensor behind a cap."""
    plain = np.full(SCENE.shape, level, np.uint8)
    at_s, found = told([with_clock(noisy(plain, 3.0), number) for number in range(40)])
    assert found is Standstill.BLANK and at_s is not None and at_s <= 5.0


@pytest.mark.parametrize("sigma", [0.3, 1.0, 5.0])
def test_an_empty_room_is_neither_still_nor_blank(sigma: float) -> None:
    """Nobody is there for hours: the noise of the sensor shows that the camera works."""
    assert told([noisy(SCENE, sigma) for _ in range(60)]) == (None, None)


def test_a_camera_that_stands_still_is_told_opened_anew_and_back_when_it_moves() -> None:
    """Until then it gives no frame; a camera that still stands is told once."""
    still = noisy(SCENE)

    def live(*images: np.ndarray, then: np.ndarray | None = None) -> FakeSource:
        script = [*images, *([then] * 3000 if then is not None else [])]
        return FakeSource(script, live=True, period_s=0.01)

    first = live(noisy(SCENE), noisy(SCENE), then=still)
    second = live(then=still)
    third = FakeSource((noisy(SCENE) for _ in repeat(None)), live=True, period_s=0.01)
    session = Session(first, second, third, noticed_s=0.3)
    frames = session.frames(1)
    while session.told[-1:] != ["back"]:
        frames += session.frames(1)
    session.camera.close()
    assert session.told == ["lost: The picture of the camera “gate” stands still.", "back"]
    assert (frames[-1].image_bgr != still).any()


def test_who_asks_whether_a_camera_works_learns_that_it_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """One picture says nothing; of a recording the first one is enough."""
    monkeypatch.setattr("smartabsen.camera.reconnect.PictureWatch", lambda: PictureWatch(noticed_s=0.2))
    with pytest.raises(CameraError, match="stands still"):
        check_pictures(FakeSource(repeat(SCENE), live=True, period_s=0.02), timeout_s=1.0)
    with pytest.raises(CameraError, match="shows nothing"):
        black = FakeSource((noisy(np.full(SCENE.shape, 4, np.uint8)) for _ in repeat(None)), live=True, period_s=0.02)
        check_pictures(black, timeout_s=1.0)
    check_pictures(FakeSource((noisy(SCENE) for _ in repeat(None)), live=True, period_s=0.02), timeout_s=1.0)
    check_pictures(FakeSource([SCENE]), timeout_s=1.0)

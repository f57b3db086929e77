"""Whether a few frames can come from a camera."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from smartabsen.kernel.domain import ImageBGR
from smartabsen.recognition.burst import MIN_MOTION, measure_motion

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def scene(t1_image: ImageBGR) -> ImageBGR:
    """A person before a background."""
    return np.ascontiguousarray(cv2.resize(t1_image[50:450, 300:800], (640, 480)))


def encoded(image: ImageBGR, quality: int) -> ImageBGR:
    """The same after a JPEG compression."""
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def moved(image: ImageBGR, pixels: float) -> ImageBGR:
    """The same, shifted."""
    matrix = np.array([[1.0, 0.0, pixels], [0.0, 1.0, 0.5 * pixels]])
    return cv2.warpAffine(image, matrix, (image.shape[1], image.shape[0]), borderMode=cv2.BORDER_REPLICATE)


def test_a_still_picture_does_not_move_however_it_is_encoded(scene: ImageBGR) -> None:
    """Nor with the noise of a camera, nor when the light as a whole changes a little."""
    qualities = [encoded(scene, quality) for quality in (90, 75, 60, 40)]
    noisy = [np.clip(scene + RNG.normal(0, 4, scene.shape), 0, 255).astype(np.uint8) for _ in range(4)]
    brighter = [scene, np.clip(scene * 1.02, 0, 255).astype(np.uint8)]
    assert max(map(measure_motion, (qualities, noisy, brighter))) < MIN_MOTION


@pytest.mark.parametrize("light", [1.0, 0.25])
def test_a_person_who_moves_by_a_pixel_moves(scene: ImageBGR, light: float) -> None:
    """In the dark, too: nobody can stand stiller than that."""
    dim = (scene * light).astype(np.uint8)
    assert measure_motion([encoded(moved(dim, step / 5), 85) for step in range(6)]) > MIN_MOTION


def test_frames_of_unequal_sizes_are_no_burst(scene: ImageBGR) -> None:
    """And one frame alone says nothing."""
    assert measure_motion([scene, scene[:-1]]) == measure_motion([scene]) == 0.0

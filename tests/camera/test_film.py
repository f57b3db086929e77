"""The synthetic camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from smartabsen.camera.film import Variation, crop_with_margin, vary, walk_past, write_video
from smartabsen.camera.sources import open_source
from smartabsen.kernel.errors import StorageError

RED_BGR = (40, 40, 230)


def red_face() -> np.ndarray:
    """A picture with a red square for a face, at (60, 40) to (90, 70)."""
    image = np.full((120, 160, 3), 128, np.uint8)
    image[40:70, 60:90] = RED_BGR
    return image


def red_pixels(image: np.ndarray) -> int:
    """The number of pixels that are clearly red."""
    blue, green, red = (image[:, :, channel].astype(int) for channel in range(3))
    return int(np.count_nonzero((red - blue > 60) & (red - green > 60)))


def test_the_face_of_a_portrait_is_as_large_as_asked() -> None:
    """Whatever its size and place in the photo."""
    portrait = crop_with_margin(red_face(), (60.0, 40.0, 90.0, 70.0), face_px=100.0)
    assert red_pixels(portrait.image_bgr) == pytest.approx(100 * 100, rel=0.1)
    x, y = (round(value) for value in portrait.centre_xy)
    assert red_pixels(portrait.image_bgr[y - 40 : y + 40, x - 40 : x + 40]) == 80 * 80


def test_a_variation_is_another_picture_without_empty_corners() -> None:
    """Turned, shifted, reduced, darker: what would be empty is cut off."""
    image = np.full((200, 160, 3), 200, np.uint8)
    other = vary(image, Variation(zoom=0.8, rotation_deg=5.0, shift_xy=(0.05, -0.05), brightness=0.5), seed=1)
    assert other.shape[0] < 160
    assert other.shape[1] < 128
    assert abs(other.astype(int) - 100).max() <= 3


def test_a_variation_keeps_the_face_where_the_shift_says() -> None:
    """Turn and zoom go about the centre; a shift is a share of the size."""
    image = np.full((200, 200, 3), 128, np.uint8)
    image[90:110, 90:110] = RED_BGR
    for variation in (Variation(zoom=0.7, rotation_deg=8.0), Variation(zoom=1.2), Variation(shift_xy=(0.1, -0.05))):
        other = vary(image, variation, seed=1).astype(int)
        y, x = (place.mean() for place in np.nonzero(other[:, :, 2] - other[:, :, 0] > 60))
        height, width = other.shape[:2]
        shift_x, shift_y = variation.shift_xy
        assert (x, y) == pytest.approx((width / 2 + 200 * shift_x, height / 2 + 200 * shift_y), abs=1.5)


def test_a_film_shows_one_after_another_with_nobody_in_between() -> None:
    """Each comes nearer; before, between and after them the wall is empty."""
    portrait = crop_with_margin(red_face(), (60.0, 40.0, 90.0, 70.0), face_px=100.0)
    frames = list(walk_past([portrait, portrait], seed=1, size=(160, 120), fps=10, seconds_each=1, seconds_between=0.3))
    red = [red_pixels(frame) for frame in frames]
    assert len(frames) == 3 + 10 + 3 + 10 + 3
    assert all(frame.shape == (120, 160, 3) and frame.dtype == np.uint8 for frame in frames)
    for begin in (0, 13, 26):
        assert red[begin : begin + 3] == [0, 0, 0]
    for begin in (3, 16):
        assert 0 < 2 * red[begin] < red[begin + 9]


def test_a_film_is_a_function_of_its_seed() -> None:
    """The same seed gives the same frames, another one other frames."""
    portrait = crop_with_margin(red_face(), (60.0, 40.0, 90.0, 70.0), face_px=50.0)

    def film(seed: int) -> np.ndarray:
        return np.stack(list(walk_past([portrait], seed=seed, size=(160, 120), fps=4)))

    assert np.array_equal(film(1), film(1))
    assert not np.array_equal(film(1), film(2))


def test_a_written_film_is_read_back_as_it_was(tmp_path: Path) -> None:
    """Size, number, pace and, but for the compression, the pictures."""
    frames = [np.full((48, 64, 3), level, np.uint8) for level in (20, 120, 220)]
    assert write_video(tmp_path / "film.avi", frames, fps=10) == 3
    source = open_source(str(tmp_path / "film.avi"))
    read = [source.read(1.0) for _ in range(4)]
    assert read[3] is None
    assert [round(frame.image_bgr.mean(), -1) for frame in read if frame is not None] == [20, 120, 220]
    assert [frame.at_s for frame in read if frame is not None] == pytest.approx([0.0, 0.1, 0.2])


def test_a_film_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """OpenCV would say nothing."""
    with pytest.raises(StorageError):
        write_video(tmp_path / "missing" / "film.avi", [np.zeros((48, 64, 3), np.uint8)], fps=10)

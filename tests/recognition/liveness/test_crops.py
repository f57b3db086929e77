"""What of a frame a liveness model gets to see."""

from __future__ import annotations

import numpy as np
import pytest

from smartabsen.recognition.liveness.crops import cut_around

ROWS, COLUMNS = np.mgrid[:480, :640]
FRAME = np.dstack([COLUMNS % 256, ROWS % 256, COLUMNS // 256]).astype(np.uint8)
"""Each pixel holds its own place."""


def place_of(crop: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a crop of FRAME, the last two included."""
    first, last = crop[0, 0].astype(int), crop[-1, -1].astype(int)
    return first[0] + 256 * first[2], first[1], last[0] + 256 * last[2], last[1]


def test_the_crop_has_the_face_in_its_middle() -> None:
    """With room on all sides it is simply larger."""
    assert cut_bounds((300.0, 100.0, 340.0, 140.0), 2.0) == (280, 80, 360, 160)


def cut_bounds(box: tuple[float, float, float, float], scale: float) -> tuple[int, int, int, int]:
    """Bounds of a crop, with rows below 256 so that they are unambiguous."""
    return place_of(cut_around(FRAME[:256], box, scale=scale))


@pytest.mark.parametrize(
    ("box", "expected"),
    [((0.0, 0.0, 40.0, 40.0), (0, 0, 80, 80)), ((600.0, 215.0, 640.0, 255.0), (559, 175, 639, 255))],
)
def test_at_the_border_it_is_pushed_inside(
    box: tuple[float, float, float, float], expected: tuple[int, int, int, int]
) -> None:
    """It keeps its size: the model sees camera pixels, and as many as it was trained on."""
    assert cut_bounds(box, 2.0) == expected


def test_a_large_face_is_cut_out_as_far_as_there_is_picture() -> None:
    """The scale shrinks to what fits; width and height by the same factor."""
    left, top, right, bottom = cut_bounds((200.0, 50.0, 360.0, 210.0), 4.0)
    assert (top, bottom) == (0, 255)
    assert right - left == pytest.approx(255, abs=1)

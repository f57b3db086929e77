"""What tells a nose from a sheet of paper, on drawn textures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from smartabsen.kernel.domain import Face, LandmarkScheme
from smartabsen.recognition.liveness.challenge import MIN_CONSISTENCY
from smartabsen.recognition.liveness.relief import EYE_PX, SIZE_PX, FaceView, compare, view_face

NOSE = (0.0, 0.6)
ROWS, COLUMNS = np.mgrid[:SIZE_PX, :SIZE_PX].astype(np.float32)
X, Y = (COLUMNS - SIZE_PX / 2) / EYE_PX, (ROWS - 50.0) / EYE_PX
RNG = np.random.default_rng(0)
SKIN = cv2.GaussianBlur(RNG.integers(0, 255, (SIZE_PX, SIZE_PX), dtype=np.uint8), (0, 0), 2.0)
SKIN = cv2.normalize(SKIN, None, 20, 235, cv2.NORM_MINMAX)


def view(grey: np.ndarray) -> FaceView:
    return FaceView(np.asarray(grey, dtype=np.uint8), NOSE, 60.0)


def moved(right: np.ndarray, down: np.ndarray | float = 0.0) -> FaceView:
    """The skin after each place has moved by so many eye distances (small and smooth)."""
    return view(cv2.remap(SKIN, COLUMNS - right.astype(np.float32) * EYE_PX, ROWS - np.float32(down) * EYE_PX, 1))


BUMP = np.exp(-((X / 0.2) ** 2) / 2) * np.exp(-(((Y - 0.45) / 0.25) ** 2) / 2)
"""A nose that is not drawn like the one that is looked for."""


def test_a_nose_that_moves_is_measured() -> None:
    """To the side that it moves to, and no other."""
    relief = compare(view(SKIN), moved(0.08 * BUMP))
    assert 0.03 < relief.nose_xy[0] < 0.12
    assert abs(relief.nose_xy[1]) < 0.01
    assert relief.consistency > 0.9
    assert compare(view(SKIN), moved(-0.08 * BUMP)).nose_xy[0] < -0.03
    up = compare(view(SKIN), moved(0.0 * BUMP, -0.08 * BUMP))
    assert up.nose_xy[1] < -0.03


@pytest.mark.parametrize(
    "right",
    [
        0.05 * X,
        0.04 * X + 0.03 * Y,
        0.05 * X * X - 0.02 * X * Y,
        0.06 * (np.sqrt(np.maximum(1.7 - X * X, 0.2)) - 1),
        0.05 * np.abs(X),
        0.06 * np.exp(-((X / 0.25) ** 2) / 2),
    ],
    ids=["narrower", "sheared", "in perspective", "cylinder", "fold", "ridge"],
)
def test_what_a_sheet_can_do_is_no_nose(right: np.ndarray) -> None:
    """Turned, seen askew, bent about an axis, folded along the face."""
    relief = compare(view(SKIN), moved(right))
    assert abs(relief.nose_xy[0]) < 0.02
    assert relief.consistency > 0.8


def test_a_cut_to_another_picture_is_inconsistent() -> None:
    """No movement leads from one to the other and back."""
    other = cv2.GaussianBlur(RNG.integers(0, 255, SKIN.shape, dtype=np.uint8), (0, 0), 2.0)
    relief = compare(view(SKIN), view(cv2.normalize(other, None, 20, 235, cv2.NORM_MINMAX)))
    assert relief.consistency < MIN_CONSISTENCY


def test_a_movement_of_which_nothing_is_consistent_is_no_nose(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no error either: the next frame may be better."""
    lost = np.zeros((SIZE_PX, SIZE_PX, 2)), np.zeros((SIZE_PX, SIZE_PX), dtype=bool)
    monkeypatch.setattr("smartabsen.recognition.liveness.relief._flow", lambda *_: lost)
    relief = compare(view(SKIN), view(SKIN))
    assert (relief.nose_xy, relief.consistency) == ((0.0, 0.0), 0.0)


@pytest.mark.parametrize("angle_deg", [0.0, 25.0])
def test_a_view_brings_the_eyes_to_their_places(angle_deg: float) -> None:
    """At any size, place and tilt; the nose is told along the axes of the face."""
    turn = np.deg2rad(angle_deg)
    rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shape = np.array([[-0.5, 0.0], [0.5, 0.0], [0.1, 0.6], [-0.4, 1.0], [0.4, 1.0]])
    points = (shape * 80.0) @ rotate.T + [200.0, 150.0]
    image = np.zeros((400, 400, 3), dtype=np.uint8)
    for x, y in points[:2]:
        cv2.circle(image, (round(x), round(y)), 5, (255, 255, 255), -1)
    face = Face((100.0, 100.0, 300.0, 300.0), 1.0, points.astype(np.float32), LandmarkScheme.ARCFACE5)
    seen = view_face(image, face)
    assert seen is not None
    assert seen.nose_xy == pytest.approx((0.1, 0.6), abs=1e-3)
    assert seen.eye_px == pytest.approx(80.0, abs=1e-3)
    for x in (SIZE_PX / 2 - EYE_PX / 2, SIZE_PX / 2 + EYE_PX / 2):
        assert seen.grey[50, round(x)] > 200


def test_eyes_that_coincide_give_no_view() -> None:
    """Such a face cannot be brought to a size."""
    face = Face((0.0, 0.0, 9.0, 9.0), 1.0, np.zeros((5, 2), dtype=np.float32), LandmarkScheme.ARCFACE5)
    assert view_face(np.zeros((20, 20, 3), dtype=np.uint8), face) is None

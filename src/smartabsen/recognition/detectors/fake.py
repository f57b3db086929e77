"""A detector for drawn faces, so that tests of whole pipelines need no model.

A drawn face is a square with a magenta frame, a chequered pattern that stands for the person, and a green nose that
moves sideways when the face turns away. It survives reduction, noise, JPEG and video compression, blur and changes of
light.
"""

from __future__ import annotations

from typing import ClassVar, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import ImageBGR, LandmarkScheme
from ..runtime import RunsOn
from .framing import Candidates, FramedDetector

CELLS: Final = 8
"""The pattern has so many cells in each direction."""
PATTERN: Final = (0.125, 0.875)
"""From where to where the pattern goes, as parts of the face."""
POINTS_XY: Final = ((0.3, 0.35), (0.7, 0.35), (0.5, 0.55), (0.35, 0.75), (0.65, 0.75))
"""The ARCFACE5 landmarks of a frontal face, as parts of the face."""
TURN: Final = 0.28
"""How far the nose moves when the face is turned fully, as a part of the face."""
_MAGENTA, _GREEN = (255, 0, 255), (0, 255, 0)
_SMALLEST_PX: Final = 12
_UPRIGHT_NOSE: Final = 0.525


def draw_face(
    image_bgr: ImageBGR, person: int, *, centre_xy: tuple[int, int], size_px: int, turn: float = 0.0, light: float = 1.0
) -> None:
    """Draw a face into an image.

    Args:
        image_bgr: uint8 (H, W, 3), changed in place. What lies outside is cut off.
        person: Whose face it is.
        centre_xy: Its centre.
        size_px: Its width and height.
        turn: -1 to the left of the image, 1 to the right, 0 frontal.
        light: Brightness; 1 for a mean of 128, 0.2 is dark.
    """
    pattern = np.random.default_rng(person).permutation(np.linspace(20, 235, CELLS * CELLS)).reshape(CELLS, CELLS)
    side = 320
    face = np.empty((side, side, 3), dtype=np.uint8)
    face[:] = _MAGENTA
    start, end = (round(edge * side) for edge in PATTERN)
    cells = cv2.resize(pattern.astype(np.uint8), (end - start, end - start), interpolation=cv2.INTER_NEAREST)
    face[start:end, start:end] = cells[..., None]
    nose = POINTS_XY[2]
    cv2.circle(face, (round((nose[0] + TURN * turn) * side), round(nose[1] * side)), round(0.06 * side), _GREEN, -1)
    small = cv2.resize(face, (size_px, size_px), interpolation=cv2.INTER_AREA)
    small = np.clip(small * light, 0, 255).astype(np.uint8)
    height, width = image_bgr.shape[:2]
    left, top = centre_xy[0] - size_px // 2, centre_xy[1] - size_px // 2
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + size_px, width), min(top + size_px, height)
    if x0 < x1 and y0 < y1:
        image_bgr[y0:y1, x0:x1] = small[y0 - top : y1 - top, x0 - left : x1 - left]


class FakeDetector(FramedDetector):
    """Finds what :func:`draw_face` draws, upright and apart from each other."""

    SIDE_PX: ClassVar[int] = 640
    SECOND_LOOK_PX: ClassVar[int] = 128
    name = "fake"
    runs_on = RunsOn("numpy", "cpu", "f32")
    scheme = LandmarkScheme.ARCFACE5

    def __init__(
        self,
        *,
        max_side_px: int | None = None,
        score_threshold: float | None = None,
        threads: int = 0,  # noqa: ARG002 - every detector has it
    ) -> None:
        super().__init__(max_side_px=max_side_px, score_threshold=score_threshold)

    def _search(self, image_bgr: ImageBGR) -> Candidates:
        blue, green, red = (plane.astype(np.int16) for plane in cv2.split(image_bgr))
        magenta = (np.minimum(blue, red) > 20) & (np.minimum(blue, red) > 2 * green)
        _, _, regions, _ = cv2.connectedComponentsWithStats(magenta.astype(np.uint8), connectivity=8)
        boxes, landmarks, scores = [], [], []
        for left, top, width, height, area in regions[1:]:
            if min(width, height) < _SMALLEST_PX or not 0.8 < width / height < 1.25 or area > 0.7 * width * height:
                continue
            inside = slice(top, top + height), slice(left, left + width)
            noses = (green[inside] > 20) & (green[inside] > 2 * np.maximum(blue[inside], red[inside]))
            points = np.array(POINTS_XY) * [width, height]
            if noses.any():
                points[2, 0] = np.nonzero(noses)[1].mean() + 0.5
            # The nose lies below the middle of a face that is upright.
            is_upright = not noses.any() or np.nonzero(noses)[0].mean() + 0.5 > _UPRIGHT_NOSE * height
            scores.append(0.99 if is_upright else 0.5)
            boxes.append((left, top, left + width, top + height))
            landmarks.append(points + np.array([left, top]))
        return Candidates(
            boxes_xyxy=np.array(boxes, dtype=np.float64).reshape(-1, 4),
            scores=np.array(scores, dtype=np.float64),
            landmarks_xy=_stack(landmarks),
        )


def _stack(landmarks: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.stack(landmarks) if landmarks else np.zeros((0, 5, 2))

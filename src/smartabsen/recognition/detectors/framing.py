"""The part that all detectors share: which copy of the image is searched, and how the result gets back.

Detection works on a reduced copy. A face that fills the picture is lost by some detectors: of crops along the face box,
700 pixels high, SCRFD found none, Haar 20 %, HOG 95 % (205 photos of LFW). So where these find nothing, a small copy
with a black border is searched once more, for a tenth of the first search's time: with that, SCRFD finds 100 %, HOG
99.5 %, Haar 89 % (in the others it took something else for a face). YuNet and retail find 99 % without.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import Face, FloatArray, ImageBGR, LandmarkScheme
from ..runtime import check_image, running

AVERAGE_FROM: Final = 4
"""From this reduction on, pixels are averaged; below, bilinear sampling finds as much in a tenth of the time."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What a search found, in pixels of the image searched.

    Attributes:
        boxes_xyxy: float64 (N, 4).
        scores: float64 (N,).
        landmarks_xy: float64 (N, 5, 2); None where the detector places them afterwards.
    """

    boxes_xyxy: NDArray[np.float64]
    scores: NDArray[np.float64]
    landmarks_xy: NDArray[np.float64] | None = None

    def moved(self, factor_xy: tuple[float, float], *, border_px: int = 0) -> Candidates:
        """Return them with a border taken off, then each axis multiplied."""
        factor = np.array(factor_xy)
        landmarks = self.landmarks_xy
        return Candidates(
            boxes_xyxy=(self.boxes_xyxy - border_px) * np.tile(factor, 2),
            scores=self.scores,
            landmarks_xy=None if landmarks is None else (landmarks - border_px) * factor,
        )


class FramedDetector(ABC):
    """A detector that says how large a copy it wants and searches it; the rest is done here.

    Args:
        max_side_px: Longer side of the copy; larger finds smaller faces and takes longer. None: :attr:`SIDE_PX`.
        score_threshold: Lowest confidence; its scale is the detector's own. None: :attr:`SCORE`.
    """

    SIDE_PX: ClassVar[int] = 640
    SCORE: ClassVar[float] = 0.5
    SECOND_LOOK_PX: ClassVar[int] = 0
    """Longer side of the picture in the second search; its border is a quarter of it. 0: there is none."""
    name: str
    scheme: LandmarkScheme

    def __init__(self, *, max_side_px: int | None, score_threshold: float | None) -> None:
        self.max_side_px = self.SIDE_PX if max_side_px is None else max_side_px
        self.score_threshold = self.SCORE if score_threshold is None else score_threshold

    def detect(self, image_bgr: ImageBGR) -> tuple[Face, ...]:
        """Find the faces of an image, the largest first; see :class:`.base.Detector`."""
        check_image(image_bgr)
        height, width = image_bgr.shape[:2]
        size = self._working_size(width, height)
        with running(self.name):
            working = resize(image_bgr, size)
            found = self._search(working)
            if not len(found.scores) and self.SECOND_LOOK_PX:
                found = self._look_again(working)
            if not len(found.scores):
                return ()
            found = found.moved((width / size[0], height / size[1]))
            landmarks = found.landmarks_xy
            if landmarks is None:
                landmarks = self._place_landmarks(image_bgr, found.boxes_xyxy)
        return _make_faces(image_bgr, found, landmarks, self.scheme)

    def close(self) -> None:  # noqa: B027 - not every detector has something to release
        """Release the model. Closing twice is harmless."""

    def _working_size(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height of the copy to search."""
        factor = min(1.0, self.max_side_px / max(width, height))
        return max(1, round(width * factor)), max(1, round(height * factor))

    @abstractmethod
    def _search(self, image_bgr: ImageBGR) -> Candidates:
        """Find faces in a copy of the working size."""

    def _place_landmarks(self, image_bgr: ImageBGR, boxes_xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Find the five landmarks within boxes of the full image, float64 (N, 5, 2).

        Where they are not a number there is no face in the box, and it is left out.
        """
        raise NotImplementedError

    def _look_again(self, working_bgr: ImageBGR) -> Candidates:
        height, width = working_bgr.shape[:2]
        factor = self.SECOND_LOOK_PX / max(width, height)
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        border = self.SECOND_LOOK_PX // 4
        small = cv2.copyMakeBorder(resize(working_bgr, size), border, border, border, border, cv2.BORDER_CONSTANT)
        found = self._search(np.asarray(small, dtype=np.uint8))
        return found.moved((width / size[0], height / size[1]), border_px=border)


def resize(image_bgr: ImageBGR, size: tuple[int, int]) -> ImageBGR:
    """Return a copy of (width, height) ``size``; the image itself where it has that size."""
    height, width = image_bgr.shape[:2]
    if (width, height) == size:
        return image_bgr
    factor = min(width // size[0], height // size[1])
    if factor >= AVERAGE_FROM:
        # OpenCV averages whole blocks three times as fast as fractions of pixels.
        blocks = (width // factor, height // factor)
        whole = image_bgr[: blocks[1] * factor, : blocks[0] * factor]
        image_bgr = np.asarray(cv2.resize(whole, blocks, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def suppress(found: Candidates, *, overlap: float) -> Candidates:
    """Keep the best of boxes that share more than ``overlap`` of their union; they have landmarks."""
    boxes, scores, landmarks = found.boxes_xyxy, found.scores, found.landmarks_xy
    assert landmarks is not None
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    waiting: NDArray[np.intp] = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while waiting.size:
        best, rest = int(waiting[0]), waiting[1:]
        kept.append(best)
        shared = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2])
        common = np.clip(shared, 0.0, None).prod(axis=1)
        waiting = rest[common <= overlap * (areas[best] + areas[rest] - common)]
    return Candidates(boxes[kept], scores[kept], landmarks[kept])


def _make_faces(
    image_bgr: ImageBGR, found: Candidates, landmarks_xy: NDArray[np.float64], scheme: LandmarkScheme
) -> tuple[Face, ...]:
    height, width = image_bgr.shape[:2]
    points: FloatArray = landmarks_xy.astype(np.float32)
    faces: list[tuple[float, Face]] = []
    for box, score, landmarks in zip(found.boxes_xyxy.tolist(), found.scores.tolist(), points, strict=True):
        left, top = max(box[0], 0.0), max(box[1], 0.0)
        right, bottom = min(box[2], float(width)), min(box[3], float(height))
        if right - left >= 1.0 and bottom - top >= 1.0 and np.isfinite(landmarks).all():
            face = Face((left, top, right, bottom), score, landmarks, scheme)
            faces.append(((right - left) * (bottom - top), face))
    return tuple(face for _, face in sorted(faces, key=lambda pair: -pair[0]))

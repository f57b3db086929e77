"""OpenCV's Haar cascade, with the landmarks of an installed engine inside its boxes.

Viola and Jones, "Rapid object detection using a boosted cascade of simple features", CVPR 2001. It is the detector of
the original system; the others find more and are faster.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import ImageBGR
from ..runtime import RunsOn, limit_opencv, loading
from .framing import Candidates, FramedDetector
from .landmarks import load_placer

SCALE_STEP: Final = 1.1
NEIGHBOURS: Final = 5
SMALLEST: Final = 1 / 16
"""Smallest face, as a part of the copy's longer side."""


class HaarDetector(FramedDetector):
    """See the module.

    Args:
        cascade_path: ``haarcascade_frontalface_default.xml``, which comes with OpenCV before 5.0.
        landmarks_path: What places the landmarks; see :func:`.landmarks.load_placer`.
        max_side_px: Longer side of the copy that is searched.
        score_threshold: Number of overlapping hits that a face needs.
        threads: Of OpenCV, for the whole process.

    Raises:
        ModelDamagedError: A file is not what it should be.
    """

    SCORE: ClassVar[float] = float(NEIGHBOURS)
    SECOND_LOOK_PX: ClassVar[int] = 128
    name = "haar"
    runs_on = RunsOn("opencv", "cpu", "f32")

    def __init__(
        self,
        cascade_path: Path,
        landmarks_path: Path,
        *,
        max_side_px: int | None = None,
        score_threshold: float | None = None,
        threads: int = 0,
    ) -> None:
        super().__init__(max_side_px=max_side_px, score_threshold=score_threshold)
        limit_opencv(threads)
        with loading(cascade_path):
            self._cascade = cv2.CascadeClassifier(str(cascade_path))
            if self._cascade.empty():
                raise ValueError("it is no cascade")
        self._landmarks = load_placer(landmarks_path, threads=threads)
        self.scheme = self._landmarks.scheme

    def _search(self, image_bgr: ImageBGR) -> Candidates:
        grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
        smallest = max(24, round(max(grey.shape) * SMALLEST))
        # Its third output is the confidence of the last stage; the histogram is left as it is, because equalising it
        # loses 1 to 4 % of the faces (measured on LFW).
        boxes, _, scores = self._cascade.detectMultiScale3(
            grey,
            scaleFactor=SCALE_STEP,
            minNeighbors=round(self.score_threshold),
            minSize=(smallest, smallest),
            outputRejectLevels=True,
        )
        corners = np.array(boxes, dtype=np.float64).reshape(-1, 4)
        corners[:, 2:] += corners[:, :2]
        return Candidates(boxes_xyxy=corners, scores=np.array(scores, dtype=np.float64).reshape(-1))

    def _place_landmarks(self, image_bgr: ImageBGR, boxes_xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
        # Each way was made for boxes of its own detector. Moving Haar's boxes to those of dlib's changed nothing
        # measurable on LFW, so they are taken as they are.
        return self._landmarks.place(image_bgr, boxes_xyxy)

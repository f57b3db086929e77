"""dlib's HOG detector with its 5-point predictor.

Histograms of oriented gradients in a sliding window of 80 pixels: Dalal and Triggs, CVPR 2005, as in dlib's
``get_frontal_face_detector``. It finds frontal faces whose shorter side is at least 80 pixels in the copy it searches.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import ImageBGR, LandmarkScheme
from ..runtime import RunsOn
from .five_points import FivePointPredictor
from .framing import Candidates, FramedDetector


class HogDetector(FramedDetector):
    """See the module.

    Args:
        predictor_path: dlib's ``shape_predictor_5_face_landmarks.dat``.
        max_side_px: Longer side of the copy that is searched.
        score_threshold: dlib's own scale, around 0.
        threads: dlib works with one.

    Raises:
        ModelDamagedError: The file is no predictor.
    """

    SIDE_PX: ClassVar[int] = 960
    SCORE: ClassVar[float] = 0.0
    SECOND_LOOK_PX: ClassVar[int] = 192
    name = "hog"
    runs_on = RunsOn("dlib", "cpu", "f32")
    scheme = LandmarkScheme.DLIB5

    def __init__(
        self,
        predictor_path: Path,
        *,
        max_side_px: int | None = None,
        score_threshold: float | None = None,
        threads: int = 0,  # noqa: ARG002 - every detector has it
    ) -> None:
        super().__init__(max_side_px=max_side_px, score_threshold=score_threshold)
        self._detector = dlib.get_frontal_face_detector()
        self._predictor = FivePointPredictor(predictor_path)

    def _search(self, image_bgr: ImageBGR) -> Candidates:
        grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
        boxes, scores, _ = self._detector.run(grey, 0, self.score_threshold)
        # dlib's rectangles include their last pixel.
        corners = [(box.left(), box.top(), box.right() + 1, box.bottom() + 1) for box in boxes]
        return Candidates(
            boxes_xyxy=np.array(corners, dtype=np.float64).reshape(-1, 4), scores=np.array(scores, dtype=np.float64)
        )

    def _place_landmarks(self, image_bgr: ImageBGR, boxes_xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._predictor.place(image_bgr, boxes_xyxy)

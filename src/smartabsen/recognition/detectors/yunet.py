"""YuNet, run by OpenCV.

Wu et al., "YuNet: a tiny millisecond-level face detector", Machine Intelligence Research 20, 2023; weights from
OpenCV's model zoo under the MIT licence.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Final

import cv2
import numpy as np

from ...domain import ImageBGR, LandmarkScheme
from ..runtime import RunsOn, limit_opencv, loading
from .framing import Candidates, FramedDetector

OVERLAP: Final = 0.3
MOST_CANDIDATES: Final = 5_000
SMALLEST_PX: Final = 64
"""Sides of the input are filled up to this: up to 32 pixels OpenCV answers with numbers from nowhere."""


class YunetDetector(FramedDetector):
    """See the module.

    Args:
        model_path: ``face_detection_yunet_2023mar.onnx``.
        max_side_px: Longer side of the copy that is searched.
        score_threshold: 0..1.
        threads: Of OpenCV, for the whole process.

    Raises:
        ModelDamagedError: The file is no such model.
    """

    SCORE: ClassVar[float] = 0.6
    name = "yunet"
    runs_on = RunsOn("opencv", "cpu", "f32")
    scheme = LandmarkScheme.ARCFACE5

    def __init__(
        self,
        model_path: Path,
        *,
        max_side_px: int | None = None,
        score_threshold: float | None = None,
        threads: int = 0,
    ) -> None:
        super().__init__(max_side_px=max_side_px, score_threshold=score_threshold)
        limit_opencv(threads)
        with loading(model_path):
            self._model: Any = cv2.FaceDetectorYN.create(
                str(model_path), "", (320, 320), self.score_threshold, OVERLAP, MOST_CANDIDATES
            )

    def close(self) -> None:
        self._model = None

    def _search(self, image_bgr: ImageBGR) -> Candidates:
        height, width = image_bgr.shape[:2]
        right, below = max(0, SMALLEST_PX - width), max(0, SMALLEST_PX - height)
        if right or below:
            image_bgr = np.asarray(
                cv2.copyMakeBorder(image_bgr, 0, below, 0, right, cv2.BORDER_CONSTANT), dtype=np.uint8
            )
        self._model.setInputSize((width + right, height + below))
        _, found = self._model.detect(image_bgr)
        # Columns: left, top, width, height, the five points of the image from left to right, score.
        rows = np.zeros((0, 15)) if found is None else found.astype(np.float64)
        boxes = rows[:, :4].copy()
        boxes[:, 2:] += boxes[:, :2]
        return Candidates(boxes_xyxy=boxes, scores=rows[:, 14], landmarks_xy=rows[:, 4:14].reshape(-1, 5, 2))

"""dlib's 5-point predictor: eye corners and base of the nose within a face box.

Kazemi and Sullivan, "One millisecond face alignment with an ensemble of regression trees", CVPR 2014. Its training data
are free for any use, unlike those of dlib's 68-point predictor.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import ImageBGR, LandmarkScheme
from ..runtime import loading

MARGIN: Final = 0.4
"""Surroundings of a box that are given to the predictor, as a part of the box."""
FACE_PX: Final = 200
"""Width of the face that is given to the predictor: it answers in whole pixels, so a small one is enlarged."""


class FivePointPredictor:
    """Places DLIB5 landmarks.

    Args:
        path: ``shape_predictor_5_face_landmarks.dat``.

    Raises:
        ModelDamagedError: The file is no predictor.
    """

    scheme = LandmarkScheme.DLIB5

    def __init__(self, path: Path) -> None:
        with loading(path):
            self._predict = dlib.shape_predictor(str(path))

    def place(self, image_bgr: ImageBGR, boxes_xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return float64 (N, 5, 2) for square boxes from the brows to the chin."""
        landmarks = np.zeros((len(boxes_xyxy), 5, 2))
        for index, box in enumerate(boxes_xyxy):
            landmarks[index] = self._place_one(image_bgr, box)
        return landmarks

    def _place_one(self, image_bgr: ImageBGR, box_xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
        side = max(float(box_xyxy[2] - box_xyxy[0]), 1.0)
        factor = FACE_PX / side
        origin = box_xyxy[:2] - MARGIN * side
        size = round(FACE_PX * (1 + 2 * MARGIN))
        # A pixel (x, y) of the part is at origin + (x, y) / factor of the image; what lies outside repeats the edge.
        matrix = np.array([[factor, 0, -factor * origin[0]], [0, factor, -factor * origin[1]]])
        part = cv2.warpAffine(image_bgr, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        corners = np.round((box_xyxy - np.tile(origin, 2)) * factor).astype(int)
        box = dlib.rectangle(int(corners[0]), int(corners[1]), int(corners[2]) - 1, int(corners[3]) - 1)
        points = self._predict(cv2.cvtColor(part, cv2.COLOR_BGR2RGB), box)
        found = np.array([(points.part(i).x, points.part(i).y) for i in range(5)], dtype=np.float64)
        return found / factor + origin

"""Five landmarks within the boxes of a detector that gives boxes only.

Each way is one of the networks that an engine brings anyway, so that such a detector needs no files of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import ImageBGR, LandmarkScheme
from ..runtime import load_openvino
from .yunet_network import YunetNetwork

YUNET_FACE_PX: Final = 160
"""Width to which a box is brought before YuNet looks at it and half its width around it."""
_YUNET_MARGIN: Final = 0.5
_YUNET_SCORE: Final = 0.3
"""Lower than for searching a whole picture: something has been found here already."""
_YUNET_OFF_CENTRE: Final = 0.5
"""Farthest that the middle of its face may lie from the middle of the box, as a part of the box: another face else."""
_RETAIL_INPUT_PX: Final = 48


class LandmarkPlacer(Protocol):
    """Places landmarks in boxes."""

    scheme: LandmarkScheme

    def place(self, image_bgr: ImageBGR, boxes_xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return float64 (N, 5, 2); not a number where there is no face in a box."""
        ...


def load_placer(path: Path, *, threads: int) -> LandmarkPlacer:
    """Load the way that a file belongs to.

    Args:
        path: YuNet (``.onnx``), landmarks-regression-retail-0009 (``.xml``), or dlib's 5-point predictor (``.dat``).
        threads: 0 for a sensible number.

    Raises:
        MissingDependencyError: A library is not installed.
        ModelDamagedError: The file is no such model.
    """
    if path.suffix == ".onnx":
        return YunetLandmarks(path, threads=threads)
    if path.suffix == ".xml":
        return RetailLandmarks(path, threads=threads)
    from .five_points import FivePointPredictor

    return FivePointPredictor(path)


class YunetLandmarks:
    """YuNet on the surroundings of each box: what is no face to it has no landmarks.

    Args:
        path: ``face_detection_yunet_2023mar.onnx``, or the same in blocks of integers.
        threads: 0 for a sensible number.
    """

    scheme = LandmarkScheme.ARCFACE5

    def __init__(self, path: Path, *, threads: int) -> None:
        self._side_px = round(YUNET_FACE_PX * (1 + 2 * _YUNET_MARGIN))
        self._network = YunetNetwork(path, threads=threads)

    def place(self, image_bgr: ImageBGR, boxes_xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :class:`LandmarkPlacer`."""
        landmarks = np.full((len(boxes_xyxy), 5, 2), np.nan)
        for index, box in enumerate(boxes_xyxy):
            side = max(float(max(box[2:] - box[:2])), 1.0)
            factor = YUNET_FACE_PX / side
            origin = (box[:2] + box[2:]) / 2 - self._side_px / 2 / factor
            found = self._find(_cut(image_bgr, origin, (factor, factor), self._side_px))
            if found is not None:
                landmarks[index] = found / factor + origin
        return landmarks

    def _find(self, part_bgr: ImageBGR) -> NDArray[np.float64] | None:
        """Return the landmarks of the face in the middle, float64 (5, 2)."""
        found = self._network.find(part_bgr, score_threshold=_YUNET_SCORE)
        if found.landmarks_xy is None or not len(found.scores):
            return None
        boxes = found.boxes_xyxy
        off = np.abs((boxes[:, :2] + boxes[:, 2:] - self._side_px) / 2).max(axis=1)
        nearest = int(off.argmin())
        if off[nearest] > _YUNET_OFF_CENTRE * YUNET_FACE_PX:
            return None
        return np.asarray(found.landmarks_xy[nearest])


class RetailLandmarks:
    """Intel's landmarks-regression-retail-0009, run by OpenVINO; from the Open Model Zoo under Apache-2.0.

    It may compute in bfloat16 where the processor does; see :mod:`.retail`.

    Args:
        path: ``landmarks-regression-retail-0009.xml``, its ``.bin`` beside it.
        threads: 0 for a sensible number.
    """

    scheme = LandmarkScheme.ARCFACE5

    def __init__(self, path: Path, *, threads: int) -> None:
        self._request: Any = load_openvino(path, threads=threads, exact=False)

    def place(self, image_bgr: ImageBGR, boxes_xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :class:`LandmarkPlacer`."""
        landmarks = np.zeros((len(boxes_xyxy), 5, 2))
        for index, box in enumerate(boxes_xyxy):
            sides = np.maximum(box[2:] - box[:2], 1.0)
            part = _cut(image_bgr, box[:2], tuple(_RETAIL_INPUT_PX / sides), _RETAIL_INPUT_PX)
            answer = self._request.infer({0: part[None]}, share_inputs=True)
            places = np.array(next(iter(answer.values())), dtype=np.float64).reshape(5, 2)
            landmarks[index] = places * sides + box[:2]
        return landmarks


def _cut(image_bgr: ImageBGR, origin_xy: NDArray[np.float64], factor_xy: tuple[float, float], side_px: int) -> ImageBGR:
    """Return a square part: its pixel (x, y) is at origin + (x, y) / factor; outside the image the edge repeats."""
    (x, y), (across, down) = origin_xy, factor_xy
    matrix = np.array([[across, 0, -across * x], [0, down, -down * y]])
    part = cv2.warpAffine(
        image_bgr, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(part, dtype=np.uint8)

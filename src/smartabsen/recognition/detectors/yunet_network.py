"""The network YuNet, run by ONNX Runtime: from a picture to faces with five landmarks.

Wu et al., "YuNet: a tiny millisecond-level face detector", Machine Intelligence Research 20, 2023. The meaning of the
outputs is that of ``cv2.FaceDetectorYN``, which the tests compare this with; OpenCV takes three times as long for the
same numbers (640 x 480: 26 and 8 ms in one run).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from ...kernel.domain import FloatArray, ImageBGR
from ...kernel.errors import ModelDamagedError
from ...kernel.i18n import N_
from ..float_weights import read_plain
from ..runtime import load_onnx
from .framing import Candidates, suppress

STRIDES: Final = (8, 16, 32)
STEP: Final = STRIDES[-1]
"""Sides of the input are multiples of this; a picture is filled up with black to the right and below."""
OVERLAP: Final = 0.3
"""Boxes that share more than this part of their union are one face."""
_OUTPUTS: Final = tuple(f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES)


class YunetNetwork:
    """See the module. One session serves every size, though the file names one.

    Args:
        path: ``face_detection_yunet_2023mar.onnx``, or the same with its weights in blocks of integers.
        threads: 0 for a sensible number.

    Raises:
        ModelDamagedError: The file is no such model.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        model, _changed = read_plain(path)
        if sorted(output.name for output in model.graph.output) != sorted(_OUTPUTS):
            raise ModelDamagedError(N_("The model file {path} is not YuNet."), path=path)
        _open_sizes(model)
        self._input = model.graph.input[0].name
        self._session: Any = load_onnx(path, threads=threads, rewritten=model.SerializeToString())
        # Kept, with the size of the picture in it: allocating it takes as long as filling it.
        self._blob: FloatArray = np.empty((0,), dtype=np.float32)
        self._filled = (0, 0)

    def find(self, image_bgr: ImageBGR, *, score_threshold: float) -> Candidates:
        """Find the faces of a picture, the surest first, with the points of the image from left to right."""
        height, width = image_bgr.shape[:2]
        columns, rows = -(-width // STEP) * STEP, -(-height // STEP) * STEP
        if self._filled != (width, height):
            self._blob = np.zeros((1, 3, rows, columns), dtype=np.float32)
            self._filled = (width, height)
        for channel, plane in enumerate(cv2.split(image_bgr)):
            self._blob[0, channel, :height, :width] = plane
        outputs = self._session.run(_OUTPUTS, {self._input: self._blob})
        return _decode(outputs, columns, score_threshold)


def _open_sizes(model: ModelProto) -> None:
    """Take the height and width of the input, and what follows from them, as open."""
    graph = model.graph
    for axis, name in ((2, "height"), (3, "width")):
        graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    for output in graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"{output.name}:cells"
    del graph.value_info[:]


def _decode(outputs: list[NDArray[np.float32]], columns: int, score_threshold: float) -> Candidates:
    """Turn the outputs (class, object, box and points of each level) into faces."""
    boxes, scores, landmarks = [], [], []
    levels = len(STRIDES)
    for level, stride in enumerate(STRIDES):
        of_class, of_object = (np.clip(outputs[level + part * levels].reshape(-1), 0.0, 1.0) for part in (0, 1))
        confidence = np.sqrt(of_class * of_object)
        chosen = np.flatnonzero(confidence >= score_threshold)
        if not chosen.size:
            continue
        row, column = np.divmod(chosen, columns // stride)
        cell = np.stack([column, row], axis=1).astype(np.float64)
        sides = outputs[level + 2 * levels].reshape(-1, 4)[chosen].astype(np.float64)
        points = outputs[level + 3 * levels].reshape(-1, 5, 2)[chosen].astype(np.float64)
        # The middle of the box from the cell's corner, and the logarithms of its sides, in cells.
        middle, size = cell + sides[:, :2], np.exp(sides[:, 2:])
        scores.append(confidence[chosen].astype(np.float64))
        boxes.append(np.hstack([middle - size / 2, middle + size / 2]) * stride)
        landmarks.append((points + cell[:, None, :]) * stride)
    if not boxes:
        return Candidates(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))
    found = Candidates(np.concatenate(boxes), np.concatenate(scores), np.concatenate(landmarks))
    return suppress(found, overlap=OVERLAP)

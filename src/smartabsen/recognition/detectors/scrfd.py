"""SCRFD.

Guo et al., "Sample and computation redistribution for efficient face detection", ICLR 2022. The meaning of the outputs
is that of ``insightface.model_zoo.SCRFD``, which the tests compare this with. That class decodes every anchor of every
frame and adds 18 % to the time of a small model; here only the anchors above the threshold are decoded.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Final

import cv2
import numpy as np

from ...kernel.domain import FloatArray, ImageBGR, LandmarkScheme
from ...kernel.errors import ModelDamagedError
from ...kernel.i18n import N_
from ..execution import Execution, OnnxRunner, open_onnx
from ..onnx_file import read_onnx
from ..packs import is_scrfd
from ..runtime import RunsOn
from .framing import Candidates, FramedDetector, suppress

STEP: Final = 32
"""Sides of the input are multiples of this: the coarsest level has one cell for so many pixels."""
MAX_STRETCH: Final = 0.05
"""A side within this of a multiple is stretched to it; otherwise it is filled up with black."""
SMALLEST_PX: Final = 36
"""A face of this size in the copy is found as surely as a larger one, and its landmarks serve as well: of 486 faces 60
pixels high in frames of 640 x 480, none was lost in copies of 384 x 288, and they were as similar to their templates
(mean cosine 0.636 and 0.635)."""
OVERLAP: Final = 0.4
"""Boxes that share more than this part of their union are one face."""
MEAN, DEVIATION = 127.5, 128.0
# Number of outputs with landmarks -> levels and anchors in a cell.
LAYOUTS: Final = {9: ((8, 16, 32), 2), 15: ((8, 16, 32, 64, 128), 1)}


class ScrfdDetector(FramedDetector):
    """See the module.

    One session serves every size: those of a fixed size were measured to be no faster, and cost 40 ms each.

    Args:
        model_path: An ONNX file with nine or fifteen outputs.
        max_side_px: Longer side of the copy that is searched.
        score_threshold: 0..1.
        threads: Of the model; 0 for a sensible number.
        min_face_px: Smaller faces of an image (their box's shorter side) need not be found: the copy is reduced as far
            as that allows. 0 reduces no further than ``max_side_px``.
        execution: What it runs on.

    Raises:
        ModelDamagedError: The file is no such model.
    """

    SCORE: ClassVar[float] = 0.5
    SECOND_LOOK_PX: ClassVar[int] = 128
    name = "scrfd"
    scheme = LandmarkScheme.ARCFACE5

    def __init__(
        self,
        model_path: Path,
        *,
        max_side_px: int | None = None,
        score_threshold: float | None = None,
        threads: int = 0,
        min_face_px: int = 0,
        execution: Execution | None = None,
    ) -> None:
        super().__init__(max_side_px=max_side_px, score_threshold=score_threshold)
        self._smallest_factor = SMALLEST_PX / min_face_px if min_face_px else 1.0
        model = read_onnx(model_path)
        if not is_scrfd(model):
            raise ModelDamagedError(N_("The model file {path} is no SCRFD face detector."), path=model_path)
        self._quantised = model.quantised
        self._strides, self._anchors = LAYOUTS[len(model.outputs)]
        height, width = model.inputs[0][2:]
        self._fixed_size = (width, height) if width and height else None
        self._model: OnnxRunner | None = open_onnx(model_path, threads=threads, execution=execution or Execution())
        # The network's input and the size of the picture in it, kept: allocating it takes as long as filling it.
        self._blob: FloatArray = np.empty((0,), dtype=np.float32)
        self._filled = (0, 0)

    @property
    def runs_on(self) -> RunsOn:
        """What really executes it."""
        assert self._model is not None
        return replace(self._model.runs_on, precision="int8") if self._quantised else self._model.runs_on

    def close(self) -> None:
        self._model = None

    def _working_size(self, width: int, height: int) -> tuple[int, int]:
        limit = self._fixed_size or (self.max_side_px, self.max_side_px)
        factor = min(1.0, limit[0] / width, limit[1] / height, self._smallest_factor)
        if self._fixed_size:
            return max(1, int(width * factor)), max(1, int(height * factor))
        return _near_multiple(width * factor), _near_multiple(height * factor)

    def _search(self, image_bgr: ImageBGR) -> Candidates:
        height, width = image_bgr.shape[:2]
        columns, rows = self._fixed_size or (-(-width // STEP) * STEP, -(-height // STEP) * STEP)
        if self._filled != (width, height):
            self._blob = np.full((1, 3, rows, columns), -MEAN / DEVIATION, dtype=np.float32)
            self._filled = (width, height)
        for channel, plane in enumerate(cv2.split(image_bgr)):
            target = self._blob[0, 2 - channel, :height, :width]
            target[...] = plane
            target -= np.float32(MEAN)
            target *= np.float32(1 / DEVIATION)
        assert self._model is not None, "the detector was closed"
        return self._decode(self._model.run(self._blob), columns)

    def _decode(self, outputs: list[FloatArray], columns: int) -> Candidates:
        """Turn the outputs (scores, then boxes, then landmarks, of each level) into faces."""
        levels = len(self._strides)
        boxes, scores, landmarks = [], [], []
        for level, stride in enumerate(self._strides):
            confidence = outputs[level].reshape(-1)
            chosen = np.flatnonzero(confidence >= self.score_threshold)
            if not chosen.size:
                continue
            row, column = np.divmod(chosen // self._anchors, columns // stride)
            centre = np.stack([column, row], axis=1).astype(np.float64) * stride
            # Distances from the cell's corner to the four sides of the box, and to the five points.
            sides = outputs[level + levels].reshape(-1, 4)[chosen].astype(np.float64) * stride
            points = outputs[level + 2 * levels].reshape(-1, 5, 2)[chosen].astype(np.float64) * stride
            scores.append(confidence[chosen].astype(np.float64))
            boxes.append(np.hstack([centre - sides[:, :2], centre + sides[:, 2:]]))
            landmarks.append(centre[:, None, :] + points)
        if not boxes:
            return Candidates(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))
        found = Candidates(np.concatenate(boxes), np.concatenate(scores), np.concatenate(landmarks))
        return suppress(found, overlap=OVERLAP)


def _near_multiple(side: float) -> int:
    nearest = max(STEP, round(side / STEP) * STEP)
    return nearest if abs(nearest / side - 1) <= MAX_STRETCH else max(1, round(side))

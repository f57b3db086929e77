"""An embedder for drawn faces: the brightness of the cells of their pattern.

It goes with :mod:`smartabsen.recognition.detectors.fake`: pictures of one drawn person have a cosine above 0.9, of two
persons below 0.5.
"""

from __future__ import annotations

import hashlib
from typing import ClassVar, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import FloatArray, ImageBGR
from ..alignment import AlignmentTemplate, crop_shape
from ..detectors.fake import CELLS, PATTERN, POINTS_XY
from ..runtime import RunsOn
from .batches import embed_checked

_SIZE: Final = 96


def _target(points_xy: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    start, end = PATTERN
    return tuple(((x - start) / (end - start) * _SIZE, (y - start) / (end - start) * _SIZE) for x, y in points_xy)


FAKE_96: Final = AlignmentTemplate(
    name="fake_96",
    size=_SIZE,
    arcface5_xy=_target(POINTS_XY),
    dlib5_xy=_target(((0.78, 0.36), (0.62, 0.36), (0.22, 0.36), (0.38, 0.36), (0.5, 0.63))),
)
"""The pattern of a drawn face."""


class FakeEmbedder:
    """See the module."""

    name: ClassVar[str] = "fake"
    dimension: ClassVar[int] = CELLS * CELLS
    template: ClassVar[AlignmentTemplate] = FAKE_96
    runs_on: ClassVar[RunsOn] = RunsOn("numpy", "cpu", "f64")
    digest: ClassVar[str] = hashlib.sha256(b"fake").hexdigest()

    def __init__(self, *, threads: int = 0) -> None:
        """Take the argument that every embedder takes; nothing here has threads."""

    def embed(self, crops_bgr: list[ImageBGR]) -> FloatArray:
        """Embed aligned crops; see :class:`.base.Embedder`."""
        return embed_checked(
            self.name, crops_bgr, shape=crop_shape(self.template), dimension=self.dimension, run=self._run
        )

    def close(self) -> None:
        """Release nothing."""

    def _run(self, crops_bgr: list[ImageBGR]) -> NDArray[np.float64]:
        grey = [cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) for crop in crops_bgr]
        cells = np.stack([cv2.resize(crop, (CELLS, CELLS), interpolation=cv2.INTER_AREA) for crop in grey])
        pattern: NDArray[np.float64] = cells.reshape(len(cells), -1).astype(np.float64)
        pattern -= pattern.mean(axis=1, keepdims=True)
        # A blank crop has no pattern; the small constant gives it a direction all the same.
        return pattern + 1e-6

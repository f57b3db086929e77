"""dlib's face recognition network: a ResNet of 29 layers, 128 numbers.

King, "High quality face recognition with deep metric learning", 2017 (dlib's blog); the weights are in the public
domain. Its descriptors are not of unit length and were made for Euclidean distance: normalised, a cosine of 0.92
corresponds to the distance of 0.6 that its author recommends.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import FloatArray, ImageBGR
from ..alignment import DLIB_150, AlignmentTemplate, crop_shape
from ..runtime import RunsOn, digest_files, loading
from .batches import embed_checked


class DlibResnetEmbedder:
    """See the module. No jitter: one chip, one descriptor.

    Args:
        model_path: ``dlib_face_recognition_resnet_model_v1.dat``.
        threads: dlib works with one.

    Raises:
        ModelDamagedError: The file is no such network.
    """

    name: ClassVar[str] = "dlib_resnet"
    dimension: ClassVar[int] = 128
    template: ClassVar[AlignmentTemplate] = DLIB_150

    def __init__(self, model_path: Path, *, threads: int = 0) -> None:  # noqa: ARG002 - every embedder has it
        self.digest = digest_files([model_path])
        with loading(model_path):
            self._model: Any = dlib.face_recognition_model_v1(str(model_path))
        # Built for CUDA, dlib takes the first GPU without being asked.
        gpu = bool(dlib.DLIB_USE_CUDA) and dlib.cuda.get_num_devices() > 0
        self.runs_on = RunsOn("dlib", "cuda" if gpu else "cpu", "f32")

    def embed(self, crops_bgr: list[ImageBGR]) -> FloatArray:
        """Embed aligned crops; see :class:`.base.Embedder`."""
        return embed_checked(
            self.name, crops_bgr, shape=crop_shape(self.template), dimension=self.dimension, run=self._run
        )

    def close(self) -> None:
        """Release the model."""
        self._model = None

    def _run(self, crops_bgr: list[ImageBGR]) -> NDArray[np.float64]:
        chips = [cv2.cvtColor(crop, cv2.COLOR_BGR2RGB) for crop in crops_bgr]
        return np.array(self._model.compute_face_descriptor(chips), dtype=np.float64)

"""SFace of OpenCV's model zoo: a MobileFaceNet, 128 numbers, Apache-2.0.

Zhong et al., "SFace: sigmoid-constrained hypersphere loss for robust face recognition", IEEE TIP 30, 2021. Its crop is
ArcFace's. It takes RGB values of 0 to 255, the normalisation being part of the graph (OpenCV's own class is fed BGR and
turns it; fed BGR by mistake, the cosine to the right embedding is 0.91). The published file keeps its weights in blocks
of 8-bit integers: they are made plain when it is loaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import FloatArray, ImageBGR
from ...kernel.errors import ModelDamagedError
from ...kernel.i18n import N_
from ..alignment import ARCFACE_112, AlignmentTemplate, crop_shape
from ..execution import Execution, OnnxRunner, open_onnx
from ..onnx_file import read_onnx
from ..runtime import RunsOn, digest_files
from .batches import embed_checked


class SfaceEmbedder:
    """See the module. It takes one face at a time, as its file says.

    Args:
        model_path: ``face_recognition_sface_2021dec_int8bq.onnx``, or the same network in single precision.
        threads: Of the model; 0 for a sensible number.
        execution: What it runs on.

    Raises:
        ModelDamagedError: The file is no such model.
    """

    name: ClassVar[str] = "sface"
    dimension: ClassVar[int] = 128
    template: ClassVar[AlignmentTemplate] = ARCFACE_112

    def __init__(self, model_path: Path, *, threads: int = 0, execution: Execution | None = None) -> None:
        model = read_onnx(model_path)
        if model.inputs[0] != (1, 3, 112, 112) or model.outputs != ((1, self.dimension),):
            raise ModelDamagedError(N_("The model file {path} is not SFace."), path=model_path)
        self.digest = digest_files([model_path])
        self._model: OnnxRunner | None = open_onnx(model_path, threads=threads, execution=execution or Execution())

    def embed(self, crops_bgr: list[ImageBGR]) -> FloatArray:
        """Embed aligned crops; see :class:`.base.Embedder`."""
        return embed_checked(
            self.name, crops_bgr, shape=crop_shape(self.template), dimension=self.dimension, run=self._run
        )

    @property
    def runs_on(self) -> RunsOn:
        """What really executes it."""
        assert self._model is not None
        return self._model.runs_on

    def close(self) -> None:
        """Release the model."""
        self._model = None

    def _run(self, crops_bgr: list[ImageBGR]) -> NDArray[np.float32]:
        assert self._model is not None, "the embedder was closed"
        blobs = (np.asarray(cv2.dnn.blobFromImage(crop, swapRB=True), dtype=np.float32) for crop in crops_bgr)
        return np.concatenate([self._model.run(blob)[0] for blob in blobs])

"""ArcFace networks of InsightFace's packs, or of one's own.

Deng et al., "ArcFace: additive angular margin loss for deep face recognition", CVPR 2019.
"""

from __future__ import annotations

from dataclasses import replace
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
from ..packs import is_arcface
from ..runtime import RunsOn, digest_files
from .batches import embed_checked

FIRST_NODES = 8
"""A model that brings its own normalisation subtracts and multiplies within so many nodes."""


class ArcfaceEmbedder:
    """See the module.

    Crops go through the network together where it takes any number (with two threads that saves a quarter of the time),
    but one by one where it computes with integers: those are scaled by what the whole batch contains, so that a face's
    embedding would depend on its neighbours (cosine 0.987 measured).

    Args:
        model_path: An ONNX file, (N, 3, 112, 112) RGB -> (N, D).
        threads: Of the model; 0 for a sensible number.
        execution: What it runs on.

    Raises:
        ModelDamagedError: The file is no such model.
    """

    name: ClassVar[str] = "arcface"
    template: ClassVar[AlignmentTemplate] = ARCFACE_112

    def __init__(self, model_path: Path, *, threads: int = 0, execution: Execution | None = None) -> None:
        model = read_onnx(model_path)
        if not is_arcface(model):
            raise ModelDamagedError(N_("The model file {path} is no ArcFace network."), path=model_path)
        self.dimension = int(model.outputs[0][1] or 0)
        self.digest = digest_files([model_path])
        self._quantised = model.quantised
        self._one_by_one = model.quantised or model.inputs[0][0] is not None
        normalises_itself = {"Sub", "Mul"} <= set(model.operators[:FIRST_NODES])
        self._mean, self._scale = (0.0, 1.0) if normalises_itself else (127.5, 1 / 127.5)
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
        return replace(self._model.runs_on, precision="int8") if self._quantised else self._model.runs_on

    def close(self) -> None:
        """Release the model."""
        self._model = None

    def _run(self, crops_bgr: list[ImageBGR]) -> NDArray[np.float32]:
        mean = (self._mean, self._mean, self._mean)
        blob = np.asarray(cv2.dnn.blobFromImages(crops_bgr, self._scale, mean=mean, swapRB=True), dtype=np.float32)
        batches = np.split(blob, len(blob)) if self._one_by_one else [blob]
        assert self._model is not None, "the embedder was closed"
        return np.concatenate([self._model.run(batch)[0] for batch in batches])

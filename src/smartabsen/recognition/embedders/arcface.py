"""ArcFace networks of InsightFace's packs, or of one's own, run by ONNX Runtime.

Deng et al., "ArcFace: additive angular margin loss for deep face recognition", CVPR 2019.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ...domain import FloatArray, ImageBGR
from ...errors import ModelDamagedError
from ...i18n import N_
from ..alignment import ARCFACE_112, AlignmentTemplate
from ..onnx_file import read_onnx
from ..packs import is_arcface
from ..runtime import digest_files, load_onnx
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
        threads: Of the session; 0 for a sensible number.

    Raises:
        ModelDamagedError: The file is no such model.
    """

    name: ClassVar[str] = "arcface"
    template: ClassVar[AlignmentTemplate] = ARCFACE_112

    def __init__(self, model_path: Path, *, threads: int = 0) -> None:
        model = read_onnx(model_path)
        if not is_arcface(model):
            raise ModelDamagedError(N_("The model file {path} is no ArcFace network."), path=model_path)
        self.dimension = int(model.outputs[0][1] or 0)
        self.digest = digest_files([model_path])
        self._one_by_one = model.quantised or model.inputs[0][0] is not None
        normalises_itself = {"Sub", "Mul"} <= set(model.operators[:FIRST_NODES])
        self._mean, self._scale = (0.0, 1.0) if normalises_itself else (127.5, 1 / 127.5)
        self._session: Any = load_onnx(model_path, threads=threads)
        self._input = self._session.get_inputs()[0].name

    def embed(self, crops_bgr: list[ImageBGR]) -> FloatArray:
        """Embed aligned crops; see :class:`.base.Embedder`."""
        return embed_checked(self.name, crops_bgr, size=self.template.size, dimension=self.dimension, run=self._run)

    def close(self) -> None:
        """Release the model."""
        self._session = None

    def _run(self, crops_bgr: list[ImageBGR]) -> NDArray[np.float32]:
        mean = (self._mean, self._mean, self._mean)
        blob = cv2.dnn.blobFromImages(crops_bgr, self._scale, mean=mean, swapRB=True)
        batches = np.split(blob, len(blob)) if self._one_by_one else [blob]
        return np.concatenate([self._session.run(None, {self._input: batch})[0] for batch in batches])

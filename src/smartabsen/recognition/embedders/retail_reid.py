"""Intel's face-reidentification-retail-0095, run by OpenVINO.

From the Open Model Zoo under Apache-2.0. It takes BGR values of 0 to 255 (the normalisation is part of the graph) and
one face at a time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import FloatArray, ImageBGR
from ..alignment import RETAIL_128, AlignmentTemplate, crop_shape
from ..runtime import digest_files, find_openvino_facts, load_openvino
from .batches import embed_checked


class RetailReidEmbedder:
    """See the module.

    Args:
        model_path: ``face-reidentification-retail-0095.xml``, its ``.bin`` beside it.
        threads: 0 for a sensible number.
        exact: Compute in single precision; see :func:`..runtime.load_openvino`.

    Raises:
        MissingDependencyError: The package ``openvino`` is not installed.
        ModelDamagedError: The files are no such model.
    """

    name: ClassVar[str] = "retail_reid"
    dimension: ClassVar[int] = 256
    template: ClassVar[AlignmentTemplate] = RETAIL_128

    def __init__(self, model_path: Path, *, threads: int = 0, exact: bool = True) -> None:
        self.digest = digest_files([model_path, model_path.with_suffix(".bin")])
        self._model: Any = load_openvino(model_path, threads=threads, exact=exact)
        self.runs_on = find_openvino_facts(self._model)

    def embed(self, crops_bgr: list[ImageBGR]) -> FloatArray:
        """Embed aligned crops; see :class:`.base.Embedder`."""
        return embed_checked(
            self.name, crops_bgr, shape=crop_shape(self.template), dimension=self.dimension, run=self._run
        )

    def close(self) -> None:
        """Release the model."""
        self._model = None

    def _run(self, crops_bgr: list[ImageBGR]) -> NDArray[np.float32]:
        return np.stack([self._run_one(crop) for crop in crops_bgr])

    def _run_one(self, crop_bgr: ImageBGR) -> NDArray[np.float32]:
        result = self._model.infer({0: np.ascontiguousarray(crop_bgr)[None]}, share_inputs=True)
        return np.array(next(iter(result.values())), dtype=np.float32).reshape(-1)

"""The liveness model of InsightFace's add-ons, by its own adapter (``insightface.addons.Liveness``).

It looks at the face alone, aligned by five landmarks to 80 x 80 pixels. Its file is placed by hand or pulled; like all
models that InsightFace offers, it is for non-commercial research only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from ...kernel.domain import Face, ImageBGR, LandmarkScheme
from ...kernel.errors import ModelError
from ...kernel.i18n import N_
from ..runtime import check_image, digest_files, load_onnx, loading, running
from .base import ModelScore, PassiveScore, average


class InsightfaceLiveness:
    """See the module.

    Args:
        model_path: ``liveness.onnx``.
        threads: 0 for a sensible number.

    Raises:
        ModelDamagedError: The file is no such model.
    """

    name: ClassVar[str] = "insightface"
    threshold: ClassVar[float] = 0.8
    unsure_from: ClassVar[float] = 0.8
    sure_from: ClassVar[float] = 0.8
    """Its scores were never measured here: no span of doubt is known."""

    def __init__(self, model_path: Path, *, threads: int = 0) -> None:
        self.digest = digest_files([model_path])
        self._file_name = model_path.name
        session = load_onnx(model_path, threads=threads)
        with loading(model_path):
            from insightface.addons import Liveness

            self._model: Any = Liveness(model_path, session=session)

    def score(self, image_bgr: ImageBGR, face: Face) -> PassiveScore:
        """Judge a face; see :class:`.base.PassiveLiveness`."""
        check_image(image_bgr)
        if face.scheme is not LandmarkScheme.ARCFACE5:
            raise ModelError(
                N_("The liveness model {name} needs a detector that finds eyes, nose and mouth: {detectors}."),
                name=self.name,
                detectors="scrfd, yunet, retail",
            )
        with running(self.name):
            answer = self._model.predict(image_bgr, face.landmarks_xy)
        if answer["live_score"] is None:
            return PassiveScore(None)
        return average(self.name, (ModelScore(self._file_name, self.digest, float(answer["live_score"])),))

    def close(self) -> None:
        """Release the model."""
        self._model = None

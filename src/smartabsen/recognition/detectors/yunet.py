"""YuNet as a detector; see :mod:`.yunet_network`. Weights from OpenCV's model zoo under the MIT licence."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from ...kernel.domain import ImageBGR, LandmarkScheme
from ..runtime import RunsOn
from .framing import Candidates, FramedDetector
from .yunet_network import YunetNetwork


class YunetDetector(FramedDetector):
    """See the module.

    Args:
        model_path: ``face_detection_yunet_2023mar.onnx``.
        max_side_px: Longer side of the copy that is searched.
        score_threshold: 0..1.
        threads: Of the model; 0 for a sensible number.

    Raises:
        ModelDamagedError: The file is no such model.
    """

    SCORE: ClassVar[float] = 0.6
    name = "yunet"
    runs_on = RunsOn("onnxruntime", "cpu", "f32")
    scheme = LandmarkScheme.ARCFACE5

    def __init__(
        self,
        model_path: Path,
        *,
        max_side_px: int | None = None,
        score_threshold: float | None = None,
        threads: int = 0,
    ) -> None:
        super().__init__(max_side_px=max_side_px, score_threshold=score_threshold)
        self._network: YunetNetwork | None = YunetNetwork(model_path, threads=threads)

    def close(self) -> None:
        self._network = None

    def _search(self, image_bgr: ImageBGR) -> Candidates:
        assert self._network is not None, "the detector was closed"
        return self._network.find(image_bgr, score_threshold=self.score_threshold)

"""MiniFASNet of Silent-Face-Anti-Spoofing, run by ONNX Runtime.

Minivision, "Silent-Face-Anti-Spoofing", 2020, Apache-2.0: small networks that were trained with the Fourier spectrum as
a second target, each on crops of its own scale. One or both of them work; their mean decides.

Each runs on one thread: with crops so small a second one gains nothing (4.2 ms with one and with two).

They take BGR values of 0 to 255 as they are: divided by 255, as networks mostly want them, every person is called fake.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import Face, ImageBGR
from ...kernel.errors import ModelDamagedError
from ...kernel.i18n import N_
from ..runtime import check_image, digest_files, load_onnx, running
from .base import ModelScore, PassiveScore, average
from .crops import cut_around

SCALES: Final = {"MiniFASNetV2": 2.7, "MiniFASNetV1SE": 4.0}
"""The end of a file's name without suffix, and how much around the face that network was trained on."""
SIZE_PX: Final = 80
LIVE_CLASS: Final = 1
"""Of three: the others are prints and screens."""


class MinifasnetLiveness:
    """See the module.

    Args:
        model_paths: One or two ONNX files, whose names end as in :data:`SCALES`.
        threads: Of each model; 0 for one.

    Raises:
        ModelDamagedError: A file is no such model.
    """

    name: ClassVar[str] = "minifasnet"
    threshold: ClassVar[float] = 0.5
    unsure_from: ClassVar[float] = 0.4
    sure_from: ClassVar[float] = 0.7
    """Chosen on every second press photo of LFW, one film and two attacks; see docs/liveness.md."""

    def __init__(self, *model_paths: Path, threads: int = 0) -> None:
        self.digest = digest_files(model_paths)
        self._models = [
            (path.name, digest_files([path]), get_scale(path), _load(path, threads)) for path in model_paths
        ]

    def score(self, image_bgr: ImageBGR, face: Face) -> PassiveScore:
        """Judge a face; see :class:`.base.PassiveLiveness`."""
        check_image(image_bgr)
        with running(self.name):
            models = tuple(
                ModelScore(name, digest, _run(session, cut_around(image_bgr, face.box_xyxy, scale=scale)))
                for name, digest, scale, session in self._models
            )
        return average(self.name, models)

    def close(self) -> None:
        """Release the models."""
        self._models = []


def get_scale(path: Path) -> float:
    """Return the scale of the crops of a model, by the name of its file.

    Raises:
        ModelDamagedError: The name is none of those that are known.
    """
    for ending, scale in SCALES.items():
        if path.stem.endswith(ending):
            return scale
    raise ModelDamagedError(
        N_("The file {path} is none of the known liveness models: its name must end with {known}."),
        path=path,
        known=", ".join(f"{ending}.onnx" for ending in SCALES),
    )


def _load(path: Path, threads: int) -> Any:
    session = load_onnx(path, threads=threads or 1)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if [list(each.shape[1:]) for each in inputs] != [[3, SIZE_PX, SIZE_PX]] or len(outputs) != 1:
        raise ModelDamagedError(
            N_("The model file {path} cannot be read as a model: {problem}"),
            path=path,
            problem=f"it takes no (1, 3, {SIZE_PX}, {SIZE_PX})",
        )
    return session


def _run(session: Any, crop_bgr: ImageBGR) -> float:
    small = cv2.resize(crop_bgr, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_LINEAR)
    planes = np.ascontiguousarray(small.transpose(2, 0, 1)[None], dtype=np.float32)
    raw = np.asarray(session.run(None, {session.get_inputs()[0].name: planes})[0], dtype=np.float64).reshape(-1)
    return float(_probabilities(raw)[LIVE_CLASS])


def _probabilities(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the softmax. Some conversions of these networks to ONNX have it as their last layer."""
    if raw.min() >= 0.0 and abs(raw.sum() - 1.0) < 1e-4:
        return raw
    powers = np.exp(raw - raw.max())
    return np.asarray(powers / powers.sum())

"""A reference for drawn faces: whoever stands before a wall of one colour is alive, a photo has a frame.

It goes with :mod:`smartabsen.recognition.detectors.fake`. The picture around the face decides, as it does for real
models: white borders, as of a print, make an attack.
"""

from __future__ import annotations

import hashlib
from typing import ClassVar, Final

import numpy as np

from ...kernel.domain import Face, ImageBGR
from ..runtime import check_image, running
from .base import ModelScore, PassiveScore, average
from .crops import cut_around

_SCALE: Final = 2.0
_WHITE: Final = 240


class FakeLiveness:
    """See the module."""

    name: ClassVar[str] = "fake"
    digest: ClassVar[str] = hashlib.sha256(b"fake liveness").hexdigest()
    threshold: ClassVar[float] = 0.5
    unsure_from: ClassVar[float] = 0.4
    sure_from: ClassVar[float] = 0.6

    def __init__(self, *, threads: int = 0) -> None:
        """Take the argument that every backend takes; nothing here has threads."""

    def score(self, image_bgr: ImageBGR, face: Face) -> PassiveScore:
        """Judge a drawn face; see :class:`.base.PassiveLiveness`."""
        check_image(image_bgr)
        with running(self.name):
            crop = cut_around(image_bgr, face.box_xyxy, scale=_SCALE)
            border = np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])
            white = float((border.min(axis=1) >= _WHITE).mean())
        return average(self.name, (ModelScore("fake", self.digest, 1.0 - white),))

    def close(self) -> None:
        """Release nothing."""

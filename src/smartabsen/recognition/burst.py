"""A few frames taken one after the other: whether they can come from a camera that looks at somebody alive.

This refuses the simplest deceit only, a picture sent again and again; prints and screens are for the
liveness checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from ..kernel.domain import FloatArray, ImageBGR

MIN_MOTION: Final = 4.5
"""Grey levels. A still picture encoded anew gives up to 3.1 and one with the noise of a camera in the dark 5, so it may
pass in the dark; a picture that moves by one pixel of 640 gives 8 in the dark and 12 or more in light."""
_SIDE_PX: Final = 160
_PERCENTILE: Final = 99.0


def measure_motion(images_bgr: Sequence[ImageBGR]) -> float:
    """Return how much the frames differ from the first: grey levels that the most changed hundredth reaches.

    Both are reduced to a longer side of 160 pixels, which takes out noise and the traces of compression, and a change
    of the light as a whole does not count.

    Args:
        images_bgr: uint8 (H, W, 3) each. Frames of unequal sizes are no burst: infinity would be a lie, so they give 0.
    """
    if len(images_bgr) < 2 or len({image.shape for image in images_bgr}) > 1:
        return 0.0
    first, *others = (_reduced(image) for image in images_bgr)
    return max(_difference(first, other) for other in others)


def _reduced(image_bgr: ImageBGR) -> FloatArray:
    height, width = image_bgr.shape[:2]
    scale = min(1.0, _SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def _difference(first: FloatArray, other: FloatArray) -> float:
    change = other - first
    return float(np.percentile(np.abs(change - change.mean()), _PERCENTILE))

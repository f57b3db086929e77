"""Whether a picture in which no face is found is too dark or too bright to find one."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from ..kernel.domain import ImageBGR, Outcome
from .recognizer import Recognizer

DARK: Final = 40.0
"""Mean luma below which a picture without a face is tried again in better light."""
BRIGHT: Final = 200.0
_NOTHING: Final = 12.0
"""Mean luma of a picture that shows nothing at all: a covered lens, a photo taken in the dark."""
_TOO_MUCH: Final = 243.0
_MIDDLE: Final = 110.0


def find_light(recognizer: Recognizer, image_bgr: ImageBGR) -> Outcome | None:
    """Return TOO_DARK or TOO_BRIGHT where it is the light that hides a face, else None.

    The picture is searched again as it would look in a middle light. One that is all but black or white is called so
    without a face: no other advice helps there.

    Args:
        image_bgr: uint8 (H, W, 3), in which no face was found.
    """
    luma = float(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY).mean())
    if DARK <= luma <= BRIGHT:
        return None
    outcome = Outcome.TOO_DARK if luma < DARK else Outcome.TOO_BRIGHT
    if not _NOTHING <= luma <= _TOO_MUCH or recognizer.find(_in_middle_light(image_bgr, luma)):
        return outcome
    return None


def _in_middle_light(image_bgr: ImageBGR, luma: float) -> ImageBGR:
    # The exponent that brings the mean luma to the middle.
    exponent = np.log(_MIDDLE / 255) / np.log(luma / 255)
    table = np.round(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    return np.asarray(cv2.LUT(image_bgr, table), dtype=np.uint8)

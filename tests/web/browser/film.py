"""Films for a browser's fake camera: a face that moves as people do before a laptop."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from smartabsen.kernel.domain import ImageBGR

FRAMES = 45
SIZE = (640, 480)


def write_film(path: Path, portrait_bgr: ImageBGR, *, face_share: float = 1.0) -> Path:
    """Write a film (MJPEG: JPEG files one after the other, which Chromium plays in a circle).

    Args:
        portrait_bgr: Head and shoulders, uint8 (H, W, 3).
        face_share: Height of the portrait as a share of the film's.
    """
    width, height = SIZE
    scale = face_share * height / portrait_bgr.shape[0]
    person = cv2.resize(portrait_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(5)
    with path.open("wb") as file:
        for number in range(FRAMES):
            turn = 2 * math.pi * number / FRAMES
            left = (width - person.shape[1]) / 2 + 14 * math.sin(turn)
            top = (height - person.shape[0]) / 2 + 6 * math.sin(2 * turn)
            place = np.array([[1.0, 0.0, left], [0.0, 1.0, top]])
            frame = cv2.warpAffine(person, place, SIZE, borderMode=cv2.BORDER_CONSTANT, borderValue=(178, 174, 170))
            noisy = frame.astype(np.float32) + rng.normal(0, 1.5, frame.shape)
            done, encoded = cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8))
            assert done
            file.write(encoded.tobytes())
    return path

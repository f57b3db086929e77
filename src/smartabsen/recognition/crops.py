"""Faces cut out of photos with room around them: small enough to keep, large enough for every engine to start anew."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from ..kernel.domain import BoxXYXY, Face, FaceCrop, ImageBGR
from ..kernel.errors import ModelDamagedError
from ..kernel.i18n import N_
from .detectors.base import Detector
from .images import ImageRefusal, decode_image

CROP_PX: Final = 256
"""Longer side of a crop. With :data:`REACH` the eyes are then about 55 pixels apart, what the largest alignment (dlib's
150 x 150) needs; a smaller face is kept as it is."""
REACH: Final = 2.0
"""Side of the crop in sides of the face box: detectors need what is around a face, and disagree about its box."""
_JPEG_QUALITY: Final = 95
_SAME_FACE: Final = 0.3
"""Overlap (intersection over union) from which what a detector finds in a crop is the face that it was made for."""


def cut_crop(image_bgr: ImageBGR, face: Face) -> FaceCrop:
    """Cut a face out of a photo.

    Args:
        image_bgr: uint8 (H, W, 3).
        face: As it was detected in that image.
    """
    height, width = image_bgr.shape[:2]
    left, top, right, bottom = face.box_xyxy
    half = REACH * max(right - left, bottom - top) / 2
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    x0, y0 = max(0, int(middle_x - half)), max(0, int(middle_y - half))
    x1, y1 = min(width, int(middle_x + half) + 1), min(height, int(middle_y + half) + 1)
    part = image_bgr[y0:y1, x0:x1]
    scale = min(1.0, CROP_PX / max(part.shape[:2]))
    if scale < 1.0:
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    _done, encoded = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    # A pixel's centre is at (x + 0.5): without that, a crop reduced by 8 shifts its landmarks by almost half a pixel.
    landmarks = (np.asarray(face.landmarks_xy, dtype=np.float64) + 0.5 - [x0, y0]) * scale - 0.5
    return FaceCrop(
        picture=encoded.tobytes(),
        box_xyxy=((left - x0) * scale, (top - y0) * scale, (right - x0) * scale, (bottom - y0) * scale),
        landmarks_xy=landmarks.astype(np.float32),
        scheme=face.scheme,
        score=face.score,
    )


def read_crop(crop: FaceCrop, detector: Detector) -> tuple[ImageBGR, Face]:
    """Return the pixels of a crop and the face in them: as ``detector`` finds it, or as it was found at enrolment.

    The detector of the engine that is to use it gives the landmarks that the engine was measured with.

    Raises:
        ModelDamagedError: The picture cannot be decoded.
    """
    picture = decode_image(crop.picture)
    if isinstance(picture, ImageRefusal):
        raise ModelDamagedError(N_("A kept face cannot be read as a picture."))
    kept = Face(crop.box_xyxy, crop.score, crop.landmarks_xy, crop.scheme)
    found = [(_overlap(face.box_xyxy, crop.box_xyxy), face) for face in detector.detect(picture.image_bgr)]
    overlap, best = max(found, key=lambda one: one[0], default=(0.0, kept))
    return picture.image_bgr, best if overlap >= _SAME_FACE else kept


def _overlap(one: BoxXYXY, other: BoxXYXY) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return common / (sum(areas) - common)

"""The part of a frame around a face that a liveness model looks at."""

from __future__ import annotations

from ...kernel.domain import BoxXYXY, ImageBGR


def cut_around(image_bgr: ImageBGR, box_xyxy: BoxXYXY, *, scale: float) -> ImageBGR:
    """Cut out a box that is ``scale`` times as wide and high as the face, with the same centre where it fits.

    The rule of Silent-Face-Anti-Spoofing (Minivision, 2020; ``CropImage`` in its sources), which its models were
    trained with: the factor shrinks until the box is no larger than the frame, then the box is pushed inside. So the
    models always see pixels of the camera, never a made-up border.

    Args:
        image_bgr: uint8 (H, W, 3).
        box_xyxy: The face.
        scale: 2.7 and 4.0 for the models of Silent-Face.

    Returns:
        A view of the frame, at least one pixel wide and high.
    """
    height, width = image_bgr.shape[:2]
    left, top, right, bottom = box_xyxy
    face_width, face_height = max(right - left, 1.0), max(bottom - top, 1.0)
    scale = min((height - 1) / face_height, (width - 1) / face_width, scale)
    first_x, last_x = _push_inside((left + right) / 2, face_width * scale, width)
    first_y, last_y = _push_inside((top + bottom) / 2, face_height * scale, height)
    return image_bgr[first_y : last_y + 1, first_x : last_x + 1]


def _push_inside(centre: float, size: float, room: int) -> tuple[int, int]:
    """Return the first and the last pixel of a stretch of ``size`` around ``centre`` that lies within ``room``."""
    first, last = centre - size / 2, centre + size / 2
    if first < 0.0:
        first, last = 0.0, last - first
    if last > room - 1:
        first, last = first - (last - room + 1), room - 1.0
    return max(0, int(first)), min(room - 1, int(last))

"""How good the picture of a face is, and whether it is good enough to be compared.

Light and sharpness are measured on the aligned crop, brought to one distance between the eyes, so that one limit
holds for a passport photo and a webcam, and for every engine. ``bench/quality.py`` shows where the limits come from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from ..kernel.domain import Face, ImageBGR, LandmarkScheme, Measured, Outcome, Quality
from .alignment import AlignmentTemplate

_SIDE: Final = 60
"""Faces are measured at this size; the distance between the eyes is then 32 pixels."""
_REACH: Final = (0.95, 0.5, 1.4)
"""What is measured, from the middle between the eyes: to the sides, upwards and downwards, in eye distances. That
is brows to chin, without hair and background."""
_BROW: Final = (0.2, 0.35, 0.2)
"""The middle of the brow and the bridge of the nose, likewise from the middle between the eyes."""
_MOUTH: Final = (0.5, 0.3, 0.35)
"""Mouth and chin, likewise from the middle of the mouth."""
COVERED_APART: Final = 16.0
"""Distance of the median colours of mouth and brow (a, b of CIE Lab) from which something seems to cover the mouth. Of
1,661 press photos about 1 % reach it, of masked faces 95 to 98 %: ``bench/occlusion.py --hints``."""
_MID_LUMA: Final = 128.0
_SECOND_DERIVATIVES: Final = tuple(
    np.array(kernel, dtype=np.float32)
    for kernel in (
        [[0, 0, 0], [1, -2, 1], [0, 0, 0]],
        [[0, 1, 0], [0, -2, 0], [0, 1, 0]],
        [[0.5, 0, 0], [0, -1, 0], [0, 0, 0.5]],
        [[0, 0, 0.5], [0, -1, 0], [0.5, 0, 0]],
    )
)
_NOSE_DEPTH: Final = {LandmarkScheme.ARCFACE5: 0.53, LandmarkScheme.DLIB5: 0.375}
"""How far the point of the nose stands before the plane of the eyes, in eye distances: tip and base of a mean head.
Their ratio, 0.71, is also the slope between both measures over photos of turned heads (0.70)."""


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """What a face must be like to be compared; a face that is just at a limit passes.

    Attributes:
        min_face_px: Shorter side of the face box in pixels.
        min_brightness, max_brightness: Mean luma, 0..255.
        min_sharpness: See :func:`measure_quality`.
        max_yaw: Turn of the head to either side: the sine of the angle.
    """

    min_face_px: float
    min_brightness: float
    max_brightness: float
    min_sharpness: float
    max_yaw: float

    def with_least(self, *, min_face_px: float, min_sharpness: float) -> QualityLimits:
        """Return the same limits with another smallest face and another least sharpness."""
        return replace(self, min_face_px=min_face_px, min_sharpness=min_sharpness)

    def with_turn(self, max_turn_deg: float | None) -> QualityLimits:
        """Return the same limits with another largest turn of the head, in degrees; the same one for None."""
        return self if max_turn_deg is None else replace(self, max_yaw=math.sin(math.radians(max_turn_deg)))


ENROLMENT_LIMITS: Final = QualityLimits(
    min_face_px=60.0, min_brightness=40.0, max_brightness=215.0, min_sharpness=8.0, max_yaw=0.7
)
"""For photos that become templates: every later decision rests on them. Of 2,451 press photos as they are, less than
1 % is refused; of those blurred by sigma 3 pixels more than 95 %."""
NO_LIMITS: Final = QualityLimits(
    min_face_px=0.0, min_brightness=0.0, max_brightness=255.0, min_sharpness=0.0, max_yaw=1.0
)
"""For faces that were judged before."""
PROBE_LIMITS: Final = QualityLimits(
    min_face_px=60.0, min_brightness=20.0, max_brightness=225.0, min_sharpness=4.0, max_yaw=0.75
)
"""For faces at a kiosk: more frames follow, and the decision has a threshold of its own. Engines have a least sharpness
of their own (:class:`.engine_specs.EngineSpec`), where they begin to err."""


def measure_quality(face: Face, crop_bgr: ImageBGR, template: AlignmentTemplate) -> Quality:
    """Measure a face.

    Sharpness is the variance of the second derivative in the direction in which it is least (of four), after the
    luma was scaled to a mean of 128. The usual variance of the Laplacian adds all directions up, and so passes half
    of the faces that moved; and it calls a dark face blurred.

    Args:
        face: As it was detected.
        crop_bgr: uint8 (size, size, 3), the face aligned to ``template``.
        template: Says where the eyes are in the crop.
    """
    rows, columns = _face_of(template)
    luma = cv2.cvtColor(crop_bgr[rows, columns], cv2.COLOR_BGR2GRAY)
    shrinks = luma.shape[0] >= _SIDE
    luma = cv2.resize(luma, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    brightness = float(luma.mean())
    weakest = min(
        float(cv2.meanStdDev(cv2.filter2D(luma, cv2.CV_32F, kernel)[1:-1, 1:-1])[1][0, 0])
        for kernel in _SECOND_DERIVATIVES
    )
    return Quality(
        face_px=face.size_px,
        brightness=brightness,
        sharpness=(weakest * _MID_LUMA / max(brightness, 1.0)) ** 2,
        yaw=_measure_turn(face),
        detection_score=face.score,
        covered=measure_colour_apart(crop_bgr, template) >= COVERED_APART,
    )


def measure_colour_apart(crop_bgr: ImageBGR, template: AlignmentTemplate) -> float:
    """Return how far the colour of mouth and chin is from that of the brow, in a and b of CIE Lab; 0 in grey pictures.

    Args:
        crop_bgr: uint8 (size, size, 3), the face aligned to ``template``.
        template: Says where eyes and mouth are in the crop.
    """
    (brow_a, brow_b), (mouth_a, mouth_b) = (_median_colour(crop_bgr[part]) for part in _brow_and_mouth(template))
    return math.hypot(brow_a - mouth_a, brow_b - mouth_b)


def _median_colour(part_bgr: ImageBGR) -> tuple[float, float]:
    """Return the medians of a and b of CIE Lab."""
    lab = cv2.cvtColor(part_bgr.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    # np.median does the same in three times the time.
    ordered = np.sort(lab.reshape(-1, 3)[:, 1:], axis=0)
    a, b = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return float(a), float(b)


def judge(quality: Quality, limits: QualityLimits) -> Outcome | None:
    """Return why a face is not good enough, or None.

    One reason is given, the first of this order: too_small, too_dark, too_bright, blurred, turned_away. Who comes
    nearer and into the light is also sharper, so what a person must mend first is said first.
    """
    measures = (quality.face_px, quality.brightness, quality.sharpness, quality.yaw)
    if not all(math.isfinite(measure) for measure in measures):
        # No comparison with NaN is true: it would be within all limits.
        return Outcome.UNREADABLE
    if quality.face_px < limits.min_face_px:
        return Outcome.TOO_SMALL
    if quality.brightness < limits.min_brightness:
        return Outcome.TOO_DARK
    if quality.brightness > limits.max_brightness:
        return Outcome.TOO_BRIGHT
    if quality.sharpness < limits.min_sharpness:
        return Outcome.BLURRED
    if abs(quality.yaw) > limits.max_yaw:
        return Outcome.TURNED_AWAY
    return None


def find_measured(refusal: Outcome, quality: Quality, limits: QualityLimits) -> Measured | None:
    """Return the measure that a refusal of :func:`judge` rests on and its limit; None for other refusals."""
    found = {
        Outcome.TOO_SMALL: (quality.face_px, limits.min_face_px),
        Outcome.TOO_DARK: (quality.brightness, limits.min_brightness),
        Outcome.TOO_BRIGHT: (quality.brightness, limits.max_brightness),
        Outcome.BLURRED: (quality.sharpness, limits.min_sharpness),
        Outcome.TURNED_AWAY: (abs(quality.yaw), limits.max_yaw),
    }.get(refusal)
    return None if found is None else Measured(float(found[0]), float(found[1]))


@lru_cache(maxsize=16)
def _face_of(template: AlignmentTemplate) -> tuple[slice, slice]:
    """Return the rows and columns of a crop that are measured."""
    return _around(template, _middle(*template.arcface5_xy[:2]), _REACH)


@lru_cache(maxsize=16)
def _brow_and_mouth(template: AlignmentTemplate) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    eyes, mouth = _middle(*template.arcface5_xy[:2]), _middle(*template.arcface5_xy[3:5])
    return _around(template, eyes, _BROW), _around(template, mouth, _MOUTH)


def _around(
    template: AlignmentTemplate, middle_xy: tuple[float, float], reach: tuple[float, float, float]
) -> tuple[slice, slice]:
    (left_x, _), (right_x, _) = template.arcface5_xy[:2]
    side, up, down = (part * (right_x - left_x) for part in reach)

    def inside(start: float, stop: float) -> slice:
        return slice(max(0, round(start)), min(template.size, round(stop)))

    x, y = middle_xy
    return inside(y - up, y + down), inside(x - side, x + side)


def _measure_turn(face: Face) -> float:
    """Return the sine of the yaw, positive towards the right of the image.

    The nose stands before the plane of the eyes. A turn by an angle moves it to the side by its depth x sine and
    brings the eyes together by the cosine: the ratio of the two gives the tangent.
    """
    points = np.asarray(face.landmarks_xy, dtype=np.float64).tolist()
    if face.scheme is LandmarkScheme.DLIB5:
        # Two corners of each eye.
        eyes = [_middle(points[0], points[1]), _middle(points[2], points[3])]
        nose_x, nose_y = points[4]
    else:
        eyes = points[:2]
        nose_x, nose_y = points[2]
    (left_x, left_y), (right_x, right_y) = sorted(eyes)
    across_x, across_y = right_x - left_x, right_y - left_y
    middle_x, middle_y = _middle((left_x, left_y), (right_x, right_y))
    if across_x == across_y == 0.0:
        return math.copysign(1.0, nose_x - middle_x)
    sideways = (nose_x - middle_x) * across_x + (nose_y - middle_y) * across_y
    turn = math.atan2(sideways, _NOSE_DEPTH[face.scheme] * (across_x**2 + across_y**2))
    return math.sin(turn)


def _middle(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    return (first[0] + second[0]) / 2, (first[1] + second[1]) / 2

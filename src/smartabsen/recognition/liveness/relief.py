"""Whether what moved between two pictures of a face is a relief with a nose, or a sheet of paper.

When a head turns, the tip of the nose moves against the cheeks: it stands out from them. On a photo, however it is
moved, turned or bent, nothing stands out. So the movement of the inner face from one picture to the other is measured
densely (optical flow) and explained twice:

- by everything that a sheet can do: a polynomial in the place, which covers a plane seen in perspective and a sheet
  that is bent in any direction, and kinks along and across the face, which cover folds and any other profile;
- by that and a *nose*: a wedge from between the eyes to the tip, limited to its sides and below.

The factor of the wedge is the parallax of the nose in eye distances: its height times the sine of the turn for a head,
and about nothing for a sheet, because no sheet of paper has a bump that ends on all four sides. A mask does.

Pure: arrays in, numbers out. The flow is that of Kroeger et al., "Fast optical flow using dense inverse search",
ECCV 2016.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import Face, ImageBGR, LandmarkScheme

EYE_PX: Final = 44.0
"""Distance of the eyes in a view."""
SIZE_PX: Final = 144
_EYES_XY: Final = (SIZE_PX / 2, 50.0)
_NOSE_BASE_BELOW_TIP: Final = 0.12
"""dlib's point of the nose is its base, so far below the tip in eye distances."""
_FIELD: Final = (1.0, 1.15, 0.45)
"""Half axes of the ellipse that is looked at, and how far its centre is below the eyes; in eye distances."""
_FOLDS_X: Final = (-0.5, -0.3, -0.15, 0.0, 0.15, 0.3, 0.5)
_FOLDS_Y: Final = (-0.1, 0.15, 0.35, 0.5, 0.65, 0.85, 1.1)
"""Where a sheet may be folded along or across the face; together they make any profile in one direction."""
_CONSISTENT_PX: Final = 1.5
"""There and back again, the flow must end within so many pixels of where it began."""
_FULL_TEXTURE: Final = 6.0
"""Gradient in grey levels per pixel from which a pixel counts fully: bare skin tells little of its movement."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FaceView:
    """A face brought to one place and size by its eyes.

    Attributes:
        grey: uint8 (SIZE_PX, SIZE_PX).
        nose_xy: Tip of the nose from the middle between the eyes, in eye distances; x to the right of the image, y
            down, both along the axes of the face.
        eye_px: Distance of the eyes in the image.
    """

    grey: NDArray[np.uint8]
    nose_xy: tuple[float, float]
    eye_px: float


@dataclass(frozen=True, slots=True)
class Relief:
    """What the movement between two views tells.

    Attributes:
        nose_xy: Parallax of the nose, in eye distances.
        consistency: Share of the texture whose flow leads back to where it came from, 0..1. A cut to another picture,
            or too large a turn, leaves little.
    """

    nose_xy: tuple[float, float]
    consistency: float


def view_face(image_bgr: ImageBGR, face: Face) -> FaceView | None:
    """Cut a face out of a frame for :func:`compare`; None where its eyes coincide."""
    left, right = find_eyes(face)
    across = complex(right[0] - left[0], right[1] - left[1])
    if not math.isfinite(abs(across)) or abs(across) < 1.0:
        return None
    factor = EYE_PX / across
    middle = complex(left[0] + right[0], left[1] + right[1]) / 2
    shift = complex(*_EYES_XY) - factor * middle
    matrix = np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])
    nose = complex(*_find_nose(face)) - middle
    nose_in_eyes = nose / across
    below = _NOSE_BASE_BELOW_TIP if face.scheme is LandmarkScheme.DLIB5 else 0.0
    return FaceView(
        grey=_cut(image_bgr, matrix, scale=abs(factor)),
        nose_xy=(nose_in_eyes.real, nose_in_eyes.imag - below),
        eye_px=abs(across),
    )


def find_eyes(face: Face) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the centres of the eyes in pixels: that at smaller x first."""
    points = [(float(x), float(y)) for x, y in face.landmarks_xy]
    if face.scheme is LandmarkScheme.DLIB5:
        corners = ((points[0], points[1]), (points[2], points[3]))
        eyes = [((first[0] + second[0]) / 2, (first[1] + second[1]) / 2) for first, second in corners]
    else:
        eyes = points[:2]
    left, right = sorted(eyes)
    return left, right


def compare(first: FaceView, second: FaceView) -> Relief:
    """Measure the parallax of the nose from one view to another.

    Turns of 5 to 15 degrees tell most; above, the nose hides what is behind it.
    """
    flow, consistent = _flow(first.grey, second.grey)
    inside, sheet = _sheet_basis()
    texture = _texture(first.grey)[inside]
    weight = texture * consistent[inside]
    # What a sheet can do is taken out of the nose by weighted least squares; what is left of it is compared with the
    # movement. By normal equations: a QR decomposition of so tall a matrix takes 25 ms where BLAS has threads.
    nose = _wedge(first.nose_xy)[inside]
    weighted = sheet * weight[:, None]
    # Where too little is consistent, there is more than one solution, and least squares takes one.
    nose = nose - sheet @ np.linalg.lstsq(weighted.T @ sheet, weighted.T @ nose, rcond=None)[0]
    strength = float((weight * nose) @ nose)
    moved = flow[inside] / EYE_PX
    parallax = (weight * nose) @ moved / strength if strength > 1e-6 else np.zeros(2)
    return Relief((float(parallax[0]), float(parallax[1])), float(weight.sum() / texture.sum()))


def _find_nose(face: Face) -> tuple[float, float]:
    x, y = face.landmarks_xy[4 if face.scheme is LandmarkScheme.DLIB5 else 2]
    return float(x), float(y)


def _cut(image_bgr: ImageBGR, matrix: Array, *, scale: float) -> NDArray[np.uint8]:
    """Warp the part of the image that the view shows; smoothed before it is reduced, so that no pixel is skipped."""
    corners = np.array([[0.0, 0.0, 1], [SIZE_PX, 0, 1], [0, SIZE_PX, 1], [SIZE_PX, SIZE_PX, 1]])
    places = corners @ cv2.invertAffineTransform(matrix).T
    height, width = image_bgr.shape[:2]
    left, top = np.clip(np.floor(places.min(axis=0)).astype(int) - 2, 0, [width - 1, height - 1])
    right, bottom = np.clip(np.ceil(places.max(axis=0)).astype(int) + 3, [left + 1, top + 1], [width, height])
    grey = cv2.cvtColor(image_bgr[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    if scale < 0.7:
        grey = cv2.GaussianBlur(grey, (0, 0), 0.4 / scale)
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ [left, top]
    view = cv2.warpAffine(grey, moved, (SIZE_PX, SIZE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(view, dtype=np.uint8)


def _flow(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> tuple[Array, NDArray[np.bool_]]:
    """Return the movement of each pixel, (SIZE_PX, SIZE_PX, 2), and where it leads back to its origin."""
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    forward = search.calc(first, second, None)
    backward = search.calc(second, first, None)
    rows, columns = np.mgrid[:SIZE_PX, :SIZE_PX].astype(np.float32)
    returned = cv2.remap(backward, columns + forward[..., 0], rows + forward[..., 1], cv2.INTER_LINEAR)
    missed = np.hypot(forward[..., 0] + returned[..., 0], forward[..., 1] + returned[..., 1])
    return np.asarray(forward, dtype=np.float64), np.asarray(missed < _CONSISTENT_PX)


def _texture(grey: NDArray[np.uint8]) -> Array:
    level = grey.astype(np.float32)
    gradient = cv2.magnitude(cv2.Sobel(level, -1, 1, 0, scale=0.125), cv2.Sobel(level, -1, 0, 1, scale=0.125))
    smooth = cv2.GaussianBlur(gradient, (0, 0), 2.0)
    return np.clip(smooth.astype(np.float64) / _FULL_TEXTURE, 0.05, 1.0)


@lru_cache(maxsize=1)
def _places() -> tuple[Array, Array]:
    """Return x and y of each pixel of a view, in eye distances from the middle between the eyes."""
    rows, columns = np.mgrid[:SIZE_PX, :SIZE_PX].astype(np.float64)
    return (columns - _EYES_XY[0]) / EYE_PX, (rows - _EYES_XY[1]) / EYE_PX


@lru_cache(maxsize=1)
def _sheet_basis() -> tuple[NDArray[np.bool_], Array]:
    """Return which pixels are looked at, and the movements of a sheet there, (pixels, 24)."""
    x, y = _places()
    inside = ((x / _FIELD[0]) ** 2 + ((y - _FIELD[2]) / _FIELD[1]) ** 2) < 1.0
    powers = [x**i * y**j for i in range(4) for j in range(4 - i)]
    folds = [np.abs(x - place) for place in _FOLDS_X] + [np.abs(y - place) for place in _FOLDS_Y]
    return inside, np.stack([each[inside] for each in (*powers, *folds)], axis=1)


def _wedge(nose_xy: tuple[float, float]) -> Array:
    """Return the height of a nose over the cheeks, 1 at its tip."""
    x, y = _places()
    tip_x, tip_y = nose_xy[0], max(nose_xy[1], 0.3)
    along = np.clip(y / tip_y, 0.0, 1.0)
    height = np.where(y <= tip_y, along, np.exp(-(((y - tip_y) / 0.13) ** 2)))
    aside = (x - tip_x * along) / (0.13 + 0.09 * along)
    return np.asarray(height * np.exp(-(aside**2) / 2))

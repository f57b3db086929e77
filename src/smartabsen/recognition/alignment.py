"""Alignment: landmarks to a canonical crop by a similarity transform (rotation, uniform scale, shift).

The transform is the least-squares one of Umeyama, "Least-squares estimation of transformation parameters between
two point patterns", IEEE TPAMI 13(4), 1991; in the plane and without mirroring it has a closed form.

Each template says where both kinds of landmarks go, so that any detector serves any embedder. The targets that no
publication gives were measured on the 2,427 photos of LFW (Labeled Faces in the Wild) in which SCRFD and dlib's HOG
detector find the same face: align by the landmarks whose targets are published, and take the median of where the others
fall.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ..kernel.domain import Face, FloatArray, ImageBGR, LandmarkScheme
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import N_


@dataclass(frozen=True, slots=True)
class AlignmentTemplate:
    """Where landmarks go in an aligned crop.

    Attributes:
        name: Part of a template's model identity.
        size: Width and height of the crop in pixels.
        arcface5_xy: Target of the five ARCFACE5 landmarks.
        dlib5_xy: Target of the five DLIB5 landmarks.
        fits_in_image: Where the squared distances are least: in the crop, or in the image. For a face that is turned,
            so that its landmarks cannot reach their targets, the first makes it smaller. Models want it as they were
            trained: those of InsightFace in the crop, dlib's in the image.
    """

    name: str
    size: int
    arcface5_xy: tuple[tuple[float, float], ...]
    dlib5_xy: tuple[tuple[float, float], ...]
    fits_in_image: bool = False

    def target_xy(self, scheme: LandmarkScheme) -> FloatArray:
        """Return the target of the landmarks of a scheme, float32 (5, 2)."""
        points = self.dlib5_xy if scheme is LandmarkScheme.DLIB5 else self.arcface5_xy
        return np.array(points, dtype=np.float32)


ARCFACE_112: Final = AlignmentTemplate(
    name="arcface_112",
    size=112,
    # The points that ArcFace models are trained with: Deng et al., "ArcFace", CVPR 2019, and its code.
    arcface5_xy=((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)),
    # Measured, see above; standard deviation 1.4 to 2.5 pixels.
    dlib5_xy=((79.801, 52.810), (65.979, 53.263), (30.927, 53.096), (44.691, 53.389), (55.379, 79.661)),
)
"""The 112 x 112 crop of ArcFace."""

RETAIL_128: Final = AlignmentTemplate(
    name="retail_128",
    size=128,
    # Documentation of face-reidentification-retail-0095 in Intel's Open Model Zoo, times 128.
    arcface5_xy=((40.3968, 59.0848), (87.3728, 59.0848), (64.0384, 81.9840), (44.7360, 105.5616), (83.6352, 105.5616)),
    # Measured, see above; standard deviation 1.7 to 3.1 pixels.
    dlib5_xy=((93.110, 58.986), (76.236, 59.536), (33.402, 59.210), (50.230, 59.639), (63.230, 91.709)),
)
"""The 128 x 128 crop of Open Model Zoo's face-reidentification-retail-0095."""

DLIB_150: Final = AlignmentTemplate(
    name="dlib_150",
    size=150,
    # Measured, see above; standard deviation 1.9 pixels for the eyes, 4.4 to 6.8 for nose and mouth.
    arcface5_xy=((46.771, 45.768), (101.957, 45.638), (74.520, 77.581), (51.061, 104.201), (97.894, 104.119)),
    # get_face_chip_details() of dlib's interpolation.h for 150 pixels and padding 0.25, minus half a pixel because
    # dlib centres its chip between pixels. Part of the model: it was trained on chips cut so.
    dlib5_xy=((110.4567, 45.8498), (89.1060, 47.3967), (36.5575, 45.8727), (57.9085, 47.4064), (73.5112, 87.2798)),
    fits_in_image=True,
)
"""dlib's face chip of 150 x 150 pixels with padding 0.25."""


@dataclass(frozen=True, slots=True)
class JointTemplate:
    """Several alignments of one face, for an embedder that is made of several.

    The crops stand side by side from left to right, each at the top; what is left below a smaller one is black.

    Attributes:
        name: Part of a template's model identity.
        parts: In the order of the embedders.
    """

    name: str
    parts: tuple[AlignmentTemplate, ...]

    @property
    def size(self) -> int:
        """Height of the crop in pixels."""
        return max(part.size for part in self.parts)

    def split(self, crop_bgr: ImageBGR) -> tuple[ImageBGR, ...]:
        """Return the crop of each part, uint8 (size, size, 3) with the part's own size."""
        crops, left = [], 0
        for part in self.parts:
            crops.append(np.ascontiguousarray(crop_bgr[: part.size, left : left + part.size]))
            left += part.size
        return tuple(crops)


Template: TypeAlias = AlignmentTemplate | JointTemplate


def crop_shape(template: Template) -> tuple[int, int, int]:
    """Return the shape (H, W, 3) of the crops of a template."""
    return (template.size, sum(part.size for part in parts_of(template)), 3)


def parts_of(template: Template) -> tuple[AlignmentTemplate, ...]:
    """Return the alignments that a template consists of."""
    return template.parts if isinstance(template, JointTemplate) else (template,)


def first_of(crop_bgr: ImageBGR, template: Template) -> tuple[ImageBGR, AlignmentTemplate]:
    """Return the first crop of a template, and its alignment: what a face's quality is measured on."""
    if isinstance(template, JointTemplate):
        return template.split(crop_bgr)[0], template.parts[0]
    return crop_bgr, template


def align(image_bgr: ImageBGR, face: Face, template: Template) -> ImageBGR:
    """Cut a face out of an image as an embedder wants it: once for each alignment of its template.

    Args:
        image_bgr: uint8 (H, W, 3).
        face: Its landmarks are in pixels of that image.
        template: Where they go.

    Returns:
        uint8, of the shape that :func:`crop_shape` tells.

    Raises:
        InvalidInputError: The landmarks coincide, or are no numbers.
    """
    if isinstance(template, AlignmentTemplate):
        return _align_one(image_bgr, face, template)
    crop = np.zeros(crop_shape(template), dtype=np.uint8)
    left = 0
    for part in template.parts:
        crop[: part.size, left : left + part.size] = _align_one(image_bgr, face, part)
        left += part.size
    return crop


def _align_one(image_bgr: ImageBGR, face: Face, template: AlignmentTemplate) -> ImageBGR:
    """Cut a face out of an image.

    Where the crop is less than half as large as the face, the image is first reduced by averaging, as dlib does with
    its pyramid: bilinear sampling alone would skip pixels and turn noise into detail. What lies outside is black.
    """
    target_xy = template.target_xy(face.scheme)
    matrix = estimate_similarity(face.landmarks_xy, target_xy, fit_in_source=template.fits_in_image)
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    if scale <= 0.5:
        image_bgr, matrix = _reduced(image_bgr, matrix, template.size, factor=2 ** int(math.log2(1 / scale)))
    size = (template.size, template.size)
    return np.asarray(cv2.warpAffine(image_bgr, matrix, size, flags=cv2.INTER_LINEAR), dtype=np.uint8)


def estimate_similarity(
    source_xy: FloatArray, target_xy: FloatArray, *, fit_in_source: bool = False
) -> NDArray[np.float64]:
    """Return the float64 (2, 3) matrix of the similarity that brings ``source_xy`` nearest to ``target_xy``.

    Args:
        source_xy: (N, 2) points, at least two different ones.
        target_xy: (N, 2) points.
        fit_in_source: Make the sum of squared distances least when the target is brought back to the source, instead
            of the source to the target.

    Raises:
        InvalidInputError: The points of ``source_xy`` coincide, or are no numbers.
    """
    # In the plane, a similarity without mirroring is one complex factor and a shift. For five points, plain numbers
    # take a third of the time of arrays.
    source = [complex(x, y) for x, y in source_xy.tolist()]
    target = [complex(x, y) for x, y in target_xy.tolist()]
    source_mean, target_mean = sum(source) / len(source), sum(target) / len(target)
    source = [point - source_mean for point in source]
    target = [point - target_mean for point in target]
    common = sum(a.conjugate() * b for a, b in zip(source, target, strict=True))
    spread = sum(abs(point) ** 2 for point in source)
    if not math.isfinite(spread) or spread < 1e-6 or abs(common) < 1e-6:
        raise InvalidInputError(N_("These landmarks cannot be aligned: they coincide or are no numbers."))
    factor = sum(abs(point) ** 2 for point in target) / common.conjugate() if fit_in_source else common / spread
    shift = target_mean - factor * source_mean
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def _reduced(
    image_bgr: ImageBGR, matrix: NDArray[np.float64], size: int, *, factor: int
) -> tuple[ImageBGR, NDArray[np.float64]]:
    """Cut out the part of the image that the crop shows, reduce it, and adapt the matrix."""
    height, width = image_bgr.shape[:2]
    inverse = cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0, 1], [size, 0, 1], [0, size, 1], [size, size, 1]]) @ inverse.T
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int) - factor, 0, [width - 1, height - 1])
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int) + factor, [left + 1, top + 1], [width, height])
    part = image_bgr[top:bottom, left:right]
    reduced_size = (max(1, part.shape[1] // factor), max(1, part.shape[0] // factor))
    part = part[: reduced_size[1] * factor or 1, : reduced_size[0] * factor or 1]
    reduced = np.asarray(cv2.resize(part, reduced_size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    # A pixel (x, y) of the reduced part has its centre at left + (x + 0.5) * factor - 0.5 of the image.
    shift = np.array([left, top]) + 0.5 * factor - 0.5
    return reduced, np.column_stack([matrix[:, :2] * factor, matrix[:, :2] @ shift + matrix[:, 2]])

"""Alignment: where points go, what lies outside, and that any detector serves any embedder."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from smartabsen.kernel.domain import Face, ImageBGR, LandmarkScheme
from smartabsen.kernel.errors import InvalidInputError
from smartabsen.recognition.alignment import (
    ARCFACE_112,
    DLIB_150,
    RETAIL_128,
    AlignmentTemplate,
    align,
    estimate_similarity,
)
from smartabsen.recognition.engines import build_detector

TEMPLATES = pytest.mark.parametrize("template", [ARCFACE_112, RETAIL_128, DLIB_150], ids=lambda template: template.name)
SCHEMES = pytest.mark.parametrize("scheme", LandmarkScheme)


def face_with(landmarks_xy: np.ndarray, scheme: LandmarkScheme = LandmarkScheme.ARCFACE5) -> Face:
    return Face((0.0, 0.0, 1.0, 1.0), 1.0, landmarks_xy.astype(np.float32), scheme)


def picture(width: int, height: int) -> ImageBGR:
    """Return a picture whose every place looks different, and smooth."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([x, y, (x + y) / 2], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("degrees", [0, 30, -110])
@pytest.mark.parametrize("scale", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("fit_in_source", [False, True])
def test_a_similarity_is_found_again(degrees: float, scale: float, fit_in_source: bool) -> None:
    """Points that were turned, scaled and shifted give exactly that transform."""
    points = np.array(ARCFACE_112.arcface5_xy)
    angle = np.radians(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = estimate_similarity(points, points @ turn.T + [7.0, -40.0], fit_in_source=fit_in_source)
    assert np.allclose(matrix, np.column_stack([turn, [7.0, -40.0]]), atol=1e-4)


@pytest.mark.parametrize("fit_in_source", [False, True])
def test_the_transform_is_the_best_one(fit_in_source: bool) -> None:
    """With noise in the points, no small change of its four numbers brings them nearer, forth or back."""
    rng = np.random.default_rng(0)
    target = ARCFACE_112.target_xy(LandmarkScheme.ARCFACE5)
    source = target * 2 + rng.normal(0, 4, target.shape).astype(np.float32)
    matrix = estimate_similarity(source, target, fit_in_source=fit_in_source)
    moving, fixed = (target, source) if fit_in_source else (source, target)
    matrix = cv2.invertAffineTransform(matrix) if fit_in_source else matrix

    def distance(numbers: np.ndarray) -> float:
        a, b, x, y = numbers
        return float(((moving @ np.array([[a, b], [-b, a]]) + [x, y] - fixed) ** 2).sum())

    best = np.array([matrix[0, 0], matrix[1, 0], matrix[0, 2], matrix[1, 2]])
    for step in 1e-3 * np.eye(4):
        assert distance(best) <= min(distance(best + step), distance(best - step))


def test_nothing_is_mirrored() -> None:
    """Points in mirrored order are aligned badly rather than by turning the face inside out."""
    target = ARCFACE_112.target_xy(LandmarkScheme.ARCFACE5)
    matrix = estimate_similarity(target * [-1, 1], target)
    assert np.linalg.det(matrix[:, :2]) > 0


@pytest.mark.parametrize("points", [np.ones((5, 2)), np.full((5, 2), np.nan), np.full((5, 2), np.inf)], ids=str)
@TEMPLATES
def test_points_that_say_nothing_are_refused(points: np.ndarray, template: AlignmentTemplate) -> None:
    """Points that coincide have no direction; what is no number neither."""
    with pytest.raises(InvalidInputError, match="cannot be aligned"):
        align(picture(200, 200), face_with(points), template)


@TEMPLATES
@SCHEMES
def test_landmarks_at_their_targets_leave_the_picture_as_it_is(
    template: AlignmentTemplate, scheme: LandmarkScheme
) -> None:
    """The crop is the upper left corner of a picture in which the points are where they should be."""
    image = picture(200, 200)
    crop = align(image, face_with(template.target_xy(scheme), scheme), template)
    assert crop.shape == (template.size, template.size, 3)
    assert np.array_equal(crop, image[: template.size, : template.size])


@TEMPLATES
def test_both_schemes_place_a_face_alike(template: AlignmentTemplate) -> None:
    """The eyes lie between their corners, the base of the nose below its tip, whatever the template."""
    left_eye, right_eye, nose, *_ = template.target_xy(LandmarkScheme.ARCFACE5)
    corners = template.target_xy(LandmarkScheme.DLIB5)
    tolerance = 0.08 * np.linalg.norm(right_eye - left_eye)
    assert np.allclose(corners[2:4].mean(axis=0), left_eye, atol=tolerance)
    assert np.allclose(corners[0:2].mean(axis=0), right_eye, atol=tolerance)
    assert abs(corners[4][0] - nose[0]) < tolerance
    assert corners[4][1] > nose[1]


def test_what_lies_outside_is_black() -> None:
    """A face at the edge of the picture is not continued by guessing."""
    target = ARCFACE_112.target_xy(LandmarkScheme.ARCFACE5)
    crop = align(picture(200, 200) | 1, face_with(target - [60, 0]), ARCFACE_112)
    assert (crop[:, :58] == 0).all()
    assert (crop[:, 62:] > 0).all()


@pytest.mark.parametrize("factor", [2, 3, 5, 8, 11])
def test_a_large_face_is_averaged(factor: int) -> None:
    """Noise between the pixels of the crop is smoothed away, and the crop shows the same place still."""
    image = picture(112 * factor, 112 * factor)
    grain = 60 * (-1) ** np.indices(image.shape[:2]).sum(axis=0)[..., None]
    noisy = np.clip(image.astype(int) // 2 + 64 + grain, 0, 255).astype(np.uint8)
    target = (ARCFACE_112.target_xy(LandmarkScheme.ARCFACE5) + 0.5) * factor - 0.5
    crop = align(noisy, face_with(target), ARCFACE_112).astype(int)
    expected = cv2.resize(image, (112, 112), interpolation=cv2.INTER_AREA).astype(int) // 2 + 64
    assert np.abs(crop - expected)[2:-2, 2:-2].max() <= 12


@pytest.mark.shared
@TEMPLATES
def test_two_detectors_give_the_same_crop(template: AlignmentTemplate, lfw_dir: Path, models_dir: Path) -> None:
    """Points of SCRFD and of dlib's predictor bring a face to the same place: the measured targets are right."""
    detectors = [build_detector(name, models_dir=models_dir, threads=1) for name in ("scrfd", "hog")]
    shifts = []
    for path in sorted(lfw_dir.glob("A*/*_0001.jpg"))[:40]:
        image = np.asarray(cv2.imread(str(path)), dtype=np.uint8)
        found = [detector.detect(image) for detector in detectors]
        if all(len(faces) == 1 for faces in found):
            first, second = (
                estimate_similarity(faces[0].landmarks_xy, template.target_xy(faces[0].scheme)) for faces in found
            )
            middle = [125, 125, 1]
            shifts.append((first @ middle - second @ middle) / template.size)
    assert len(shifts) >= 20
    assert np.abs(np.median(shifts, axis=0)).max() < 0.01

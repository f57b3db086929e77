"""Quality: what is measured of a face, and which reason a person is told."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np
import pytest

from smartabsen.kernel.domain import Face, ImageBGR, LandmarkScheme, Outcome, Quality
from smartabsen.recognition.alignment import ARCFACE_112, DLIB_150, RETAIL_128, AlignmentTemplate
from smartabsen.recognition.quality import (
    ENROLMENT_LIMITS,
    PROBE_LIMITS,
    QualityLimits,
    find_measured,
    judge,
    measure_quality,
)

GOOD = Quality(face_px=120.0, brightness=120.0, sharpness=40.0, yaw=0.0, detection_score=0.9)


def turned_head(yaw_deg: float, scheme: LandmarkScheme, *, roll_deg: float = 0.0) -> Face:
    """Project a mean head, turned towards the right of the image by ``yaw_deg``, from far away.

    Points are in eye distances: x to the right, y down, z towards the camera; the eyes are 1 apart, each 0.5 wide.
    """
    if scheme is LandmarkScheme.ARCFACE5:
        head = [(-0.5, 0, 0), (0.5, 0, 0), (0, 0.33, 0.53), (-0.35, 1, 0.2), (0.35, 1, 0.2)]
    else:
        # dlib numbers the eye on the right of the image first.
        head = [(0.75, 0, 0), (0.25, 0, 0), (-0.75, 0, 0), (-0.25, 0, 0), (0, 0.67, 0.375)]
    yaw, roll = math.radians(yaw_deg), math.radians(roll_deg)
    points = []
    for x, y, z in head:
        across = x * math.cos(yaw) + z * math.sin(yaw)
        points.append((across * math.cos(roll) - y * math.sin(roll), across * math.sin(roll) + y * math.cos(roll)))
    landmarks = np.array(points, dtype=np.float32) * 40 + 200
    return Face((140.0, 150.0, 260.0, 290.0), 0.9, landmarks, scheme)


def measured(crop: ImageBGR, template: AlignmentTemplate = ARCFACE_112, **face: float) -> Quality:
    return measure_quality(turned_head(face.pop("yaw_deg", 0.0), LandmarkScheme.ARCFACE5, **face), crop, template)


def texture(size: int = 112) -> ImageBGR:
    """Something as detailed as a sharp face, mean about 128."""
    noise = np.random.default_rng(5).normal(size=(size, size, 1)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.2 * size / 112)[..., None]
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8).repeat(3, axis=2)


@pytest.mark.parametrize("scheme", list(LandmarkScheme))
@pytest.mark.parametrize("yaw_deg", [-60, -30, 0, 15, 45])
@pytest.mark.parametrize("roll_deg", [-20, 0, 20])
def test_yaw_is_the_sine_of_the_turn_for_both_kinds_of_landmarks(
    yaw_deg: float, roll_deg: float, scheme: LandmarkScheme
) -> None:
    """Positive to the right of the image, whichever way the head is tilted."""
    face = turned_head(yaw_deg, scheme, roll_deg=roll_deg)
    quality = measure_quality(face, texture(), ARCFACE_112)
    assert quality.yaw == pytest.approx(math.sin(math.radians(yaw_deg)), abs=1e-3)


def test_eyes_in_one_place_are_a_profile() -> None:
    """A head that is turned so far that one eye hides the other."""
    landmarks = np.array([[10, 10], [10, 10], [25, 20], [12, 40], [12, 40]], dtype=np.float32)
    face = Face((0.0, 0.0, 50.0, 50.0), 0.5, landmarks, LandmarkScheme.ARCFACE5)
    assert measure_quality(face, texture(), ARCFACE_112).yaw == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("template", [ARCFACE_112, RETAIL_128, DLIB_150], ids=lambda template: template.name)
def test_light_is_measured_on_the_face_and_not_around_it(template: AlignmentTemplate) -> None:
    """A bright window behind a face does not make it bright, whatever the engine's crop shows of it."""
    crop = np.full((template.size, template.size, 3), 255, dtype=np.uint8)
    (left, eyes), (right, _) = template.arcface5_xy[:2]
    reach = right - left
    middle = (left + right) / 2
    crop[int(eyes - 0.55 * reach) : int(eyes + 1.5 * reach), int(middle - reach) : int(middle + reach)] = 60
    quality = measured(crop, template)
    assert quality.brightness == pytest.approx(60, abs=0.5)


def test_sharpness_falls_with_blur() -> None:
    """Each step of blur is seen."""
    crop = texture()
    levels = [measured(cv2.GaussianBlur(crop, (0, 0), sigma)).sharpness for sigma in (0.3, 1, 2, 3, 5)]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > 20 * levels[3]


@pytest.mark.parametrize("kernel", [np.ones((1, 13)), np.ones((13, 1)), np.eye(13), np.eye(13)[::-1]])
def test_movement_in_any_direction_is_seen_as_blur(kernel: np.ndarray) -> None:
    """A face that moved sideways still has sharp edges across; it is blurred all the same."""
    crop = texture()
    moved = cv2.filter2D(crop, -1, kernel / 13)
    assert measured(moved).sharpness < 0.15 * measured(crop).sharpness


def test_a_dark_face_is_not_called_blurred() -> None:
    """Sharpness does not depend on the light."""
    crop = texture()
    dark = (crop * 0.3).astype(np.uint8)
    assert measured(dark).sharpness == pytest.approx(measured(crop).sharpness, rel=0.15)
    assert measured(np.zeros_like(crop)).sharpness == 0.0


def test_sharpness_is_about_the_same_in_the_crops_of_all_engines() -> None:
    """One picture of a face, cut out by three templates."""
    photo = cv2.resize(texture(400), (400, 400))
    found = []
    for template in (ARCFACE_112, RETAIL_128, DLIB_150):
        (left, eyes), (right, _) = template.arcface5_xy[:2]
        scale = (right - left) / 70
        matrix = np.array([[scale, 0, (left + right) / 2 - 200 * scale], [0, scale, eyes - 150 * scale]])
        crop = cv2.warpAffine(photo, matrix, (template.size, template.size))
        found.append(measured(np.asarray(crop, dtype=np.uint8), template).sharpness)
    assert max(found) < 1.5 * min(found)


@pytest.mark.parametrize("template", [ARCFACE_112, RETAIL_128, DLIB_150], ids=lambda template: template.name)
def test_a_mouth_of_another_colour_seems_covered(template: AlignmentTemplate) -> None:
    """Blue cloth from the nose down on a brown face, in any light; not the bare face, nor one in a grey picture."""
    skin, cloth = (150, 170, 210), (210, 180, 120)
    bare = np.full((template.size, template.size, 3), skin, dtype=np.uint8)
    masked = bare.copy()
    masked[round(template.arcface5_xy[2][1]) :] = cloth
    grey = cv2.cvtColor(cv2.cvtColor(masked, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    dim = (masked * 0.7).astype(np.uint8)
    pictures = [bare, masked, dim, np.asarray(grey, dtype=np.uint8)]
    assert [measured(picture, template).covered for picture in pictures] == [False, True, True, False]


def test_the_size_is_the_shorter_side_of_the_box() -> None:
    """The detector's box, in pixels of the image."""
    quality = measured(texture())
    assert quality.face_px == 120.0
    assert quality.detection_score == 0.9


@pytest.mark.parametrize("limits", [ENROLMENT_LIMITS, PROBE_LIMITS])
@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, None),
        ({"face_px": 59.0}, Outcome.TOO_SMALL),
        ({"brightness": 15.0}, Outcome.TOO_DARK),
        ({"brightness": 240.0}, Outcome.TOO_BRIGHT),
        ({"sharpness": 1.0}, Outcome.BLURRED),
        ({"yaw": 0.9}, Outcome.TURNED_AWAY),
        ({"yaw": -0.9}, Outcome.TURNED_AWAY),
    ],
)
def test_each_measure_has_its_reason(limits: QualityLimits, change: dict[str, float], outcome: Outcome | None) -> None:
    """A good face passes, and each fault is told by its name."""
    quality = dataclasses.replace(GOOD, **change)
    assert judge(quality, limits) is outcome
    measured = None if outcome is None else find_measured(outcome, quality, limits)
    assert (None if measured is None else measured.value) == next(map(abs, change.values()), None)
    assert measured is None or measured.limit in dataclasses.astuple(limits)


def test_of_several_faults_the_first_to_mend_is_told() -> None:
    """Too small, then light, then blur, then the turn."""
    bad = {"face_px": 10.0, "brightness": 1.0, "sharpness": 0.0, "yaw": 1.0}
    told = []
    for fault in list(bad):
        told.append(judge(dataclasses.replace(GOOD, **bad), PROBE_LIMITS))
        del bad[fault]
    assert told == [Outcome.TOO_SMALL, Outcome.TOO_DARK, Outcome.BLURRED, Outcome.TURNED_AWAY]


def test_limits_are_inclusive() -> None:
    """A face that is just at every limit passes."""
    limits = QualityLimits(min_face_px=60, min_brightness=120, max_brightness=120, min_sharpness=40, max_yaw=0.5)
    at_limit = dataclasses.replace(GOOD, face_px=60.0, yaw=-0.5)
    assert judge(at_limit, limits) is None
    assert judge(at_limit, limits.with_least(min_face_px=61, min_sharpness=40)) is Outcome.TOO_SMALL


def test_enrolment_asks_for_more_than_a_kiosk() -> None:
    """Every later decision rests on a template; a kiosk sees the next frame in a moment."""
    assert ENROLMENT_LIMITS.min_sharpness > PROBE_LIMITS.min_sharpness
    assert ENROLMENT_LIMITS.min_brightness > PROBE_LIMITS.min_brightness
    assert ENROLMENT_LIMITS.max_brightness < PROBE_LIMITS.max_brightness
    assert ENROLMENT_LIMITS.max_yaw < PROBE_LIMITS.max_yaw


def test_the_largest_turn_can_be_set_in_degrees() -> None:
    """Nothing given leaves the measured limit."""
    assert ENROLMENT_LIMITS.with_turn(None) == ENROLMENT_LIMITS
    assert ENROLMENT_LIMITS.with_turn(30).max_yaw == pytest.approx(0.5)

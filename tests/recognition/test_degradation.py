"""The worse a photo, the rather it is refused: of each fault, more is never accepted where less was refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from bench.quality import central_face, expose, shrink
from hypothesis import given, settings, strategies as st

from smartabsen.kernel.domain import Face, ImageBGR, LandmarkScheme, Outcome
from smartabsen.recognition.alignment import ARCFACE_112, align
from smartabsen.recognition.engines import build_engine
from smartabsen.recognition.quality import ENROLMENT_LIMITS, PROBE_LIMITS, QualityLimits, judge, measure_quality

LIMITS = pytest.mark.parametrize("limits", [ENROLMENT_LIMITS, PROBE_LIMITS], ids=["enrolment", "kiosk"])
STRENGTHS = st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6).map(sorted)
SEEDS = st.integers(0, 2**16)


def face(*, turn: float = 0.0, size_px: float = 120.0) -> Face:
    """A face whose nose stands ``turn`` eye distances beside the middle between the eyes."""
    points = np.array([[-20, 0], [20, 0], [40 * turn, 22], [-15, 40], [15, 40]], dtype=np.float32) + 200
    return Face((200.0, 200.0, 200.0 + size_px, 240.0 + size_px), 0.9, points, LandmarkScheme.ARCFACE5)


def crop(seed: int) -> ImageBGR:
    """Something as detailed as a sharp face, mean about 128."""
    noise = np.random.default_rng(seed).normal(size=(112, 112)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.2)
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)


def verdicts(images: list[ImageBGR], limits: QualityLimits) -> list[Outcome | None]:
    return [judge(measure_quality(face(), image, ARCFACE_112), limits) for image in images]


def check_order(told: list[Outcome | None], reason: Outcome) -> None:
    """Assert that refusals, all for this reason, begin somewhere and do not end again."""
    assert told == sorted(told, key=lambda outcome: outcome is not None)
    assert set(told) <= {None, reason}


@LIMITS
@settings(max_examples=40, deadline=None)
@given(strengths=STRENGTHS)
def test_smaller_is_refused_rather(strengths: list[float], limits: QualityLimits) -> None:
    """The shorter side of the box, 150 pixels down to 10."""
    told = [
        judge(measure_quality(face(size_px=150 - 140 * strength), crop(1), ARCFACE_112), limits)
        for strength in strengths
    ]
    check_order(told, Outcome.TOO_SMALL)


@LIMITS
@settings(max_examples=40, deadline=None)
@given(strengths=STRENGTHS, seed=SEEDS)
def test_darker_is_refused_rather(strengths: list[float], seed: int, limits: QualityLimits) -> None:
    """Down to black."""
    check_order(verdicts([expose(crop(seed), 1 - s) for s in strengths], limits), Outcome.TOO_DARK)


@LIMITS
@settings(max_examples=40, deadline=None)
@given(strengths=STRENGTHS, seed=SEEDS)
def test_brighter_is_refused_rather(strengths: list[float], seed: int, limits: QualityLimits) -> None:
    """Up to six times the light, most of it clipped."""
    check_order(verdicts([expose(crop(seed), 1 + 5 * s) for s in strengths], limits), Outcome.TOO_BRIGHT)


@LIMITS
@settings(max_examples=40, deadline=None)
@given(strengths=STRENGTHS, seed=SEEDS)
def test_more_blurred_is_refused_rather(strengths: list[float], seed: int, limits: QualityLimits) -> None:
    """Out of focus by up to eight pixels."""
    blurred = [cv2.GaussianBlur(crop(seed), (0, 0), 0.3 + 8 * s) for s in strengths]
    check_order(verdicts([np.asarray(image, dtype=np.uint8) for image in blurred], limits), Outcome.BLURRED)


@LIMITS
@settings(max_examples=40, deadline=None)
@given(strengths=STRENGTHS, side=st.sampled_from([-1, 1]))
def test_turned_further_is_refused_rather(strengths: list[float], side: int, limits: QualityLimits) -> None:
    """To either side, up to 75 degrees."""
    told = [
        judge(measure_quality(face(turn=side * 2 * strength), crop(1), ARCFACE_112), limits) for strength in strengths
    ]
    check_order(told, Outcome.TURNED_AWAY)


Step = Callable[[ImageBGR], ImageBGR]
FAULTS: dict[str, list[Step]] = {
    "blur": [lambda image, s=s: cv2.GaussianBlur(image, (0, 0), s) for s in (0.5, 1.5, 3, 5)],
    "movement": [lambda image, n=n: cv2.filter2D(image, -1, np.full((1, n), 1 / n)) for n in (3, 9, 15, 25)],
    "dark": [lambda image, g=g: expose(image, g) for g in (0.8, 0.4, 0.2, 0.05)],
    "bright": [lambda image, g=g: expose(image, g) for g in (1.1, 1.8, 2.6, 6)],
    "small": [lambda image, s=s: shrink(image, s / 94) for s in (90, 70, 50, 30)],
}


@pytest.mark.shared
@LIMITS
@pytest.mark.parametrize("fault", FAULTS)
def test_on_real_photos_refusals_rise_with_each_fault(
    fault: str, limits: QualityLimits, lfw_dir: Path, models_dir: Path
) -> None:
    """Of twelve photos hardly one is refused at first, never fewer at the next step, and many at the last."""
    steps = FAULTS[fault]
    names = (lfw_dir / "gallery.txt").read_text(encoding="utf-8").split()[:12]
    photos = [cv2.imread(str(min((lfw_dir / name).glob("*.jpg")))) for name in names]
    # As in every photo of this size faces are just large enough: what else is wrong must show.
    limits = dataclasses.replace(limits, min_face_px=45.0)
    refused = []
    with build_engine("openvino", models_dir=models_dir) as engine:
        template = engine.embedder.template
        for step in steps:
            seen = [(image, central_face(engine, image)) for image in map(step, photos)]
            found = [(one, align(image, one, template)) for image, one in seen if one is not None]
            told = [judge(measure_quality(one, cut, template), limits) for one, cut in found]
            # A face that is not found is refused, too; one that seems smaller for its blur is refused for that.
            refused.append(len(photos) - told.count(None))
    assert refused == sorted(refused)
    assert refused[0] <= 1 and refused[-1] > len(photos) / 3

"""The active challenge on real faces: a person in a film, and prints of a photo that imitate the movement."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from bench.attacks import Print
from bench.films import FPS, PRINTS, film_print
from bench.liveness import DIRECTIONS, FRONTAL_PHOTOS, judge, largest, measure_film

from smartabsen.recognition.detectors.base import Detector
from smartabsen.recognition.engines import build_detector

pytestmark = [pytest.mark.shared, pytest.mark.slow]


@pytest.fixture(scope="module")
def detector(models_dir: Path) -> Detector:
    return build_detector("scrfd", models_dir=models_dir, threads=1)


@pytest.fixture(scope="module")
def printed(shared_dir: Path, detector: Detector) -> Print:
    image = np.asarray(cv2.imread(str(shared_dir / "faces" / "lfw" / FRONTAL_PHOTOS[0])), dtype=np.uint8)
    face = largest(detector, image)
    assert face is not None
    return Print.of(image, face)


@pytest.mark.parametrize("name", ["scrfd", "yunet", "hog"])
def test_a_person_who_turns_passes(shared_dir: Path, models_dir: Path, name: str) -> None:
    """As filmed, and mirrored; with landmarks of either kind."""
    found = build_detector(name, models_dir=models_dir, threads=1)
    assert "2 of 2" in measure_film(shared_dir, {name: found})


@pytest.mark.parametrize(("kind", "direction"), [("bent hard, turned by 30", "left"), ("turned by 45", "up")])
def test_a_print_does_not_pass(printed: Print, detector: Detector, kind: str, direction: str) -> None:
    """However it is turned and bent; ``bench/liveness.py`` has all movements."""
    film = list(film_print(printed, next(each for each in PRINTS if each.name == kind), direction))
    faces = [largest(detector, frame) for frame in film]
    assert not judge(film, faces, DIRECTIONS[direction], fps=FPS).passed

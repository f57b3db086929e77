"""The active challenge on real faces: a person in a film, and prints of a photo that imitate the movement."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pytest
from tests.recognition.liveness.attacks import Print
from tests.recognition.liveness.films import FPS, PRINTS, film_print

from smartabsen.kernel.domain import Face, ImageBGR, LivenessAction
from smartabsen.recognition.detectors.base import Detector
from smartabsen.recognition.engines import build_detector
from smartabsen.recognition.liveness.challenge import Challenge, ChallengeJudge, ChallengeState

DIRECTIONS: Final = {
    "right": LivenessAction.TURN_LEFT,
    "left": LivenessAction.TURN_RIGHT,
    "up": LivenessAction.LOOK_UP,
}
"""Where the nose goes in the image, and how a person would call it."""
FRONTAL_PHOTO: Final = "Brennon_Leighton/Brennon_Leighton_0001.jpg"
"""A photo of LFW in which somebody looks straight ahead."""
TURN_IN_FILM: Final = (46, 10)
"""Run backwards between these frames, the film shows a person who turns from the front to the right of the image."""

pytestmark = [pytest.mark.shared, pytest.mark.slow]


def judge(
    frames: Iterable[ImageBGR], faces: Iterable[Face | None], action: LivenessAction, *, fps: float
) -> ChallengeState:
    """Play a film to a challenge of one action; what is unfinished when it ends has failed by time."""
    judge = ChallengeJudge(Challenge((action,)))
    for number, (frame, face) in enumerate(zip(frames, faces, strict=True)):
        state = judge.add(frame, face, number / fps)
        if state.over:
            return state
    return judge.state


def largest(detector: Detector, image_bgr: ImageBGR) -> Face | None:
    """Return the largest face, or None."""
    return next(iter(detector.detect(image_bgr)), None)


def turns_in_film(shared: Path) -> list[tuple[list[ImageBGR], str]]:
    """The person of the film: a turn there and back, as it is and mirrored."""
    capture = cv2.VideoCapture(str(shared / "faces" / "video" / "one_person.mp4"))
    frames = []
    while len(frames) <= max(TURN_IN_FILM):
        read, frame = capture.read()
        assert read, "the film is shorter than expected"
        frames.append(np.asarray(frame, dtype=np.uint8))
    capture.release()
    start, end = TURN_IN_FILM
    turn = frames[start:end:-2] + frames[end : start + 1 : 2]
    mirrored = [np.ascontiguousarray(frame[:, ::-1]) for frame in turn]
    return [(turn, "right"), (mirrored, "left")]


@pytest.fixture(scope="module")
def detector(models_dir: Path) -> Detector:
    return build_detector("scrfd", models_dir=models_dir, threads=1)


@pytest.fixture(scope="module")
def printed(shared_dir: Path, detector: Detector) -> Print:
    image = np.asarray(cv2.imread(str(shared_dir / "faces" / "lfw" / FRONTAL_PHOTO)), dtype=np.uint8)
    face = largest(detector, image)
    assert face is not None
    return Print.of(image, face)


@pytest.mark.parametrize("name", ["scrfd", "yunet", "hog"])
def test_a_person_who_turns_passes(shared_dir: Path, models_dir: Path, name: str) -> None:
    """As filmed, and mirrored; with landmarks of either kind."""
    found = build_detector(name, models_dir=models_dir, threads=1)
    for film, direction in turns_in_film(shared_dir):
        faces = [largest(found, frame) for frame in film]
        assert judge(film, faces, DIRECTIONS[direction], fps=FPS).passed


@pytest.mark.parametrize(("kind", "direction"), [("bent hard, turned by 30", "left"), ("turned by 45", "up")])
def test_a_print_does_not_pass(printed: Print, detector: Detector, kind: str, direction: str) -> None:
    """However it is turned and bent."""
    film = list(film_print(printed, next(each for each in PRINTS if each.name == kind), direction))
    faces = [largest(detector, frame) for frame in film]
    assert not judge(film, faces, DIRECTIONS[direction], fps=FPS).passed

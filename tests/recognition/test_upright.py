"""Photos are taken in the turn in which their faces stand upright; what cannot be told is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from smartabsen.gallery.photos import examine_image
from smartabsen.kernel.domain import Face, ImageBGR, LandmarkScheme, Outcome
from smartabsen.recognition import upright
from smartabsen.recognition.detectors.fake import FakeDetector, draw_face
from smartabsen.recognition.embedders.fake import FakeEmbedder
from smartabsen.recognition.engines import build_engine
from smartabsen.recognition.quality import ENROLMENT_LIMITS
from smartabsen.recognition.recognizer import Recognizer
from smartabsen.recognition.runtime import RunsOn
from smartabsen.recognition.upright import LEAST, SURE, find_upright


def recognizer() -> Recognizer:
    return Recognizer(FakeDetector(), FakeEmbedder(), limits=ENROLMENT_LIMITS)


def drawn(*places_and_sizes: tuple[int, int], width: int = 640, light: float = 1.0) -> ImageBGR:
    image = np.full((480, width, 3), round(90 * light), dtype=np.uint8)
    for person, (x, size) in enumerate(places_and_sizes, start=1):
        draw_face(image, person, centre_xy=(x, 240), size_px=size, light=light)
    return image


class Scripted:
    """A detector that finds one face in the middle of every picture, with a score for each look."""

    name = "scripted"
    scheme = LandmarkScheme.ARCFACE5
    runs_on = RunsOn("numpy", "cpu", "f32")

    def __init__(self, scores: list[float], lying: int = -1) -> None:
        self.looks = 0
        self._scores = scores
        self._lying = lying

    def detect(self, image_bgr: ImageBGR) -> tuple[Face, ...]:
        height, width = image_bgr.shape[:2]
        x, y = width / 2, height / 2
        points = np.array([[-20, -20], [20, -20], [0, 0], [-15, 20], [15, 20]], dtype=np.float32)
        if self.looks == self._lying:
            points = points[:, ::-1].copy()
        score = self._scores[self.looks]
        self.looks += 1
        if not score:
            return ()
        return (Face((x - 50, y - 50, x + 50, y + 50), score, points + np.float32([x, y]), self.scheme),)

    def close(self) -> None: ...


def look(
    monkeypatch: pytest.MonkeyPatch, *, hits: list[int], scores: list[float], lying: int = -1
) -> tuple[upright.Upright, int]:
    left = iter(hits)
    monkeypatch.setattr(upright, "_count", lambda *_: next(left))
    detector = Scripted(scores, lying)
    found = find_upright(Recognizer(detector, FakeEmbedder(), limits=ENROLMENT_LIMITS), drawn())
    return found, detector.looks


@pytest.mark.parametrize(
    ("hits", "scores", "quarters", "clear"),
    [
        ([0, 0, 40, 0], [0.9, 0.5, 1.0, 0.5], 2, True),
        ([3, 30, 0, 1], [0.8, 0.9, 0.7, 0.7], 1, True),
        ([26, 0, 42, 0], [1.0, 0.5, 0.8, 0.5], 0, True),
        ([2, 2, 2, 2], [1.0, 1.0, 1.0, 1.0], 0, False),
        ([0, 0, LEAST - 1, 0], [0.5, 0.5, 1.0, 0.5], 0, False),
    ],
    ids=["on its head", "on its side", "more hits, lower score", "no sign", "too weak a sign"],
)
def test_the_turn_with_the_most_evidence_is_taken(
    monkeypatch: pytest.MonkeyPatch, hits: list[int], scores: list[float], quarters: int, clear: bool
) -> None:
    """Hits of the cascade and the detector's score count together; a weak sign turns nothing, and is no certainty."""
    found, _ = look(monkeypatch, hits=hits, scores=scores)
    assert (found.quarters, found.clear) == (quarters, clear)


def test_a_picture_that_clearly_is_upright_costs_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most photos are: they are searched once."""
    found, looks = look(monkeypatch, hits=[SURE], scores=[0.7])
    assert (found.quarters, looks) == (0, 1)


def test_landmarks_on_their_side_count_against_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some detectors find faces that lie, and say so by their landmarks."""
    found, _ = look(monkeypatch, hits=[20, 44, 0, 0], scores=[0.9, 1.0, 0.5, 0.5], lying=1)
    assert (found.quarters, found.clear) == (0, True)


def test_a_weak_sign_in_a_picture_without_a_face_is_no_face(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern that looks like a face on its side does not turn a landscape."""
    left = iter([1])
    monkeypatch.setattr(upright, "_count", lambda *_: next(left))
    detector = Scripted([0, 0.6, 0, 0])
    found = find_upright(Recognizer(detector, FakeEmbedder(), limits=ENROLMENT_LIMITS), drawn())
    assert (found.quarters, found.faces) == (0, ())


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_points_go_back_to_the_picture_that_was_given(turn: int) -> None:
    """A mark in the turned picture is where it was before the turn."""
    given = np.zeros((40, 60, 3), dtype=np.uint8)
    given[7, 51] = 255
    turned = np.ascontiguousarray(np.rot90(given, turn))
    (y, x), *_ = np.argwhere(turned[..., 0])
    back = upright.Upright(turned, (), turn, clear=True).turn_back(np.array([[x + 0.5, y + 0.5]]))
    np.testing.assert_allclose(back, [[51.5, 7.5]])


def test_a_photo_whose_turn_is_unclear_is_refused() -> None:
    """A drawn face on its head has no sign of the cascade: nobody is enrolled from it."""
    exam = examine_image(recognizer(), np.ascontiguousarray(np.rot90(drawn((320, 160)), 2)), photo="a", digest="")
    assert exam.outcome is Outcome.NOT_UPRIGHT


def test_the_largest_face_is_taken_and_told() -> None:
    """A small face behind a large one does not spoil a portrait."""
    exam = examine_image(recognizer(), drawn((200, 200), (480, 110)), photo="a", digest="")
    assert (exam.outcome, exam.bystanders) == (Outcome.ACCEPTED, 1)
    assert exam.box_xyxy == pytest.approx((100, 140, 300, 340), abs=2)
    assert exam.place == pytest.approx(200 / 640, abs=0.01)


def test_two_faces_of_similar_size_are_refused() -> None:
    """Nobody can tell whose photo it is."""
    exam = examine_image(recognizer(), drawn((180, 180), (460, 150)), photo="a", digest="")
    assert exam.outcome is Outcome.SEVERAL_FACES


@pytest.mark.parametrize(("light", "outcome"), [(0.04, Outcome.TOO_DARK), (0.15, Outcome.TOO_DARK)])
def test_a_very_dark_photo_is_too_dark(light: float, outcome: Outcome) -> None:
    """Where no face can be found for lack of light, “no face” would send people to look for another cause."""
    assert examine_image(recognizer(), drawn((320, 160), light=light), photo="a", digest="").outcome is outcome


def test_a_white_photo_is_too_bright_and_an_empty_room_has_no_face() -> None:
    """Light is named only where it is the light."""
    white = np.full((200, 300, 3), 250, dtype=np.uint8)
    assert examine_image(recognizer(), white, photo="a", digest="").outcome is Outcome.TOO_BRIGHT
    assert examine_image(recognizer(), drawn(), photo="a", digest="").outcome is Outcome.NO_FACE


@pytest.mark.parametrize("engine", ["openvino", "dlib", "insightface"])
def test_real_photos_in_all_turns_are_found_upright(engine: str, lfw_dir: Path, models_dir: Path) -> None:
    """With every engine; and their faces are then those of the photos as they are."""
    photos = sorted(lfw_dir.rglob("*.jpg"))[::150]
    with build_engine(engine, models_dir=models_dir, threads=1) as built:
        real = Recognizer(
            built.detector, built.embedder, limits=ENROLMENT_LIMITS.with_least(min_face_px=40, min_sharpness=1)
        )
        # HOG does not find every face of LFW in the photo as it is either.
        images = {path: cv2.imread(str(path)) for path in photos}
        seen = [path for path in photos if real.find(images[path])]
        assert len(seen) >= len(photos) - 2
        for path in seen:
            image = images[path]
            for turn in range(4):
                found = find_upright(real, np.ascontiguousarray(np.rot90(image, turn)))
                assert found.clear, path.name
                assert (turn + found.quarters) % 4 == 0, path.name

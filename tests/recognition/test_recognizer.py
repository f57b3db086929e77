"""The recogniser: what it asks of its parts, and what it makes of their answers."""

from __future__ import annotations

import numpy as np
import pytest

from smartabsen.kernel.domain import Face, FloatArray, ImageBGR, LandmarkScheme, Outcome
from smartabsen.recognition.alignment import ARCFACE_112, align
from smartabsen.recognition.detectors.base import Detector
from smartabsen.recognition.embedders.base import Embedder
from smartabsen.recognition.quality import PROBE_LIMITS
from smartabsen.recognition.recognizer import Recognizer


def face_at(x: float, *, eyes: float = 40.0, turned: bool = False) -> Face:
    """Return a face whose box is three eye distances wide."""
    points = np.array([(0, 0), (1, 0), (1.2 if turned else 0.5, 0.55), (0.15, 1.15), (0.85, 1.15)], dtype=np.float32)
    landmarks = points * eyes + np.array([x + eyes, 100], dtype=np.float32)
    box = (x, 100 - eyes, x + 3 * eyes, 100 + 2 * eyes)
    return Face(box, 0.9, landmarks, LandmarkScheme.ARCFACE5)


class Finds:
    """A detector that finds what it was made with."""

    name = "finds"
    scheme = LandmarkScheme.ARCFACE5

    def __init__(self, *faces: Face) -> None:
        self.faces = faces

    def detect(self, image_bgr: ImageBGR) -> tuple[Face, ...]:
        return self.faces

    def close(self) -> None: ...


class Counts:
    """An embedder that numbers the crops it is given."""

    name = "counts"
    dimension = 2
    template = ARCFACE_112
    digest = "0" * 64

    def __init__(self) -> None:
        self.batches: list[list[ImageBGR]] = []

    def embed(self, crops_bgr: list[ImageBGR]) -> FloatArray:
        self.batches.append(crops_bgr)
        angles = np.arange(len(crops_bgr), dtype=np.float32)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def close(self) -> None: ...


@pytest.fixture
def image() -> ImageBGR:
    return np.random.default_rng(0).integers(60, 200, (300, 900, 3), dtype=np.uint8)


def recognizer(*faces: Face) -> tuple[Recognizer, Counts]:
    embedder: Embedder = Counts()
    detector: Detector = Finds(*faces)
    assert isinstance(embedder, Counts)
    return Recognizer(detector, embedder, limits=PROBE_LIMITS), embedder


def test_good_faces_are_embedded_in_one_batch_and_bad_ones_not_at_all(image: ImageBGR) -> None:
    """Each observation carries its own embedding, or its own reason."""
    faces = (face_at(0), face_at(200, eyes=15), face_at(300), face_at(500, turned=True), face_at(650))
    recogniser, embedder = recognizer(*faces)
    seen = recogniser.observe(image)
    assert [observation.face for observation in seen] == list(faces)
    refusals = [observation.refusal for observation in seen]
    assert refusals == [None, Outcome.TOO_SMALL, None, Outcome.TURNED_AWAY, None]
    (batch,) = embedder.batches
    assert [len(batch), *(crop.shape for crop in batch)] == [3, (112, 112, 3), (112, 112, 3), (112, 112, 3)]
    for crop, face in zip(batch, (faces[0], faces[2], faces[4]), strict=True):
        np.testing.assert_array_equal(crop, align(image, face, ARCFACE_112))
    embeddings = [observation.embedding for observation in seen]
    assert embeddings[1] is None
    assert embeddings[3] is None
    for number, embedding in enumerate([embeddings[0], embeddings[2], embeddings[4]]):
        np.testing.assert_allclose(embedding, [np.cos(number), np.sin(number)], rtol=1e-6)


def test_only_the_faces_asked_for_are_examined(image: ImageBGR) -> None:
    """A kiosk looks for faces in each frame, and embeds only those whose track is undecided."""
    recogniser, embedder = recognizer(face_at(0), face_at(300))
    found = recogniser.find(image)
    assert len(found) == 2
    assert embedder.batches == []
    (seen,) = recogniser.examine(image, found[1:])
    assert seen.face is found[1]
    assert len(embedder.batches[0]) == 1


def test_nothing_is_embedded_where_no_face_is_good(image: ImageBGR) -> None:
    """The model is not run for an empty batch."""
    recogniser, embedder = recognizer(face_at(0, eyes=10))
    assert recogniser.observe(image)[0].refusal is Outcome.TOO_SMALL
    recogniser, embedder_of_none = recognizer()
    assert recogniser.observe(image) == ()
    assert embedder.batches + embedder_of_none.batches == []

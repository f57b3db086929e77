"""Leave-one-out: how good a gallery is, who is confused, and which photo lies in the wrong folder."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from smartabsen.kernel.domain import FloatArray, Outcome, Rate
from smartabsen.kernel.errors import InvalidInputError
from smartabsen.recognition.alignment import align
from smartabsen.recognition.balance import NO_BALANCE, Balance
from smartabsen.recognition.engines import build_engine
from smartabsen.recognition.leave_one_out import LeaveOneOutResult, decide_each, leave_one_out
from smartabsen.recognition.matchers.exact import ExactMatcher


def unit(vectors: NDArray[np.floating]) -> FloatArray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def people(photos: list[int], *, spread: float = 0.03, seed: int = 0) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return templates of people who are well apart: about 0.7 to their own, 0.0 to others; labels are 0, 1, 2 ..."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(unit(rng.normal(size=(len(photos), 512))), photos, axis=0)
    return unit(centres + spread * rng.normal(size=centres.shape)), np.repeat(np.arange(len(photos)), photos)


def tried(templates: FloatArray, labels: NDArray[np.int64]) -> LeaveOneOutResult:
    return leave_one_out(templates, labels, threshold=0.3, margin=0.05)


def test_a_good_gallery_is_all_correct() -> None:
    """Everybody is nearest to themselves, passes the limits, and nothing is suspected."""
    result = tried(*people([5, 4, 3]))
    assert (result.rank_1, result.recognised) == (Rate(12, 12), Rate(12, 12))
    assert [(person.label, person.tried, person.correct) for person in result.people] == [
        (0, 5, 5),
        (1, 4, 4),
        (2, 3, 3),
    ]
    assert (result.confusions, result.suspects, result.single) == ((), (), ())


@pytest.mark.parametrize("balance", [NO_BALANCE, Balance(handicap=0.1, copy_threshold=0.9)], ids=["not", "balanced"])
def test_each_template_is_decided_on_as_a_matcher_does_with_the_others(balance: Balance) -> None:
    """The decisions and the counts are those of a gallery that was fitted without the template."""
    templates, labels = people([1, 2, 3, 5, 8], spread=0.07)
    limits = {"threshold": 0.25, "margin": 0.05}
    found = decide_each(templates, labels, balance=balance, **limits)
    correct = recognised = 0
    for row, label in enumerate(labels.tolist()):
        rest = np.delete(np.arange(len(labels)), row)
        matcher = ExactMatcher(balance=balance)
        matcher.fit(templates[rest], labels[rest])
        (wanted,) = matcher.match(templates[row : row + 1], **limits)
        assert (found[row].outcome, found[row].label) == (wanted.outcome, wanted.label)
        assert found[row].similarity == pytest.approx(wanted.similarity, abs=2e-6)
        correct += wanted.label == label
        recognised += (wanted.outcome, wanted.label) == (Outcome.RECOGNIZED, label)
    result = leave_one_out(templates, labels, balance=balance, **limits)
    assert sum(person.correct for person in result.people) == correct
    assert sum(person.recognised for person in result.people) == recognised


def test_people_with_one_template_cannot_be_tried() -> None:
    """They are named, and do not count for or against the accuracy."""
    result = tried(*people([1, 3, 1]))
    assert (result.single, result.rank_1) == ((0, 2), Rate(3, 3))
    assert [person.label for person in result.people] == [1]
    nobody = tried(*people([1, 1]))
    assert (nobody.rank_1, nobody.recognised) == (Rate(0, 0), Rate(0, 0))


def test_a_template_that_is_nearest_to_its_owner_but_not_near_enough_is_correct_and_not_recognised() -> None:
    """Rank 1 and the decision of the kiosk are two figures."""
    templates, labels = people([3, 3], spread=0.12)
    result = tried(templates, labels)
    assert result.rank_1.share == 1.0
    assert result.recognised.share == 0.0
    assert result.confusions == ()


@pytest.mark.parametrize(("owner", "wrong"), [(5, 5), (2, 2), (1, 3), (4, 2), (2, 9)])
def test_one_photo_in_the_wrong_folder_is_found_and_nothing_else(owner: int, wrong: int) -> None:
    """Its owner's photos are confused with it, yet only the stray photo is suspected, however few photos there are."""
    templates, labels = people([owner + 1, wrong - 1, 4])
    labels = labels.copy()
    labels[owner] = 1
    result = tried(templates, labels)
    (suspect,) = result.suspects
    assert (suspect.row, suspect.label, suspect.looks_like) == (owner, 1, 0)
    assert suspect.similarity_own < 0.2 < 0.6 < suspect.similarity_other
    assert (1, 0) in {(confusion.label, confusion.taken_for) for confusion in result.confusions}


def test_two_photos_of_the_same_person_in_the_wrong_folder_are_both_found() -> None:
    """They support each other, and are a minority all the same."""
    templates, labels = people([6, 5, 4])
    labels = labels.copy()
    labels[4:6] = 1
    assert {suspect.row for suspect in tried(templates, labels).suspects} == {4, 5}


def test_photos_that_two_people_exchanged_are_both_found() -> None:
    """One photo went each way."""
    templates, labels = people([5, 5, 5])
    labels = labels.copy()
    labels[0], labels[5] = 1, 0
    found = {(suspect.row, suspect.looks_like) for suspect in tried(templates, labels).suspects}
    assert found == {(0, 0), (5, 1)}


def test_rows_are_those_of_the_caller() -> None:
    """Templates may come in any order."""
    templates, labels = people([5, 5, 5])
    labels = labels.copy()
    labels[3] = 2
    order = np.random.default_rng(1).permutation(len(labels))
    (suspect,) = tried(templates[order], labels[order]).suspects
    assert order[suspect.row] == 3


def test_twins_are_confused_and_not_suspected() -> None:
    """People who really look alike have their photos in the right folders."""
    templates, _ = people([8, 4])
    result = tried(templates, np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]))
    assert {(confusion.label, confusion.taken_for) for confusion in result.confusions} <= {(0, 1), (1, 0)}
    assert result.confusions
    assert result.suspects == ()


def test_confusions_count_templates_and_keep_the_worst_similarity() -> None:
    """Of each pair of people, in each direction; here people are angles."""
    angles = np.radians([0, 40, 5, 50, 180, 182])
    templates = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    result = tried(templates, np.array([0, 0, 1, 1, 2, 2]))
    found = [(confusion.label, confusion.taken_for, confusion.count) for confusion in result.confusions]
    assert found == [(0, 1, 2), (1, 0, 2)]
    assert result.confusions[0].similarity == pytest.approx(np.cos(np.radians(5)), abs=1e-5)
    assert result.rank_1 == Rate(2, 6)


def test_a_single_template_that_would_be_taken_for_somebody_is_confused() -> None:
    """The same face enrolled twice under different names, once with one photo."""
    templates, _ = people([4, 3])
    result = tried(templates, np.array([0, 0, 0, 9, 1, 1, 1]))
    assert (9, 0) in {(confusion.label, confusion.taken_for) for confusion in result.confusions}


def test_small_galleries_have_a_result() -> None:
    """Nobody, one template, one person."""
    nothing = tried(np.empty((0, 4), dtype=np.float32), np.empty(0, dtype=np.int64))
    assert (nothing.people, nothing.rank_1.share) == ((), None)
    assert tried(*people([1])).single == (0,)
    alone = tried(*people([4]))
    assert (alone.rank_1.share, alone.recognised.share, alone.confusions) == (1.0, 1.0, ())


def test_refuses_what_is_no_gallery() -> None:
    """Arrays are checked as they are by a matcher."""
    with pytest.raises(InvalidInputError):
        tried(np.eye(3, dtype=np.float32), np.arange(2))


def test_thousands_of_templates_take_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is done in blocks: it is fast, the blocks do not show, and memory stays bounded."""
    templates, labels = people([5] * 600)
    labels[7] = 0
    started = time.perf_counter()
    result = tried(templates, labels)
    assert time.perf_counter() - started < 10
    assert [(suspect.row, suspect.looks_like) for suspect in result.suspects] == [(7, 1)]
    monkeypatch.setattr("smartabsen.recognition.leave_one_out._BLOCK", 10 * len(labels))
    assert tried(templates[:500], labels[:500]).suspects == result.suspects


@pytest.mark.shared
def test_on_real_faces_one_photo_in_the_wrong_folder_is_found_and_nothing_else(lfw_dir: Path, models_dir: Path) -> None:
    """Twenty people with four photos each: a misplaced photo that would be recognised as its owner is suspected, alone.

    A photo below the threshold cannot be: of whom it is, nobody knows. Which ones are differs a little by processor.
    """
    engine = build_engine("openvino", models_dir=models_dir)
    names = (lfw_dir / "gallery.txt").read_text(encoding="utf-8").split()[:20]
    crops, labels = [], []
    for label, name in enumerate(names):
        for photo in sorted((lfw_dir / name).glob("*.jpg"))[:4]:
            image = cv2.imread(str(photo))
            assert image is not None
            middle = np.array(image.shape[1::-1]) / 2
            # The face that the photo is of is the one in its middle.
            face = min(engine.detector.detect(image), key=lambda face: np.hypot(*(face.landmarks_xy[2] - middle)))
            crops.append(align(image, face, engine.embedder.template))
            labels.append(label)
    templates, right = engine.embedder.embed(crops), np.array(labels)
    limits = {"threshold": engine.threshold, "margin": engine.margin}
    assert leave_one_out(templates, right, **limits).rank_1.share == 1.0
    assert leave_one_out(templates, right, **limits).suspects == ()
    similar = templates @ templates.T
    np.fill_diagonal(similar, -1.0)
    nearest_own = np.where(right[:, None] == right, similar, -1.0).max(axis=1)
    recognisable = np.flatnonzero(nearest_own > engine.threshold + 0.01)
    assert len(recognisable) > 70
    for misplaced in recognisable[::6]:
        wrong = right.copy()
        wrong[misplaced] = (right[misplaced] + 7) % 20
        (suspect,) = leave_one_out(templates, wrong, **limits).suspects
        assert (suspect.row, suspect.looks_like) == (misplaced, right[misplaced])


def test_a_photo_under_a_code_of_its_own_is_suspected_and_not_the_five_it_looks_like() -> None:
    """One person's sixth photo enrolled as somebody new: that photo is named, its true owner's are not."""
    templates, labels = people([6, 4])
    labels = labels.copy()
    labels[5] = 2
    (suspect,) = tried(templates, labels).suspects
    assert (suspect.row, suspect.label, suspect.looks_like) == (5, 2, 0)

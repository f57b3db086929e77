"""A gallery against itself: every pair, and every template as a probe."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from smartabsen.kernel.domain import FloatArray, Outcome, Rate
from smartabsen.recognition import scores as module
from smartabsen.recognition.balance import NO_BALANCE, Balance
from smartabsen.recognition.curves import Verification, judge_pairs
from smartabsen.recognition.matchers.exact import ExactMatcher
from smartabsen.recognition.scores import BINS, bin_edges, compare_gallery


def crowd(
    *, people: int = 30, most: int = 5, noise: float = 1.2, seed: int = 0
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return templates of people with one to ``most`` photos, some of them much alike; shuffled."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(people, dtype=np.int64), rng.integers(1, most + 1, people))
    rng.shuffle(labels)
    centres = rng.normal(size=(people, 32))
    centres[people // 2 :] += 1.5 * centres[: people - people // 2]
    vectors = centres[labels] + noise * rng.normal(size=(len(labels), 32))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


EVEN = Balance(handicap=0.1, copy_threshold=0.95)


@pytest.mark.parametrize("balance", [NO_BALANCE, EVEN], ids=["not balanced", "balanced"])
@pytest.mark.parametrize(("threshold", "margin"), [(0.3, 0.0), (0.5, 0.05), (0.6, 0.2)])
def test_searches_count_as_the_matcher_decides(threshold: float, margin: float, balance: Balance) -> None:
    """Each template alone against all others, and against those of all others' persons."""
    embeddings, labels = crowd()
    scores = compare_gallery(embeddings, labels, balance=balance)
    wrong = missed = taken = 0
    several = np.bincount(labels)[labels] > 1
    for row, label in enumerate(labels):
        taken += search(embeddings, labels, row, labels != label, threshold, margin, balance) is not None
        if several[row]:
            found = search(embeddings, labels, row, np.arange(len(labels)) != row, threshold, margin, balance)
            missed += found != label
            wrong += found not in (None, label)
    assert scores.fnir(threshold, margin) == Rate(missed, int(several.sum()))
    assert scores.misidentified(threshold, margin) == Rate(wrong, int(several.sum()))
    assert scores.fpir(threshold, margin) == Rate(taken, len(labels))


def search(
    embeddings: FloatArray,
    labels: NDArray[np.int64],
    row: int,
    rest: NDArray[np.bool_],
    threshold: float,
    margin: float,
    balance: Balance,
) -> int | None:
    """Return whom the matcher recognises in one row among the rest."""
    matcher = ExactMatcher(balance=balance)
    matcher.fit(embeddings[rest], labels[rest])
    (match,) = matcher.match(embeddings[row : row + 1], threshold=threshold, margin=margin)
    return match.label if match.outcome is Outcome.RECOGNIZED else None


def test_people_who_are_balanced_are_one_comparison_each() -> None:
    """A stranger meets so many chances; where nobody is lowered, every template is one."""
    embeddings, labels = crowd()
    assert compare_gallery(embeddings, labels, balance=EVEN).comparisons == len(np.unique(labels))
    assert compare_gallery(embeddings, labels).comparisons == len(labels)


def test_every_pair_is_counted_once() -> None:
    """Genuine and impostor together are all pairs; the histogram has their scores."""
    embeddings, labels = crowd()
    scores = compare_gallery(embeddings, labels)
    same = labels[:, None] == labels[None, :]
    upper = np.triu(np.ones_like(same), 1)
    assert scores.genuine.sum() == (same & upper).sum()
    assert scores.impostor.sum() == (~same & upper).sum()
    mean = (scores.genuine * bin_edges()).sum() / scores.genuine.sum()
    assert mean == pytest.approx(float((embeddings @ embeddings.T)[same & upper].mean()), abs=2e-4)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large gallery is compared in parts."""
    embeddings, labels = crowd()
    whole = compare_gallery(embeddings, labels)
    monkeypatch.setattr(module, "_BLOCK", 7 * len(labels))
    parts = compare_gallery(embeddings, labels)
    assert np.allclose(whole.other, parts.other, atol=1e-6)
    assert (whole.impostor.sum(), whole.genuine.sum()) == (parts.impostor.sum(), parts.genuine.sum())
    assert [(pair.row, pair.other) for pair in whole.worst_genuine] == [
        (pair.row, pair.other) for pair in parts.worst_genuine
    ]


def test_the_worst_pairs_come_first_and_two_people_once() -> None:
    """The least alike photos of one person; the most alike of two, one pair for each two."""
    embeddings, labels = crowd()
    scores = compare_gallery(embeddings, labels)
    lowest = [pair.similarity for pair in scores.worst_genuine]
    highest = [pair.similarity for pair in scores.worst_impostor]
    assert lowest == sorted(lowest) and highest == sorted(highest, reverse=True)
    for pair in (*scores.worst_genuine, *scores.worst_impostor):
        assert pair.similarity == pytest.approx(float(embeddings[pair.row] @ embeddings[pair.other]), abs=1e-5)
    twos = [frozenset((labels[pair.row], labels[pair.other])) for pair in scores.worst_impostor]
    assert len(set(twos)) == len(twos) == module.WORST


def test_the_threshold_for_a_fpir_is_the_lowest_that_keeps_it() -> None:
    """At it the share of strangers is kept; just below it, one more passes."""
    embeddings, labels = crowd(people=60)
    scores = compare_gallery(embeddings, labels)
    for target in (0.0, 0.02, 0.1, 0.5):
        threshold = scores.threshold_for_fpir(target, 0.05)
        assert (scores.fpir(threshold, 0.05).share or 0.0) <= target
        assert (scores.fpir(threshold - 1e-5, 0.05).share or 0.0) > target


def test_a_gallery_of_one_has_no_impostors() -> None:
    """No strangers, no second person, nothing to fail on."""
    embeddings, labels = crowd(people=1, most=3, seed=4)
    scores = compare_gallery(embeddings, labels)
    assert scores.impostor.sum() == 0 and not np.isfinite(scores.other).any()
    assert (scores.other_label == -1).all()
    assert scores.fpir(0.0, 0.0).count == 0


def histogram(*cosines: float) -> NDArray[np.int64]:
    return np.bincount([int((cosine + 1) * BINS / 2) for cosine in cosines], minlength=BINS)


def test_the_true_accept_rate_is_told_where_the_trials_support_it() -> None:
    """With 2,000 impostors a false match rate of 1 % can be told, 0.1 % cannot."""
    impostors = np.linspace(-0.5, 0.3, 2000)
    verification = Verification(histogram(*[0.29, 0.4, 0.5, 0.6]), histogram(*impostors))
    point = verification.tar_at(1e-2)
    assert point.tar == Rate(3, 4) and point.fmr.count <= 20
    assert verification.tar_at(1e-3).tar is None


def test_the_equal_error_rate_lies_where_both_errors_meet() -> None:
    """One of four on each side."""
    verification = Verification(histogram(0.1, 0.5, 0.6, 0.7), histogram(0.0, 0.05, 0.08, 0.55))
    equal = verification.equal_error_rate()
    assert equal is not None and equal.share == pytest.approx(0.25) and 0.1 < equal.threshold <= 0.5
    assert (equal.fnmr, equal.fmr) == (Rate(1, 4), Rate(1, 4))


def test_single_pairs_are_counted_by_kind() -> None:
    """What a list of pairs gives is the same as what a gallery gives."""
    made = Verification.of(np.array([0.9, -0.2, 0.4]), np.array([True, False, True]))
    assert (made.genuine_trials, made.impostor_trials) == (2, 1)
    assert made.genuine.tolist() == histogram(0.4, 0.9).tolist()


def test_pairs_are_judged_at_the_threshold_of_the_other_folds() -> None:
    """A fold whose scores are shifted is judged wrongly: it may not choose for itself."""
    similarities = np.array([0.8, 0.9, 0.1, 0.2, 0.8, 0.9, 0.1, 0.2, 0.4, 0.45, 0.1, 0.2])
    same = np.array([True, True, False, False] * 3)
    folds = np.repeat([0, 1, 2], 4)
    result = judge_pairs(similarities, same, folds, fallback=0.5)
    assert (result.folds, result.correct) == (3, Rate(10, 12))
    assert result.accuracy == pytest.approx(10 / 12)
    assert result.standard_error == pytest.approx(np.std([1, 1, 0.5], ddof=1) / np.sqrt(3))


def test_a_pair_without_a_face_is_wrong_whatever_it_is() -> None:
    """Nothing is left out of an accuracy."""
    result = judge_pairs(
        np.array([0.9, np.nan, 0.1, np.nan]), np.array([True, True, False, False]), np.zeros(4, int), fallback=0.5
    )
    assert (result.correct, result.not_acquired, result.standard_error) == (Rate(2, 4), 2, None)

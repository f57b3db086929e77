"""What every matcher does: a few lines of NumPy define it, and all of them answer the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from smartabsen.kernel.domain import FloatArray, Match, Outcome
from smartabsen.kernel.errors import InvalidInputError, UnknownBackendError
from smartabsen.recognition.decision import DECIMALS, LEAST_SIMILAR, NOBODY, decide
from smartabsen.recognition.engines import build_engine
from smartabsen.recognition.matchers import MATCHERS, auto
from smartabsen.recognition.matchers.auto import AutoMatcher
from smartabsen.recognition.matchers.base import Matcher
from smartabsen.recognition.matchers.binary import BinaryMatcher
from smartabsen.recognition.quality import PROBE_LIMITS
from smartabsen.recognition.recognizer import Recognizer


def unit(vectors: NDArray[np.floating]) -> FloatArray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def at_cosine(direction: FloatArray, cosine: float) -> FloatArray:
    """Return a unit vector at a given cosine to ``direction``, otherwise random."""
    other = np.random.default_rng(3).normal(size=direction.shape)
    other -= (other @ direction) * direction
    return unit(cosine * direction + np.sqrt(1 - cosine**2) * unit(other))


def people(count: int, *, photos: int, dimension: int = 32, seed: int = 0) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return templates of people who are well apart, shuffled; labels are 10, 20, 30 ..."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(unit(rng.normal(size=(count, dimension))), photos, axis=0)
    order = rng.permutation(count * photos)
    templates = unit(centres + 0.08 * rng.normal(size=centres.shape))
    return templates[order], np.repeat(np.arange(1, count + 1, dtype=np.int64) * 10, photos)[order]


def answer(
    templates: FloatArray, labels: NDArray[np.int64], probes: FloatArray, *, threshold: float, margin: float
) -> tuple[Match, ...]:
    """What a matcher means: the highest cosine of each person in float64, rounded; the decision on the best two."""
    matches = []
    for probe in probes:
        cosines = (templates.astype(np.float64) @ probe.astype(np.float64)).round(DECIMALS)
        persons = sorted((-float(cosines[labels == label].max()), int(label)) for label in np.unique(labels))
        best, second, *_ = [(label, -negative) for negative, label in persons] + 2 * [(NOBODY, LEAST_SIMILAR)]
        matches.append(decide(*best, *second, threshold=threshold, margin=margin))
    return tuple(matches)


class MatcherContract:
    """Subclass with ``name``."""

    name: ClassVar[str]

    @pytest.fixture
    def matcher(self) -> Matcher:
        return MATCHERS.get_factory(self.name)()

    def test_knows_its_name(self, matcher: Matcher) -> None:
        """The name is the one in the registry."""
        assert matcher.name == self.name

    def test_recognises_each_template_as_its_person(self, matcher: Matcher) -> None:
        """A probe that equals a template has similarity 1 to its owner."""
        templates, labels = people(12, photos=3)
        matcher.fit(templates, labels)
        matches = matcher.match(templates, threshold=0.5, margin=0.1)
        assert [match.label for match in matches] == labels.tolist()
        assert {match.outcome for match in matches} == {Outcome.RECOGNIZED}
        assert all(match.similarity == 1.0 for match in matches)

    def test_a_person_is_as_similar_as_the_most_similar_template(self, matcher: Matcher) -> None:
        """One good photo is enough: bad ones beside it do not pull the person down."""
        probe = np.eye(8, dtype=np.float32)[0]
        templates = np.stack([at_cosine(probe, 0.9), at_cosine(probe, 0.1), at_cosine(probe, 0.7)])
        matcher.fit(templates, np.array([4, 4, 9]))
        (match,) = matcher.match(probe[None], threshold=0.8, margin=0.2)
        assert match == Match(Outcome.RECOGNIZED, 4, pytest.approx(0.9, abs=1e-6), 9, pytest.approx(0.2, abs=2e-6))

    def test_many_photos_of_one_person_do_not_outvote_another(self, matcher: Matcher) -> None:
        """Forty good templates of one person lose to a single better one of somebody else."""
        probe = np.eye(8, dtype=np.float32)[0]
        templates = np.stack([at_cosine(probe, 0.6 + 0.001 * number) for number in range(40)] + [at_cosine(probe, 0.9)])
        matcher.fit(templates, np.array([1] * 40 + [2]))
        (match,) = matcher.match(probe[None], threshold=0.5, margin=0.1)
        assert (match.outcome, match.label, match.second_label) == (Outcome.RECOGNIZED, 2, 1)

    def test_the_second_best_person_is_found_behind_many_photos_of_the_best(self, matcher: Matcher) -> None:
        """The margin is to another person, even when forty templates of the best one come first."""
        probe = np.eye(8, dtype=np.float32)[0]
        templates = np.stack([at_cosine(probe, 0.9 - 0.001 * number) for number in range(40)] + [at_cosine(probe, 0.8)])
        matcher.fit(templates, np.array([1] * 40 + [2]))
        (match,) = matcher.match(probe[None], threshold=0.5, margin=0.11)
        assert (match.outcome, match.label, match.second_label) == (Outcome.AMBIGUOUS, 1, 2)
        assert match.margin == pytest.approx(0.1, abs=2e-6)

    def test_a_stranger_is_unknown(self, matcher: Matcher) -> None:
        """A nearest neighbour always exists; below the threshold it is not an answer."""
        templates, labels = people(12, photos=3)
        matcher.fit(templates, labels)
        stranger = unit(np.random.default_rng(99).normal(size=(1, 32)))
        (match,) = matcher.match(stranger, threshold=0.8, margin=0.1)
        assert match.outcome is Outcome.UNKNOWN
        assert match.label in labels

    def test_of_equals_the_lower_label_comes_first(self, matcher: Matcher) -> None:
        """The same photo under two or more names is ambiguous, and the answer does not depend on the order."""
        templates, _ = people(1, photos=1)
        for labels in ([7, 3, 5, 9], [9, 5, 3, 7]):
            matcher.fit(np.repeat(templates, 4, axis=0), np.array(labels))
            assert matcher.match(templates, threshold=0.5, margin=0.1) == (Match(Outcome.AMBIGUOUS, 3, 1.0, 5, 0.0),)
            assert matcher.match(templates, threshold=0.5, margin=0.0) == (Match(Outcome.RECOGNIZED, 3, 1.0, 5, 0.0),)

    def test_many_equals_are_all_looked_at(self, matcher: Matcher) -> None:
        """Among more templates that are alike than are taken one by one, the lower label comes first all the same."""
        probe = unit(np.eye(1, 32))
        matcher.fit(np.repeat(probe, 40, axis=0), np.array([7] * 12 + [3] * 13 + [5] * 15))
        (match,) = matcher.match(probe, threshold=0.5, margin=0.1)
        assert (match.outcome, match.label, match.second_label, match.margin) == (Outcome.AMBIGUOUS, 3, 5, 0.0)

    def test_an_empty_gallery_knows_nobody(self, matcher: Matcher) -> None:
        """Before the first fit, and after one with nobody, everybody is unknown."""
        probes, _ = people(2, photos=1)
        nobody = Match(Outcome.UNKNOWN, -1, -1.0, -1, 0.0)
        assert matcher.match(probes, threshold=0.1, margin=0.0) == (nobody, nobody)
        matcher.fit(probes[:0], np.empty(0, dtype=np.int64))
        assert matcher.match(probes, threshold=0.1, margin=0.0) == (nobody, nobody)

    def test_a_single_template_has_no_second_person(self, matcher: Matcher) -> None:
        """A gallery of one decides by the threshold alone."""
        templates, _ = people(1, photos=1)
        matcher.fit(templates, np.array([5]))
        assert matcher.match(templates, threshold=0.9, margin=0.9) == (Match(Outcome.RECOGNIZED, 5, 1.0, -1, 2.0),)

    def test_no_probes_give_no_answers(self, matcher: Matcher) -> None:
        """A frame without a good face asks nothing."""
        templates, labels = people(3, photos=2)
        matcher.fit(templates, labels)
        assert matcher.match(templates[:0], threshold=0.5, margin=0.1) == ()

    def test_a_fit_replaces_the_gallery_before(self, matcher: Matcher) -> None:
        """Whoever is not in the new gallery is forgotten, and its dimension may differ."""
        templates, labels = people(6, photos=2)
        matcher.fit(templates, labels)
        matcher.fit(templates[labels > 20], labels[labels > 20])
        gone = matcher.match(templates[labels == 10], threshold=0.8, margin=0.0)
        assert {match.outcome for match in gone} == {Outcome.UNKNOWN}
        other, other_labels = people(2, photos=1, dimension=16)
        matcher.fit(other, other_labels)
        assert matcher.match(other, threshold=0.8, margin=0.1)[0].outcome is Outcome.RECOGNIZED

    def test_many_probes_are_answered_in_their_order(self, matcher: Matcher) -> None:
        """Work is done in blocks that do not show."""
        templates, labels = people(150, photos=4, seed=1)
        matcher.fit(templates, labels)
        matches = matcher.match(templates, threshold=0.5, margin=0.0)
        assert [match.label for match in matches] == labels.tolist()

    def test_people_are_added_and_removed(self, matcher: Matcher) -> None:
        """The answers are those of a gallery that was fitted with what is left."""
        templates, labels = people(40, photos=3)
        early = labels <= 200
        matcher.add(templates[early], labels[early])
        for label in (210, 220, 230):
            matcher.add(templates[labels == label], labels[labels == label])
        matcher.remove(np.array([10, 100, 220, 777]))
        left = (labels <= 230) & ~np.isin(labels, [10, 100, 220])
        answers = matcher.match(templates, threshold=0.5, margin=0.1)
        assert answers == answer(templates[left], labels[left], templates, threshold=0.5, margin=0.1)

    def test_changing_a_gallery_leaves_the_arrays_it_came_from(self, matcher: Matcher) -> None:
        """The caller's arrays are the trained model's: nobody writes into them."""
        templates, labels = people(20, photos=2)
        before, before_labels = templates.copy(), labels.copy()
        matcher.fit(templates, labels)
        matcher.remove(np.array([10, 20]))
        matcher.add(unit(-templates[:3]), np.array([500, 501, 502]))
        assert (templates == before).all() and (labels == before_labels).all()

    def test_removing_everybody_leaves_an_empty_gallery(self, matcher: Matcher) -> None:
        """Then nobody is known, and somebody can be added again."""
        templates, labels = people(3, photos=2)
        matcher.fit(templates, labels)
        matcher.remove(labels)
        assert matcher.match(templates[:1], threshold=0.1, margin=0.0)[0].label == -1
        matcher.add(templates, labels)
        assert matcher.match(templates[:1], threshold=0.5, margin=0.1)[0].label == labels[0]

    def test_refuses_to_add_another_dimension(self, matcher: Matcher) -> None:
        """Embeddings of two models never meet."""
        templates, labels = people(3, photos=2)
        matcher.fit(templates, labels)
        with pytest.raises(InvalidInputError):
            matcher.add(np.eye(16, dtype=np.float32), np.arange(16))

    @pytest.mark.parametrize(
        ("embeddings", "labels"),
        [
            (np.eye(3), np.arange(3)),
            (np.eye(3, dtype=np.float32)[0], np.arange(3)),
            (np.eye(3, dtype=np.float32), np.arange(2)),
            (np.eye(3, dtype=np.float32), np.arange(3.0)),
            (np.eye(3, dtype=np.float32), np.array([0, 1, -1])),
            (np.eye(3, dtype=np.float32) * 1.1, np.arange(3)),
            (np.full((3, 3), np.nan, dtype=np.float32), np.arange(3)),
        ],
        ids=["float64", "one row", "too few labels", "labels no integers", "negative label", "length 1.1", "nan"],
    )
    def test_refuses_what_is_no_gallery(self, matcher: Matcher, embeddings: FloatArray, labels: NDArray) -> None:
        """Shapes, types and lengths are checked when they enter."""
        with pytest.raises(InvalidInputError):
            matcher.fit(embeddings, labels)

    @pytest.mark.parametrize(
        "probes",
        [np.eye(4, dtype=np.float32), np.eye(3), np.eye(3, dtype=np.float32)[0], np.ones((1, 3), dtype=np.float32)],
        ids=["other dimension", "float64", "one row", "length 1.7"],
    )
    def test_refuses_what_is_no_probe(self, matcher: Matcher, probes: FloatArray) -> None:
        """The message says what the gallery expects."""
        matcher.fit(np.eye(3, dtype=np.float32), np.arange(3))
        with pytest.raises(InvalidInputError):
            matcher.match(probes, threshold=0.5, margin=0.1)


class TestExact(MatcherContract):
    name = "exact"


class TestAuto(MatcherContract):
    name = "auto"

    def test_chooses_by_size(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Exact comparison for most firms, bits for large galleries, and exact comparison where faiss is missing."""
        matcher = AutoMatcher()
        large = auto.LARGE // 500
        templates, labels = people(large // 8 + 1, photos=8, dimension=500)
        chosen = []
        for size in (5, large - 1, large):
            matcher.fit(templates[:size], labels[:size])
            chosen.append(matcher.chosen)
        monkeypatch.setattr(auto, "find_spec", lambda _name: None)
        matcher.fit(templates, labels)
        assert [*chosen, matcher.chosen] == ["exact", "exact", "binary", "exact"]


class TestBinary(MatcherContract):
    name = "binary"

    def test_bits_alone_decide_about_clear_probes(self) -> None:
        """Comparing with everybody is for those near the limits, not the rule."""
        matcher = BinaryMatcher()
        templates, labels = people(4000, photos=3, dimension=256)
        matcher.fit(templates, labels)
        matcher.match(unit(templates[:200] + 0.02 * templates[200:400]), threshold=0.5, margin=0.1)
        assert matcher.compared_with_all == 0

    def test_strangers_are_decided_without_comparing_everybody(self) -> None:
        """They are the costly ones: nobody is so near that the others would not matter."""
        matcher = BinaryMatcher()
        templates, labels = people(4000, photos=3, dimension=256)
        matcher.fit(templates, labels)
        matches = matcher.match(unit(np.random.default_rng(8).normal(size=(50, 256))), threshold=0.35, margin=0.1)
        assert {match.outcome for match in matches} == {Outcome.UNKNOWN}
        assert matcher.compared_with_all == 0

    def test_a_second_person_is_named_however_far_away(self) -> None:
        """The lead that people are told is to somebody, not to nobody; and one person alone has no second."""
        matcher, (templates, labels) = BinaryMatcher(), people(100, photos=6, dimension=64)
        for owners, others in ((labels, set(labels.tolist()) - {labels[0]}), (np.full(len(labels), 7), {-1})):
            matcher.fit(templates, owners)
            assert matcher.match(templates[:1], threshold=0.95, margin=0.0)[0].second_label in others

    @pytest.mark.parametrize("dimension", [128, 256, 512])
    @pytest.mark.parametrize(("threshold", "margin"), [(0.25, 0.08), (0.45, 0.05), (0.7, 0.0)])
    def test_decides_as_the_definition_where_most_templates_are_no_nominees(
        self, dimension: int, threshold: float, margin: float
    ) -> None:
        """At every distance from the limits, for people and strangers, in a gallery ten times the nominees."""
        rng = np.random.default_rng(dimension)
        templates, labels = people(900, photos=3, dimension=dimension, seed=dimension)
        noise = rng.uniform(0.0, 3.0, size=(300, 1)) * unit(rng.normal(size=(300, dimension)))
        probes = unit(templates[:300] + noise.astype(np.float32))
        matcher = BinaryMatcher()
        matcher.fit(templates, labels)
        given_answers = matcher.match(probes, threshold=threshold, margin=margin)
        wanted = answer(templates, labels, probes, threshold=threshold, margin=margin)
        assert [match.outcome for match in given_answers] == [match.outcome for match in wanted]
        for given_answer, match in zip(given_answers, wanted, strict=True):
            assert given_answer.outcome is not Outcome.RECOGNIZED or given_answer.label == match.label

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
    def test_a_forked_child_can_query_after_its_parent_did(self) -> None:
        """faiss with threads of its own would hang here for ever: OpenMP does not survive a fork."""
        assert fork_and_ask("binary", "BinaryMatcher") == 0


class TestKnn(MatcherContract):
    name = "knn"

    @pytest.mark.parametrize(("photos", "k"), [([1], 1), ([3], 3), ([1, 1, 1], 2), ([5, 2, 2], 6), ([5, 1], 6)])
    def test_k_is_one_more_than_the_photos_of_one_person(self, photos: list[int], k: int) -> None:
        """It never exceeds what finds the second person, nor the gallery."""
        matcher = MATCHERS.get_factory("knn")()
        labels = np.repeat(np.arange(len(photos)), photos)
        matcher.fit(unit(np.random.default_rng(0).normal(size=(len(labels), 16))), labels)
        assert matcher.k == k  # type: ignore[attr-defined]

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
    def test_a_forked_child_can_query_after_its_parent_did(self) -> None:
        """scikit-learn's default search would hang here for ever: OpenMP does not survive a fork."""
        assert fork_and_ask("knn", "KnnMatcher") == 0


def fork_and_ask(module: str, name: str) -> int:
    """Let a child of a process that has asked a matcher ask it too; return its exit code."""
    script = (
        "import os, signal, numpy as np\n"
        f"from smartabsen.recognition.matchers.{module} import {name}\n"
        f"matcher, gallery = {name}(), np.eye(300, dtype=np.float32)\n"
        "matcher.fit(gallery, np.arange(300))\n"
        "ask = lambda: matcher.match(gallery, threshold=0.5, margin=0.1)\n"
        "ask()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    signal.alarm(45)\n"
        "    os._exit(0 if ask()[7].label == 7 else 1)\n"
        "os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    return subprocess.run([sys.executable, "-W", "ignore", "-c", script], timeout=60, check=False).returncode


@st.composite
def galleries(draw: st.DrawFn) -> tuple[FloatArray, NDArray[np.int64], FloatArray, float, float]:
    """Galleries of all sizes; few different vectors, so that duplicates and ties are common."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dimension = draw(st.sampled_from([2, 3, 16, 128]))
    rows, probes = draw(st.integers(0, 60)), draw(st.integers(0, 12))
    kinds = draw(st.integers(1, 20))
    vectors = unit(rng.normal(size=(kinds, dimension)))
    if draw(st.booleans()):
        vectors = unit(np.concatenate([vectors, vectors + 1e-4 * rng.normal(size=vectors.shape)]))
    templates = vectors[rng.integers(0, len(vectors), rows)]
    labels = rng.integers(0, draw(st.integers(1, 12)), rows)
    asked = vectors[rng.integers(0, len(vectors), probes)]
    if draw(st.booleans()):
        asked = unit(asked + 0.2 * rng.normal(size=asked.shape))
    threshold = draw(st.sampled_from([-0.9, 0.0, 0.3, 0.7, 0.99]))
    return templates, labels, asked, threshold, draw(st.sampled_from([0.0, 0.01, 0.05, 0.3, 1.0]))


@pytest.mark.parametrize("name", MATCHERS.names())
@settings(max_examples=300, deadline=None)
@given(case=galleries())
def test_every_matcher_answers_exactly_as_the_definition(
    name: str, case: tuple[FloatArray, NDArray[np.int64], FloatArray, float, float]
) -> None:
    """Outcome, person, similarity, second person and margin are equal for any gallery, ties included."""
    templates, labels, probes, threshold, margin = case
    matcher = MATCHERS.get_factory(name)()
    matcher.fit(templates, labels)
    answers = matcher.match(probes, threshold=threshold, margin=margin)
    assert answers == answer(templates, labels, probes, threshold=threshold, margin=margin)


@pytest.mark.shared
@pytest.mark.slow
def test_every_matcher_decides_alike_on_real_faces(models_dir: Path, lfw_dir: Path) -> None:
    """Photos of enrolled people and of strangers, real templates with real look-alikes."""
    # Below the engine's own, so that look-alikes come near to each other.
    limits = {"threshold": 0.3, "margin": 0.07}
    folders = sorted(path for path in lfw_dir.iterdir() if path.is_dir())[:400]
    photos = [(number, photo) for number, folder in enumerate(folders) for photo in sorted(folder.glob("*.jpg"))]
    embeddings, labels = [], []
    with build_engine("openvino", models_dir=models_dir) as loaded:
        recognizer = Recognizer(loaded.detector, loaded.embedder, limits=PROBE_LIMITS)
        for number, photo in photos:
            found = [seen for seen in recognizer.observe(cv2.imread(str(photo))) if seen.embedding is not None]
            embeddings += [found[0].embedding] if found else []
            labels += [number] if found else []
    templates, owners = np.stack(embeddings), np.array(labels)
    gallery = np.arange(len(owners)) % 2 == 0
    wanted = answer(templates[gallery], owners[gallery], templates[~gallery], **limits)
    assert {match.outcome for match in wanted} == {Outcome.RECOGNIZED, Outcome.UNKNOWN, Outcome.AMBIGUOUS}
    for name in MATCHERS.names():
        matcher = MATCHERS.get_factory(name)()
        matcher.fit(templates[gallery], owners[gallery])
        found_matches = matcher.match(templates[~gallery], **limits)
        assert [match.outcome for match in found_matches] == [match.outcome for match in wanted]
        assert found_matches == wanted or name == "binary"


def test_an_unknown_matcher_is_refused_with_the_known_ones() -> None:
    """Who mistypes the name reads the right ones."""
    with pytest.raises(UnknownBackendError, match="auto, knn, exact, binary"):
        MATCHERS.get_factory("faiss")

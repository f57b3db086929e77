"""Nobody is recognised by the number of their photos, whatever the matcher."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from smartabsen.kernel.domain import FloatArray, Match, Outcome
from smartabsen.recognition.balance import NO_BALANCE, Balance
from smartabsen.recognition.decision import DECIMALS, LEAST_SIMILAR, NOBODY, decide
from smartabsen.recognition.matchers import MATCHERS

EVEN = Balance(handicap=0.05, copy_threshold=0.98)
BALANCES = pytest.mark.parametrize("balance", [NO_BALANCE, EVEN], ids=["not balanced", "balanced"])


def unit(vectors: NDArray[np.floating]) -> FloatArray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def ask(
    name: str,
    balance: Balance,
    templates: FloatArray,
    labels: NDArray[np.int64],
    probes: FloatArray,
    limits: tuple[float, float],
) -> tuple[Match, ...]:
    matcher = MATCHERS.get_factory(name)(balance=balance)
    matcher.fit(templates, labels)
    return matcher.match(probes, threshold=limits[0], margin=limits[1])


Case = tuple[FloatArray, NDArray[np.int64], FloatArray, tuple[float, float], np.random.Generator]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Galleries in which people have few or many templates, with probes near to them and of strangers."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dimension, people = draw(st.sampled_from([3, 16, 128])), draw(st.integers(1, 8))
    labels = np.repeat(np.arange(people), rng.integers(1, 9, people))
    centres = rng.normal(size=(people, dimension))
    templates = unit(
        centres[labels] + draw(st.sampled_from([0.0, 0.3, 1.0])) * rng.normal(size=(len(labels), dimension))
    )
    near = centres[rng.integers(0, people, 8)] + rng.uniform(0, 2, (8, 1)) * rng.normal(size=(8, dimension))
    probes = unit(np.concatenate([near, rng.normal(size=(4, dimension))]))
    limits = draw(st.sampled_from([0.0, 0.3, 0.7])), draw(st.sampled_from([0.0, 0.05, 0.3]))
    return templates, labels, probes, limits, rng


def answer(
    balance: Balance,
    templates: FloatArray,
    labels: NDArray[np.int64],
    probes: FloatArray,
    limits: tuple[float, float],
) -> tuple[Match, ...]:
    """What a matcher means, word by word: a person's highest cosine, less what their different templates cost."""
    matches = []
    for probe in probes.astype(np.float64):
        persons = []
        for label in np.unique(labels):
            own = templates[labels == label].astype(np.float64)
            number = sum(1 / max(1, sum(one @ other >= balance.copy_threshold for other in own)) for one in own)
            handicap = round(balance.handicap * float(np.log(number)), DECIMALS)
            persons.append((-round(round(float((own @ probe).max()), DECIMALS) - handicap, DECIMALS), int(label)))
        ranked = [(label, -negative) for negative, label in sorted(persons)]
        best, second, *_ = ranked + 2 * [(NOBODY, LEAST_SIMILAR)]
        matches.append(decide(*best, *second, threshold=limits[0], margin=limits[1]))
    return tuple(matches)


@pytest.mark.parametrize("name", MATCHERS.names())
@settings(max_examples=60, deadline=None)
@given(case=cases())
def test_every_matcher_lowers_people_by_the_same(name: str, case: Case) -> None:
    """The definition's decisions, whatever the numbers of templates, fitted at once or grown and shrunk."""
    templates, labels, probes, limits, rng = case
    wanted = answer(EVEN, templates, labels, probes, limits)
    assert ask(name, EVEN, templates, labels, probes, limits) == wanted
    grown = MATCHERS.get_factory(name)(balance=EVEN)
    for part in np.array_split(rng.permutation(len(labels)), 3):
        grown.add(templates[part], labels[part])
    grown.add(unit(rng.normal(size=(2, probes.shape[1]))), np.array([90, 90]))
    grown.remove(np.array([90]))
    assert grown.match(probes, threshold=limits[0], margin=limits[1]) == wanted


@settings(max_examples=60, deadline=None)
@given(case=cases())
def test_a_handicap_without_a_template_is_that_of_the_others(case: Case) -> None:
    """Leave-one-out measures a person as if the template had never been enrolled."""
    templates, labels, *_ = case
    found = EVEN.find_handicaps_without_each(templates, labels)
    for row, label in enumerate(labels):
        left = np.delete(np.arange(len(labels)), row)
        others = EVEN.find_handicaps(templates[left], labels[left])[labels[left] == label]
        assert found[row] == (others[0] if len(others) else 0.0)


def test_different_templates_cost_the_logarithm_of_their_number_and_copies_nothing() -> None:
    """One template costs nothing, four cost twice what two do, and a copy of each changes nothing."""
    templates = np.eye(8, dtype=np.float32)[[0, 1, 2, 3, 4, 5, 6, 6, 6, 7]]
    labels = np.array([1, 2, 2, 3, 3, 3, 3, 3, 4, 4])
    balance = Balance(handicap=0.1, copy_threshold=0.9)
    costs = dict(zip(labels.tolist(), balance.find_handicaps(templates, labels).tolist(), strict=True))
    assert costs == {
        1: 0.0,
        2: pytest.approx(0.1 * np.log(2), abs=1e-6),
        3: pytest.approx(0.1 * np.log(4), abs=1e-6),
        4: pytest.approx(0.1 * np.log(2), abs=1e-6),
    }


def test_strangers_reach_ten_templates_about_as_often_as_one() -> None:
    """Photos of a person have half in common; without balance ten of them take six times the strangers of one."""
    rng = np.random.default_rng(7)
    dimension, people = 256, 40
    centres = rng.normal(size=(people, 1, dimension))
    templates = unit(centres + rng.normal(size=(people, 10, dimension)))
    strangers = unit(rng.normal(size=(20_000, dimension)))
    # Cosines of strangers are normal with 1 / sqrt(D): at 3 deviations their tail falls by e over a third of one.
    threshold = 3.0 / np.sqrt(dimension)
    balance = Balance(handicap=float(1 / np.sqrt(dimension) / 3.3), copy_threshold=0.99)
    taken = {
        (number, even): sum(
            int((strangers @ own[:number].T).max(axis=1).__ge__(threshold + cost).sum())
            for own in templates
            for cost in [balance.find_handicaps(own[:number], np.zeros(number, np.int64))[0] if even else 0.0]
        )
        for number in (1, 3, 10)
        for even in (False, True)
    }
    assert taken[10, False] > 5 * taken[1, False]
    assert taken[3, True] < 1.3 * taken[1, True]
    assert taken[10, True] < 1.3 * taken[1, True]


@BALANCES
@pytest.mark.parametrize("name", MATCHERS.names())
@settings(max_examples=60, deadline=None)
@given(case=cases(), times=st.integers(2, 12))
def test_the_same_templates_many_times_change_no_answer(name: str, balance: Balance, case: Case, times: int) -> None:
    """One person's photos enrolled again and again give exactly the answers of once, to everybody."""
    templates, labels, probes, limits, rng = case
    of_one = np.flatnonzero(labels == rng.choice(labels))
    rows = np.concatenate([np.arange(len(labels)), np.tile(of_one, times - 1)])
    again = ask(name, balance, templates[rows], labels[rows], probes, limits)
    assert again == ask(name, balance, templates, labels, probes, limits)


@BALANCES
@pytest.mark.parametrize("name", MATCHERS.names())
@settings(max_examples=60, deadline=None)
@given(case=cases(), further=st.integers(1, 30))
def test_templates_that_do_not_reach_the_threshold_win_nobody(
    name: str, balance: Balance, case: Case, further: int
) -> None:
    """However many templates a person gets: whom none of them reaches is recognised as that person no sooner.

    Nor is a stranger as somebody else: new templates of one make nobody else more similar.
    """
    templates, labels, probes, limits, rng = case
    person = int(rng.choice(labels))
    new = unit(rng.normal(size=(further, probes.shape[1])))
    reached = ((probes.astype(np.float64) @ new.T.astype(np.float64)).round(DECIMALS) >= limits[0]).any(axis=1)
    before = ask(name, balance, templates, labels, probes, limits)
    rows, owners = np.concatenate([templates, new]), np.concatenate([labels, np.full(further, person)])
    after = ask(name, balance, rows, owners, probes, limits)
    for is_reached, old, now in zip(reached, before, after, strict=True):
        if now.outcome is not Outcome.RECOGNIZED:
            continue
        if now.label != person:
            assert old.outcome is not Outcome.UNKNOWN
        elif not is_reached:
            assert (old.outcome, old.label) == (Outcome.RECOGNIZED, person)

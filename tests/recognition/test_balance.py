"""Nobody is recognised by the number of their photos, whatever the matcher."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from smartabsen.domain import FloatArray, Match, Outcome
from smartabsen.recognition.decision import DECIMALS
from smartabsen.recognition.matchers import MATCHERS


def unit(vectors: NDArray[np.floating]) -> FloatArray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def ask(
    name: str, templates: FloatArray, labels: NDArray[np.int64], probes: FloatArray, limits: tuple[float, float]
) -> tuple[Match, ...]:
    matcher = MATCHERS.get_factory(name)()
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


@pytest.mark.parametrize("name", MATCHERS.names())
@settings(max_examples=150, deadline=None)
@given(case=cases(), times=st.integers(2, 12))
def test_the_same_templates_many_times_change_no_answer(name: str, case: Case, times: int) -> None:
    """One person's photos enrolled again and again give exactly the answers of once, to everybody."""
    templates, labels, probes, limits, rng = case
    of_one = np.flatnonzero(labels == rng.choice(labels))
    rows = np.concatenate([np.arange(len(labels)), np.tile(of_one, times - 1)])
    assert ask(name, templates[rows], labels[rows], probes, limits) == ask(name, templates, labels, probes, limits)


@pytest.mark.parametrize("name", MATCHERS.names())
@settings(max_examples=150, deadline=None)
@given(case=cases(), further=st.integers(1, 30))
def test_templates_that_do_not_reach_the_threshold_win_nobody(name: str, case: Case, further: int) -> None:
    """However many templates a person gets: whom none of them reaches is recognised as that person no sooner.

    Nor is anybody as somebody else: new templates of one can only make the recognition of another ambiguous.
    """
    templates, labels, probes, limits, rng = case
    person = int(rng.choice(labels))
    new = unit(rng.normal(size=(further, probes.shape[1])))
    reached = ((probes.astype(np.float64) @ new.T.astype(np.float64)).round(DECIMALS) >= limits[0]).any(axis=1)
    before = ask(name, templates, labels, probes, limits)
    rows, owners = np.concatenate([templates, new]), np.concatenate([labels, np.full(further, person)])
    after = ask(name, rows, owners, probes, limits)
    for is_reached, old, now in zip(reached, before, after, strict=True):
        if now.outcome is Outcome.RECOGNIZED and (not is_reached or now.label != person):
            assert (old.outcome, old.label) == (Outcome.RECOGNIZED, now.label)

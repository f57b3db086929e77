"""Rates say what their trials can say, and no more."""

from __future__ import annotations

import numpy as np
import pytest

from smartabsen.kernel.domain import Rate
from smartabsen.recognition.rates import fmr_for, fpir_of, supports


@pytest.mark.parametrize(
    ("rate", "low", "high"),
    [
        (Rate(0, 812), 0.0, 0.003683),
        (Rate(812, 812), 1 - 0.003683, 1.0),
        (Rate(10, 100), 0.05523, 0.17437),
        (Rate(1, 2), 0.09453, 0.90547),
        (Rate(0, 0), 0.0, 1.0),
    ],
)
def test_the_interval_is_wilsons_and_at_the_ends_the_rule_of_three(rate: Rate, low: float, high: float) -> None:
    """Published values; nothing observed is not nothing there."""
    assert (rate.low, rate.high) == (pytest.approx(low, abs=1e-5), pytest.approx(high, abs=1e-5))


def test_without_trials_there_is_no_share() -> None:
    """None, not zero."""
    assert Rate(0, 0).share is None


@pytest.mark.parametrize(
    ("target", "trials", "wanted"), [(1e-3, 10_000, True), (1e-3, 9_999, False), (1e-4, 812, False)]
)
def test_a_rate_is_claimed_where_ten_errors_would_be_expected(target: float, trials: int, wanted: bool) -> None:
    """Fewer say little about its size."""
    assert supports(target, trials) is wanted


def test_identification_errs_more_often_the_more_people_there_are() -> None:
    """FPIR = 1 - (1 - FMR)^N, and its inverse."""
    assert fpir_of(1e-5, 100) == pytest.approx(0.000999505, rel=1e-6)
    assert fpir_of(1e-5, 0) == 0.0
    for people in (1, 60, 100_000):
        assert fpir_of(fmr_for(0.001, people), people) == pytest.approx(0.001)


@pytest.mark.parametrize("people", [1, 10, 60, 200])
def test_the_formula_tells_what_a_simulation_shows(people: int) -> None:
    """Strangers' independent scores against a gallery: the highest passes as often as the formula says."""
    rng = np.random.default_rng(people)
    fmr, strangers = 0.002, 20_000
    passed = int((rng.random((strangers, people), dtype=np.float32).min(axis=1) < fmr).sum())
    observed = Rate(passed, strangers)
    assert observed.low - 0.001 <= fpir_of(fmr, people) <= observed.high + 0.001

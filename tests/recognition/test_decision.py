"""The decision: a threshold, and a margin over the second-best person."""

from __future__ import annotations

import pytest

from smartabsen.kernel.domain import Match, Outcome
from smartabsen.recognition.decision import LEAST_SIMILAR, NOBODY, decide


@pytest.mark.parametrize(
    ("best", "second", "outcome"),
    [
        (0.70, 0.20, Outcome.RECOGNIZED),
        (0.40, 0.20, Outcome.RECOGNIZED),
        (0.399999, 0.00, Outcome.UNKNOWN),
        (0.39, 0.38, Outcome.UNKNOWN),
        (0.70, 0.60, Outcome.RECOGNIZED),
        (0.70, 0.600001, Outcome.AMBIGUOUS),
        (0.70, 0.70, Outcome.AMBIGUOUS),
    ],
)
def test_a_recognition_needs_the_threshold_and_the_margin(best: float, second: float, outcome: Outcome) -> None:
    """Both limits are inclusive, whatever binary fractions make of 0.7 - 0.6; the threshold is asked first."""
    match = decide(3, best, 5, second, threshold=0.40, margin=0.10)
    assert match.outcome is outcome
    assert (match.label, match.second_label) == (3, 5)
    assert match.margin == pytest.approx(best - second)


def test_a_single_person_is_recognised_by_the_threshold_alone() -> None:
    """Where there is nobody else, there is no margin to keep."""
    assert decide(3, -0.2, threshold=-0.5, margin=1.0) == Match(Outcome.RECOGNIZED, 3, -0.2, NOBODY, 0.8)
    assert decide(3, 0.3, threshold=0.4, margin=0.1).outcome is Outcome.UNKNOWN


def test_nobody_is_recognised_in_an_empty_gallery() -> None:
    """Not even with a threshold that anything passes."""
    match = decide(NOBODY, LEAST_SIMILAR, threshold=-1.0, margin=0.0)
    assert match == Match(Outcome.UNKNOWN, NOBODY, -1.0, NOBODY, 0.0)

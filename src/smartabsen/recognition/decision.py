"""The decision on one probe: a threshold, and a margin over the second-best person.

A nearest neighbour always exists; the two limits are what lets us answer "unknown" and "ambiguous". This is the
open-set identification of ISO/IEC 19795-1, with a margin that keeps look-alikes apart.
"""

from __future__ import annotations

from typing import Final

from ..kernel.domain import Match, Outcome

NOBODY: Final = -1
"""The label that stands for no person."""
LEAST_SIMILAR: Final = -1.0
"""The cosine that stands in where there is nobody to compare with."""
MOST_SIMILAR: Final = 1.001
"""Cosines end at 1; float32 rounds a little above it. Infinity and NaN are similar to nobody."""
DECIMALS: Final = 6
"""Similarities count to so many decimals: finer than float32 resolves, and equal on every processor."""


def reaches(similarity: float, threshold: float) -> bool:
    """Tell whether a similarity is one, and at least ``threshold``."""
    return threshold <= similarity <= MOST_SIMILAR


def decide(
    best_label: int,
    best_similarity: float,
    second_label: int = NOBODY,
    second_similarity: float = LEAST_SIMILAR,
    *,
    threshold: float,
    margin: float,
) -> Match:
    """Decide from the two persons who are most like the probe.

    Both limits are inclusive. Below the threshold the answer is UNKNOWN whatever the margin; a margin needs a second
    person, so a gallery of one decides by the threshold alone.

    Args:
        best_label: The most similar person, or NOBODY in an empty gallery.
        best_similarity: Cosine to that person's most similar template, -1..1.
        second_label: The most similar other person, or NOBODY.
        second_similarity: The same for the second.
        threshold: Cosine that a recognition needs at least.
        margin: What ``best_similarity`` must be above ``second_similarity`` at least.
    """
    best_similarity = round(best_similarity, DECIMALS)
    distance = round(best_similarity - second_similarity, DECIMALS)
    if best_label == NOBODY or not reaches(best_similarity, threshold):
        outcome = Outcome.UNKNOWN
    elif second_label != NOBODY and not distance >= margin:
        outcome = Outcome.AMBIGUOUS
    else:
        outcome = Outcome.RECOGNIZED
    return Match(outcome, best_label, best_similarity, second_label, distance)

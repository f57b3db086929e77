"""The scores of a gallery against itself: every pair, and every template as a probe.

Each template is searched twice: among all the other templates (a *mated* search: its person is there), and among those
of everybody else (*non-mated*: a stranger to that gallery). So nobody has to be left out of the gallery for good, and
every photo is a trial of both kinds.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..kernel.domain import FloatArray, Rate
from .balance import NO_BALANCE, Balance
from .matchers.exact import check_gallery

BINS: Final = 20_000
"""Scores of pairs are counted in steps of 0.0001."""
_BLOCK: Final = 8_000_000
"""Similarities held at once (32 MB)."""
WORST: Final = 20


@dataclass(frozen=True, slots=True)
class PairScore:
    """Two rows of the gallery and their cosine."""

    row: int
    other: int
    similarity: float


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What comparing a gallery with itself gives.

    Attributes:
        labels: int64 (N,).
        comparisons: Of one search, as far as they are independent: people who are balanced count once each, otherwise
            every template.
        own: float32 (N,), the similarity of the same person, measured by the other templates; -inf for an only one.
        other: float32 (N,), the similarity of the most similar other person; -inf where there is none.
        second: float32 (N,), the same of the second-best other person.
        other_label: int64 (N,), whom ``other`` is of; -1 where there is none.
        genuine: int64 (BINS,), pairs of one person by score, from -1 to 1.
        impostor: int64 (BINS,), pairs of two persons.
        worst_genuine: The least similar pairs of one person, the worst first.
        worst_impostor: The most similar pairs of two persons, the worst first; one for each two persons.
    """

    labels: NDArray[np.int64]
    comparisons: int
    own: FloatArray
    other: FloatArray
    second: FloatArray
    other_label: NDArray[np.int64]
    genuine: NDArray[np.int64]
    impostor: NDArray[np.int64]
    worst_genuine: tuple[PairScore, ...] = field(default=())
    worst_impostor: tuple[PairScore, ...] = field(default=())

    @property
    def people(self) -> int:
        """Number of persons."""
        return len(np.unique(self.labels))

    @property
    def rank_1(self) -> Rate:
        """Mated searches whose best person is the right one."""
        mated = np.isfinite(self.own)
        return Rate(int((self.own[mated] >= self.other[mated]).sum()), int(mated.sum()))

    def fnir(self, threshold: float, margin: float) -> Rate:
        """Mated searches that do not recognise their person (False Negative Identification Rate)."""
        mated = np.isfinite(self.own)
        own, other = self.own[mated], self.other[mated]
        return Rate(int((~((own >= threshold) & (own - other >= margin))).sum()), int(mated.sum()))

    def misidentified(self, threshold: float, margin: float) -> Rate:
        """Mated searches that recognise somebody else."""
        mated = np.isfinite(self.own)
        best_of_rest = np.maximum(self.own, self.second)[mated]
        other = self.other[mated]
        return Rate(int(((other >= threshold) & (other - best_of_rest >= margin)).sum()), int(mated.sum()))

    def fpir(self, threshold: float, margin: float) -> Rate:
        """Non-mated searches that recognise somebody (False Positive Identification Rate)."""
        found = np.isfinite(self.other)
        taken = (self.other >= threshold) & (self.other - self.second >= margin)
        return Rate(int((taken & found).sum()), len(self.labels))

    def threshold_for_fpir(self, target: float, margin: float) -> float:
        """Return the lowest threshold at which at most a share ``target`` of the non-mated searches finds somebody."""
        passing = np.sort(self.other[self.other - self.second >= margin])[::-1]
        allowed = int(target * len(self.labels))
        if len(passing) <= allowed:
            return -1.0
        # Just above the first score that must not pass.
        return float(np.nextafter(np.float32(passing[allowed]), np.float32(2.0)))


def compare_gallery(embeddings: FloatArray, labels: NDArray[np.int64], *, balance: Balance = NO_BALANCE) -> Scores:
    """Compare all templates with each other, at a cost that grows with the square of their number.

    Args:
        embeddings: float32 (N, D), rows of unit length.
        labels: int64 (N,), not negative.
        balance: Of the engine; see :class:`.balance.Balance`. Single pairs are not lowered.

    Raises:
        InvalidInputError: Shapes, types or lengths are wrong.
    """
    check_gallery(embeddings, labels)
    count = len(labels)
    order = np.argsort(labels, kind="stable")
    embeddings, labels = embeddings[order], labels[order]
    people, starts, person_of = np.unique(labels, return_index=True, return_inverse=True)
    handicaps = balance.find_handicaps(embeddings, labels)
    without = balance.find_handicaps_without_each(embeddings, labels)
    own = np.full(count, -np.inf, dtype=np.float32)
    other, second, whose = own.copy(), own.copy(), np.full(count, -1, dtype=np.int64)
    genuine, impostor = np.zeros(BINS, dtype=np.int64), np.zeros(BINS, dtype=np.int64)
    low: list[tuple[float, int, int]] = []
    high: dict[tuple[int, int], tuple[float, int, int]] = {}
    for rows, similarities in blocks(embeddings):
        same = labels[rows, None] == labels[None, :]
        after = np.arange(count)[None, :] > rows[:, None]
        genuine += count_scores(similarities[same & after])
        impostor += count_scores(similarities[~same & after])
        _keep_worst(low, high, similarities, same & after, ~same & after, rows, labels)
        similarities[np.arange(len(rows)), rows] = -np.inf
        persons = np.maximum.reduceat(similarities, starts, axis=1) if count else similarities
        every = np.arange(len(rows))
        own[rows] = persons[every, person_of[rows]] - without[rows]
        persons -= handicaps[starts]
        persons[every, person_of[rows]] = -np.inf
        best = persons.argmax(axis=1)
        other[rows] = persons[every, best]
        whose[rows] = np.where(np.isfinite(other[rows]), people[best], -1)
        persons[every, best] = -np.inf
        second[rows] = persons.max(axis=1)
    back = np.empty(count, dtype=np.intp)
    back[order] = np.arange(count)
    # A missing second person is as far away as can be, so that the margin holds.
    second = np.where(np.isfinite(second), second, np.float32(-1.0))
    return Scores(
        labels=labels[back],
        comparisons=len(people) if balance.handicap else count,
        own=own[back],
        other=other[back],
        second=second[back],
        other_label=whose[back],
        genuine=genuine,
        impostor=impostor,
        worst_genuine=tuple(PairScore(int(order[a]), int(order[b]), -s) for s, a, b in sorted(low, reverse=True)),
        worst_impostor=tuple(
            PairScore(int(order[a]), int(order[b]), s) for s, a, b in sorted(high.values(), reverse=True)[:WORST]
        ),
    )


def bin_edges() -> NDArray[np.float64]:
    """Return the lower edge of each bin of a histogram of scores."""
    return np.linspace(-1.0, 1.0, BINS + 1)[:-1]


def count_scores(similarities: NDArray[Any]) -> NDArray[np.int64]:
    """Return a histogram, int64 (BINS,), of cosines of any shape."""
    places = ((np.clip(similarities, -1.0, 1.0) + 1.0) * (BINS / 2)).astype(np.int64)
    return np.bincount(np.minimum(places, BINS - 1), minlength=BINS)


def blocks(embeddings: FloatArray) -> Iterator[tuple[NDArray[np.intp], FloatArray]]:
    """Yield some rows after the other, int64 (B,), and their cosines to all rows, float32 (B, N)."""
    step = max(1, _BLOCK // max(1, len(embeddings)))
    for start in range(0, len(embeddings), step):
        rows = np.arange(start, min(start + step, len(embeddings)))
        yield rows, embeddings[rows] @ embeddings.T


def _keep_worst(
    low: list[tuple[float, int, int]],
    high: dict[tuple[int, int], tuple[float, int, int]],
    similarities: FloatArray,
    genuine: NDArray[np.bool_],
    impostor: NDArray[np.bool_],
    rows: NDArray[np.intp],
    labels: NDArray[np.int64],
) -> None:
    """Keep the least similar pairs of one person, and the most similar one of each two persons."""
    place, column = np.nonzero(genuine)
    for score, row, other in _first(-similarities[place, column], rows[place], column, WORST):
        (heapq.heappush if len(low) < WORST else heapq.heappushpop)(low, (score, row, other))
    place, column = np.nonzero(impostor)
    # More than are shown: many pairs may be of the same two persons.
    for score, row, other in _first(similarities[place, column], rows[place], column, 50 * WORST):
        two = (int(labels[row]), int(labels[other]))
        high[two] = max(high.get(two, (-np.inf, 0, 0)), (score, row, other))


def _first(
    scores: FloatArray, rows: NDArray[np.intp], others: NDArray[np.intp], count: int
) -> Iterator[tuple[float, int, int]]:
    chosen = np.argpartition(-scores, count)[:count] if len(scores) > count else np.arange(len(scores))
    yield from zip(scores[chosen].tolist(), rows[chosen].tolist(), others[chosen].tolist(), strict=True)

"""The templates of a gallery as arrays that grow and shrink in place, and the exact ranking of a few of them.

The order of the rows means nothing to a matcher (of equals the lower label comes first), so what is removed is filled
with rows from the end: no change costs more than the rows it touches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import FloatArray
from ..balance import Balance
from ..decision import DECIMALS, LEAST_SIMILAR, NOBODY

_FIRST_CAPACITY: Final = 64
_FEW: Final = 8
_SCALE: Final = 10.0**DECIMALS
"""Numbers are rounded as NumPy does it, by a product: quicker than to the nearest decimal number."""

Ranked = tuple[int, float]
"""A person's label and similarity."""


class Rows:
    """Arrays of equal length, one row of each for every template.

    Arrays that are given are used as they are, without a copy, until the first change.

    Args:
        columns: Arrays whose first axis counts templates.
    """

    def __init__(self, *columns: NDArray[Any]) -> None:
        self._columns = list(columns)
        self._count = len(columns[0])
        self._own = False
        # Kept: cutting them anew at each search takes longer than to compare a few templates.
        self._views = list(columns)

    def __len__(self) -> int:
        return self._count

    def column(self, number: int) -> NDArray[Any]:
        """Return the rows of one array, as a view."""
        return self._views[number]

    def append(self, *columns: NDArray[Any]) -> None:
        """Add rows at the end."""
        needed = self._count + len(columns[0])
        if not self._own or needed > len(self._columns[0]):
            self._make_room(max(_FIRST_CAPACITY, needed + needed // 2))
        for mine, new in zip(self._columns, columns, strict=True):
            mine[self._count : needed] = new
        self._cut(needed)

    def replace(self, number: int, rows: NDArray[np.intp], values: NDArray[Any]) -> None:
        """Write other values into rows of one array that was not given by a caller."""
        self._columns[number][rows] = values

    def remove(self, gone: NDArray[np.intp]) -> None:
        """Remove the rows of these numbers, all different; rows from the end take their places."""
        if not len(gone):
            return
        if not self._own:
            self._make_room(self._count)
        left = self._count - len(gone)
        holes = gone[gone < left]
        movers = np.setdiff1d(np.arange(left, self._count), gone, assume_unique=True)
        for mine in self._columns:
            mine[holes] = mine[movers]
        self._cut(left)

    def _cut(self, count: int) -> None:
        self._count = count
        self._views = [column[:count] for column in self._columns]

    def _make_room(self, capacity: int) -> None:
        for number, mine in enumerate(self._columns):
            roomy = np.empty((capacity, *mine.shape[1:]), dtype=mine.dtype)
            roomy[: self._count] = mine[: self._count]
            self._columns[number] = roomy
        self._own = True


def add_templates(rows: Rows, embeddings: FloatArray, labels: NDArray[np.int64], *more: Any, balance: Balance) -> None:
    """Add templates to rows of embeddings, labels, handicaps and perhaps more; find those people's handicaps anew."""
    rows.append(embeddings, labels, np.zeros(len(labels), dtype=np.float32), *more)
    theirs = np.flatnonzero(np.isin(rows.column(1), labels))
    rows.replace(2, theirs, balance.find_handicaps(rows.column(0)[theirs], rows.column(1)[theirs]))


def lower_exactly(cosines: NDArray[np.float64], handicaps: FloatArray) -> NDArray[np.float64]:
    """Return cosines in float64, lowered by handicaps of the same shape and rounded as decisions count them."""
    return (cosines.round(DECIMALS) - handicaps.astype(np.float64)).round(DECIMALS)


def rank_exactly(gallery: Rows, rows: Sequence[int], probe: FloatArray) -> tuple[Ranked, Ranked]:
    """Return the best and the second-best person of some rows, by cosines in float64, lowered and rounded.

    Args:
        gallery: Of embeddings, labels, handicaps and perhaps more.
        rows: One at least.
        probe: float32 (D,).
    """
    embeddings, labels, handicaps = gallery.column(0), gallery.column(1), gallery.column(2)
    exact = probe.astype(np.float64)
    if len(rows) > _FEW:
        lowered = lower_exactly(embeddings[rows].astype(np.float64) @ exact, handicaps[rows])
        return rank_two(labels[rows].tolist(), lowered.tolist())
    # Mostly two rows matter, and of so few plain numbers take a third of the time of arrays.
    few = []
    for row in rows:
        cosine = round(float(embeddings[row].dot(exact)) * _SCALE) / _SCALE
        few.append(round((cosine - handicaps.item(row)) * _SCALE) / _SCALE)
    return rank_two([labels.item(row) for row in rows], few)


def rank_two(labels: Sequence[int], similarities: Sequence[float]) -> tuple[Ranked, Ranked]:
    """Return the best and the second-best person of at least one template; of equals the lower label comes first.

    Args:
        labels: Whose each template is.
        similarities: Of each, rounded.
    """
    best: Ranked = (NOBODY, -math.inf)
    second: Ranked = (NOBODY, LEAST_SIMILAR)
    for ranked in zip(labels, similarities, strict=True):
        label, similarity = ranked
        if similarity > best[1] or (similarity == best[1] and label < best[0]):
            if label != best[0] != NOBODY:
                second = best
            best = ranked
        elif label != best[0] and (second[0] == NOBODY or (similarity, -label) > (second[1], -second[0])):
            second = ranked
    return best, second

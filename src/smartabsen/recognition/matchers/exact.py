"""Every probe against every template, by BLAS in float32; what comes near to deciding is measured again in float64.

What it answers is what a matcher means: the definition is :class:`.base.Matcher`, and the tests compare all matchers
with a few lines of NumPy that follow it word by word.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import FloatArray, Match
from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_
from ..balance import NO_BALANCE, Balance
from ..decision import DECIMALS, LEAST_SIMILAR, NOBODY, decide
from .rows import Rows, add_templates, rank_exactly

_BLOCK: Final = 4_000_000
"""Similarities held at once (16 MB)."""
_FLOAT32_UNIT: Final = 2.0**-24
_FEW_TAKEN: Final = 8
"""So many are taken one by one, which is quicker than to go through all labels; a person has mostly fewer templates."""
_OFF_LENGTH: Final = 2e-3
"""The squared length of a vector of length 1 may be off by this."""


class ExactMatcher:
    """Holds the gallery as it is given, without a copy, until people are added or removed.

    A similarity in float32 is off by D x 2**-24 at most (Higham, "Accuracy and Stability of Numerical Algorithms",
    section 3.1: both vectors are of unit length). All templates that could be the best or the second-best person's
    within that are measured again in float64, so rounding never decides.

    Args:
        balance: See :class:`.base.Matcher`.
    """

    name = "exact"

    def __init__(self, *, balance: Balance = NO_BALANCE) -> None:
        self._balance = balance
        self._rows = Rows(np.empty((0, 0), np.float32), np.empty(0, np.int64), np.empty(0, np.float32))

    def fit(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Take a gallery over, replacing the one before; see :meth:`Matcher.fit`."""
        check_gallery(embeddings, labels)
        self._rows = Rows(embeddings, labels, self._balance.find_handicaps(embeddings, labels))

    def add(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Add templates; see :meth:`Matcher.add`."""
        if not len(self._rows):
            self.fit(embeddings, labels)
            return
        check_gallery(embeddings, labels, dimension=self._rows.column(0).shape[1])
        add_templates(self._rows, embeddings, labels, balance=self._balance)

    def remove(self, labels: NDArray[np.int64]) -> None:
        """Remove people; see :meth:`Matcher.remove`."""
        self._rows.remove(np.flatnonzero(np.isin(self._rows.column(1), labels)))

    def match(self, probes: FloatArray, *, threshold: float, margin: float) -> tuple[Match, ...]:
        """Decide on each probe; see :meth:`Matcher.match`."""
        if not len(self._rows):
            return nobody(probes, threshold=threshold, margin=margin)
        check_probes(probes, dimension=self._rows.column(0).shape[1])
        return match_exactly(self._rows, probes, threshold=threshold, margin=margin)


def match_exactly(rows: Rows, probes: FloatArray, *, threshold: float, margin: float) -> tuple[Match, ...]:
    """Decide on probes against a gallery of one template at least: embeddings, labels and handicaps, all checked."""
    if len(probes) == 1:
        # A product with one vector is faster than with a matrix of one row.
        return (_decide(rows, probes[0], rows.column(0).dot(probes[0]), threshold, margin),)
    matches: list[Match] = []
    step = max(1, _BLOCK // len(rows))
    for start in range(0, len(probes), step):
        block = probes[start : start + step]
        similarities = block @ rows.column(0).T
        matches += [_decide(rows, *pair, threshold, margin) for pair in zip(block, similarities, strict=True)]
    return tuple(matches)


def _decide(rows: Rows, probe: FloatArray, similarities: FloatArray, threshold: float, margin: float) -> Match:
    """Decide on a probe by its products with all templates, float32 (N,), which are overwritten."""
    similarities -= rows.column(2)
    best, second = rank_exactly(rows, find_decisive(rows.column(1), similarities, len(probe)), probe)
    return decide(*best, *second, threshold=threshold, margin=margin)


def find_decisive(labels: NDArray[np.int64], similarities: FloatArray, dimension: int) -> list[int]:
    """Return the rows that could be the best or the second-best person's, by similarities that are a little off.

    Args:
        labels: int64 (N,), N >= 1.
        similarities: float32 (N,), products of vectors in float32, lowered by handicaps; overwritten.
        dimension: Numbers in those vectors.
    """
    # Twice the error of one, lowered or not, and what rounding makes equal.
    near = 2 * (dimension + 2) * _FLOAT32_UNIT + 10.0**-DECIMALS
    taken: list[int] = []
    values: list[float] = []
    rows: list[int] = []
    least = -math.inf
    best, least_of_best, least_of_others = NOBODY, math.inf, least
    # One after the other from the most similar on: of most probes a few are enough.
    for _ in range(_FEW_TAKEN):
        row = int(similarities.argmax())
        value, label = similarities.item(row), labels.item(row)
        if value < least_of_others or value == least:
            return rows
        if best == NOBODY:
            best, least_of_best = label, value - near
        elif label != best and least_of_others == least:
            least_of_others = value - near
        if label != best or value >= least_of_best:
            rows.append(row)
        taken.append(row)
        values.append(value)
        similarities[row] = least
    similarities[taken] = values
    return _find_decisive_of_many(labels, similarities, near)


def _find_decisive_of_many(labels: NDArray[np.int64], similarities: FloatArray, near: float) -> list[int]:
    first = int(similarities.argmax())
    own = np.flatnonzero(labels == labels[first])
    rows: list[int] = own[similarities[own] >= similarities[first] - near].tolist()
    similarities[own] = -np.inf
    second = float(similarities.max())
    if second > -math.inf:
        rows += np.flatnonzero(similarities >= second - near).tolist()
    return rows


def check_gallery(embeddings: FloatArray, labels: NDArray[np.int64], *, dimension: int | None = None) -> None:
    """Refuse arrays that are no gallery: float32 (N, D) of unit length and int64 (N,), not negative.

    Args:
        dimension: D where it is fixed.

    Raises:
        InvalidInputError: They are not.
    """
    if embeddings.ndim != 2 or embeddings.dtype != np.float32 or dimension not in (None, embeddings.shape[1]):
        raise InvalidInputError(
            N_("A gallery is float32 (N, {dimension}), not {dtype} {shape}."),
            dimension=dimension or "D",
            dtype=embeddings.dtype,
            shape=embeddings.shape,
        )
    if labels.shape != embeddings.shape[:1] or labels.dtype != np.int64 or (labels < 0).any():
        raise InvalidInputError(
            N_("The labels of {rows} templates are int64 ({rows},), not negative; got {dtype} {shape}."),
            rows=len(embeddings),
            dtype=labels.dtype,
            shape=labels.shape,
        )
    _check_unit_length(embeddings)


def check_probes(probes: FloatArray, *, dimension: int) -> None:
    """Refuse arrays that are no probes for a gallery of ``dimension``: float32 (M, dimension) of unit length.

    Raises:
        InvalidInputError: They are not.
    """
    if probes.ndim != 2 or probes.shape[1] != dimension or probes.dtype != np.float32:
        raise InvalidInputError(
            N_("Probes for this gallery are float32 (M, {dimension}), not {dtype} {shape}."),
            dimension=dimension,
            dtype=probes.dtype,
            shape=probes.shape,
        )
    _check_unit_length(probes)


def nobody(probes: FloatArray, *, threshold: float, margin: float) -> tuple[Match, ...]:
    """Return the answers of an empty gallery: UNKNOWN for each probe."""
    return tuple(decide(NOBODY, LEAST_SIMILAR, threshold=threshold, margin=margin) for _ in probes)


def _check_unit_length(vectors: FloatArray) -> None:
    if len(vectors) == 1:
        # One probe at a time is the rule, and a small gallery is compared in less time than this takes for many.
        vector = vectors[0]
        if abs(float(vector.dot(vector)) - 1.0) <= _OFF_LENGTH:
            return
    lengths = np.einsum("nd,nd->n", vectors, vectors)
    # Written so that NaN fails too.
    wrong = ~(np.abs(lengths - 1.0) <= _OFF_LENGTH)
    if wrong.any():
        row = int(wrong.argmax())
        raise InvalidInputError(
            N_("Embeddings are of length 1; row {row} is of length {length}."),
            row=row,
            length=f"{float(np.sqrt(lengths[row])):.4f}",
        )

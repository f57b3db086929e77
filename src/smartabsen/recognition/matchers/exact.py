"""The reference: every probe against every template, in NumPy. What it answers is what a matcher means."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...domain import FloatArray, Match
from ...errors import InvalidInputError
from ...i18n import N_
from ..decision import DECIMALS, LEAST_SIMILAR, NOBODY, decide

_BLOCK: Final = 4_000_000
"""Similarities held at once (32 MB)."""


class ExactMatcher:
    """Compares in float64, so that rounding never decides; holds the gallery at twice its size."""

    name = "exact"

    def __init__(self) -> None:
        self._templates_t = np.empty((0, 0), dtype=np.float64)
        self._labels = np.empty(0, dtype=np.int64)
        self._starts = np.empty(0, dtype=np.intp)

    def fit(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Take a gallery over, replacing the one before; see :meth:`Matcher.fit`."""
        check_gallery(embeddings, labels)
        order = np.argsort(labels, kind="stable")
        self._labels, self._starts = np.unique(labels[order], return_index=True)
        self._templates_t = np.ascontiguousarray(embeddings[order].T, dtype=np.float64)

    def match(self, probes: FloatArray, *, threshold: float, margin: float) -> tuple[Match, ...]:
        """Decide on each probe; see :meth:`Matcher.match`."""
        dimension, templates = self._templates_t.shape
        if templates == 0:
            return nobody(probes, threshold=threshold, margin=margin)
        check_probes(probes, dimension=dimension)
        matches: list[Match] = []
        rows = max(1, _BLOCK // templates)
        for start in range(0, len(probes), rows):
            similarities = probes[start : start + rows].astype(np.float64) @ self._templates_t
            # (rows, persons): the best template of each person, whose columns lie side by side.
            persons = np.maximum.reduceat(similarities, self._starts, axis=1).round(DECIMALS)
            best = persons.argmax(axis=1)
            every = np.arange(len(persons))
            best_similarities = persons[every, best]
            persons[every, best] = -np.inf
            second = persons.argmax(axis=1)
            alone = len(self._labels) == 1
            matches += (
                decide(
                    int(self._labels[best[row]]),
                    float(best_similarities[row]),
                    NOBODY if alone else int(self._labels[second[row]]),
                    LEAST_SIMILAR if alone else float(persons[row, second[row]]),
                    threshold=threshold,
                    margin=margin,
                )
                for row in every
            )
        return tuple(matches)


def check_gallery(embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
    """Refuse arrays that are no gallery: float32 (N, D) of unit length and int64 (N,), not negative.

    Raises:
        InvalidInputError: They are not.
    """
    if embeddings.ndim != 2 or embeddings.dtype != np.float32:
        raise InvalidInputError(
            N_("A gallery is float32 (N, D), not {dtype} {shape}."), dtype=embeddings.dtype, shape=embeddings.shape
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
    lengths = np.einsum("nd,nd->n", vectors, vectors)
    # Written so that NaN fails too.
    wrong = ~(np.abs(lengths - 1.0) <= 2e-3)
    if wrong.any():
        row = int(wrong.argmax())
        raise InvalidInputError(
            N_("Embeddings are of length 1; row {row} is of length {length}."),
            row=row,
            length=f"{float(np.sqrt(lengths[row])):.4f}",
        )

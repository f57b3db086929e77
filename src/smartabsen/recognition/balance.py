"""People with many templates are measured more strictly, so that nobody wins by number of photos.

A person is as similar as the most similar template, so each further template is one more chance for a stranger. Near
the threshold the share of strangers that reach a template falls by a factor e over a small stretch of the cosine, about
the same all along; n templates multiply it by n at most (union bound), which that stretch x ln n takes back. By so much
a person's similarity is lowered. ``bench/balance.py`` measures the stretch of each engine, its *handicap*, and what it
costs and saves.

Copies are no further chances: templates that show the same picture, or one taken an instant later, count as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..kernel.domain import FloatArray
from .decision import DECIMALS

_NUMBERS: Final = 16_000_000
"""Numbers of embeddings that are held in double precision at once (128 MB)."""


@dataclass(frozen=True, slots=True)
class Balance:
    """How people with different numbers of templates are made comparable.

    Attributes:
        handicap: What a person's similarity is lowered by when the number of different templates grows by a factor e.
        copy_threshold: Cosine from which two templates of one person are copies.
    """

    handicap: float
    copy_threshold: float

    def find_handicaps(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> FloatArray:
        """Return by how much the similarity of each row's person is lowered, 0 for those with one template.

        Args:
            embeddings: float32 (N, D), rows of unit length.
            labels: int64 (N,).

        Returns:
            float32 (N,), of so many decimals as similarities count. It does not depend on the order of the rows.
        """
        found = np.zeros(len(labels), dtype=np.float32)
        if self.handicap:
            for rows, copies in self._by_number(embeddings, labels, least=2):
                found[rows] = self._lower((1.0 / copies.sum(axis=2)).sum(axis=1))[:, None]
        return found

    def find_handicaps_without_each(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> FloatArray:
        """Return the same as if each row were not in the gallery: what its person then has; arguments as above."""
        found = np.zeros(len(labels), dtype=np.float32)
        if self.handicap:
            for rows, copies in self._by_number(embeddings, labels, least=3):
                left = copies.sum(axis=2)[:, :, None] - copies
                # What is left of a row without itself counts for nothing.
                shares = np.where(np.eye(rows.shape[1], dtype=bool), 0.0, 1.0 / np.maximum(left, 1))
                found[rows] = self._lower(shares.sum(axis=1))
        return found

    def _by_number(
        self, embeddings: FloatArray, labels: NDArray[np.int64], *, least: int
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
        """Yield people with equal numbers of templates: rows (P, n), and which are copies of which (P, n, n)."""
        order = np.argsort(labels, kind="stable")
        _, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
        for number in np.unique(counts[counts >= least]).tolist():
            rows = order[starts[counts == number][:, None] + np.arange(number)]
            step = max(1, _NUMBERS // (number * embeddings.shape[1]))
            for start in range(0, len(rows), step):
                part = embeddings[rows[start : start + step]].astype(np.float64)
                copies = part @ part.transpose(0, 2, 1) >= self.copy_threshold
                yield rows[start : start + step], copies | np.eye(number, dtype=bool)

    def _lower(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((self.handicap * np.log(np.maximum(numbers, 1.0))).round(DECIMALS))


NO_BALANCE: Final = Balance(handicap=0.0, copy_threshold=1.0)
"""Nobody is lowered."""

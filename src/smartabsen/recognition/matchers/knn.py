"""k nearest neighbours by scikit-learn, with the decisions of every matcher.

The textbook's vote among sqrt(N) neighbours does not fit attendance: with 50 people of 5 photos each, 11 of 16
neighbours are other people by construction, and a vote cannot say "unknown". Here the neighbours only *nominate*:
the nearest one of each person stands for the person, and
:func:`smartabsen.recognition.decision.decide` decides on the two who are most similar.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.neighbors import NearestNeighbors

from ...kernel.domain import FloatArray, Match
from ..balance import NO_BALANCE, Balance
from ..decision import decide
from .exact import check_gallery, check_probes, nobody
from .rows import Ranked, lower_exactly, rank_two

_TIE: Final = 1e-5
"""Neighbours nearer to each other than this may come in either order: scikit-learn computes in float32."""
_BLOCK_ROWS: Final = 256


class KnnMatcher:
    """scikit-learn's NearestNeighbors by cosine, brute force: the search of its KNN classifier, without the vote.

    ``metric="cosine"`` also keeps clear of scikit-learn's OpenMP search, after which a forked child hangs for ever.

    Args:
        balance: See :class:`.base.Matcher`.
    """

    name = "knn"

    def __init__(self, *, balance: Balance = NO_BALANCE) -> None:
        self._balance = balance
        self._search: NearestNeighbors | None = None
        self._templates = np.empty((0, 0), dtype=np.float32)
        self._labels = np.empty(0, dtype=np.int64)
        self._handicaps = np.empty(0, dtype=np.float32)
        self._k = 0

    @property
    def k(self) -> int:
        """Neighbours that decide: one more than the templates of the person who has most, 0 in an empty gallery.

        All templates of the best person may be nearer than the first one of anybody else; with one neighbour more
        than that, the second-best person is always among them, however many photos people have.
        """
        return self._k

    def fit(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Take a gallery over, replacing the one before; see :meth:`Matcher.fit`."""
        check_gallery(embeddings, labels)
        self._templates, self._labels = embeddings, labels
        self._handicaps = self._balance.find_handicaps(embeddings, labels)
        if len(labels) == 0:
            self._search, self._k = None, 0
            return
        most = int(np.unique(labels, return_counts=True)[1].max())
        self._k = min(len(labels), most + 1)
        self._search = NearestNeighbors(n_neighbors=self._k, metric="cosine", algorithm="brute")
        self._search.fit(embeddings)

    def add(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Add templates; see :meth:`Matcher.add`. Fitting a brute-force search only copies the arrays."""
        if not len(self._labels):
            self.fit(embeddings, labels)
            return
        check_gallery(embeddings, labels, dimension=self._templates.shape[1])
        self.fit(np.concatenate([self._templates, embeddings]), np.concatenate([self._labels, labels]))

    def remove(self, labels: NDArray[np.int64]) -> None:
        """Remove people; see :meth:`Matcher.remove`."""
        stay = ~np.isin(self._labels, labels)
        self.fit(self._templates[stay], self._labels[stay])

    def match(self, probes: FloatArray, *, threshold: float, margin: float) -> tuple[Match, ...]:
        """Decide on each probe; see :meth:`Matcher.match`."""
        if self._search is None:
            return nobody(probes, threshold=threshold, margin=margin)
        check_probes(probes, dimension=self._templates.shape[1])
        matches: list[Match] = []
        for start in range(0, len(probes), _BLOCK_ROWS):
            block = probes[start : start + _BLOCK_ROWS]
            # One neighbour beyond k shows whether a tie was cut.
            ranked = self._rank(block, neighbours=min(len(self._labels), self._k + 1))
            for best, second in ranked:
                matches.append(decide(*best, *second, threshold=threshold, margin=margin))
        return tuple(matches)

    def _rank(self, probes: FloatArray, *, neighbours: int) -> list[tuple[Ranked, Ranked]]:
        """Return the label and similarity of the best and the second-best person of each probe."""
        assert self._search is not None
        # The arrays were checked; scikit-learn's checks of them are two fifths of the time in a small gallery.
        with config_context(assume_finite=True, skip_parameter_validation=True):
            nearest = self._search.kneighbors(probes, n_neighbors=neighbours, return_distance=False)
        # float64 as in the other matchers, not scikit-learn's float32: the same decision to the last decimal.
        cosines_of_all = np.einsum(
            "mkd,md->mk", self._templates[nearest], probes, dtype=np.float64, casting="same_kind"
        )
        lowered_of_all = lower_exactly(cosines_of_all, self._handicaps[nearest])
        ranked = []
        for row, (labels, cosines) in enumerate(zip(self._labels[nearest], cosines_of_all, strict=True)):
            best, second = rank_two(labels.tolist(), lowered_of_all[row].tolist())
            if neighbours < len(self._labels) and cosines.min() > second[1] - _TIE:
                # Others who are as near as the second, lowered by less, may have been cut off: look further.
                best, second = self._rank(probes[row : row + 1], neighbours=min(len(self._labels), 4 * neighbours))[0]
            ranked.append((best, second))
        return ranked

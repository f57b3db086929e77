"""Large galleries: sign bits nominate, the embeddings decide.

Each template is also kept as bits: on which side of so many random planes it lies. Two vectors at an angle differ in
angle / pi of them on average (Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002),
whatever the engine. faiss counts differing bits of a million templates in milliseconds; the nearest ones are then
compared exactly.

Bits can miss what they should have nominated. So each search also says how far in bits a template can be expected that
would change the decision, and where the nominees do not reach that far, the probe is compared with everybody. That
happens to probes that are near the threshold, seldom to a good picture of somebody who is enrolled.
"""

from __future__ import annotations

import math
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

from ...domain import FloatArray, Match
from ..balance import NO_BALANCE, Balance
from ..decision import decide
from .exact import check_gallery, check_probes, match_exactly, nobody
from .rows import Rows, add_templates, measure_exactly, rank_two

BITS: Final = 512
NOMINEES: Final = 256
"""Templates that are compared exactly at least; in a smaller gallery, all."""
SHARE: Final = 1 / 500
MOST_NOMINEES: Final = 4_096
"""So many of a large gallery: the larger share, but not more than this."""
DEVIATIONS: Final = 4.0
"""A template that would change the decision is missed with a probability of 3 in 100,000 (normal approximation)."""
_ENCODED_AT_ONCE: Final = 65_536
_SEED: Final = 2026


class BinaryMatcher:
    """See the module.

    faiss runs with one thread: its threads would make a forked child hang, and one probe does not gain from more.

    Args:
        balance: See :class:`.base.Matcher`.
    """

    name = "binary"

    def __init__(self, *, balance: Balance = NO_BALANCE) -> None:
        self._balance = balance
        self._planes = np.empty((BITS, 0), dtype=np.float32)
        self._rows = Rows(
            np.empty((0, 0), np.float32),
            np.empty(0, np.int64),
            np.empty(0, np.float32),
            np.empty((0, BITS // 8), np.uint8),
        )
        self.compared_with_all = 0
        """Probes, since the last fit, that bits could not decide."""
        faiss.omp_set_num_threads(1)

    def fit(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Take a gallery over, replacing the one before; see :meth:`Matcher.fit`."""
        check_gallery(embeddings, labels)
        self._planes = _make_planes(embeddings.shape[1])
        handicaps = self._balance.find_handicaps(embeddings, labels)
        self._rows = Rows(embeddings, labels, handicaps, self._encode(embeddings))
        self.compared_with_all = 0

    def add(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Add templates; see :meth:`Matcher.add`."""
        if not len(self._rows):
            self.fit(embeddings, labels)
            return
        check_gallery(embeddings, labels, dimension=self._planes.shape[1])
        add_templates(self._rows, embeddings, labels, self._encode(embeddings), balance=self._balance)

    def remove(self, labels: NDArray[np.int64]) -> None:
        """Remove people; see :meth:`Matcher.remove`."""
        self._rows.remove(np.flatnonzero(np.isin(self._rows.column(1), labels)))

    def match(self, probes: FloatArray, *, threshold: float, margin: float) -> tuple[Match, ...]:
        """Decide on each probe; see :meth:`Matcher.match`."""
        if not len(self._rows):
            return nobody(probes, threshold=threshold, margin=margin)
        check_probes(probes, dimension=self._planes.shape[1])
        if not len(probes):
            return ()
        embeddings, labels, handicaps, codes = (self._rows.column(number) for number in range(4))
        count = min(len(labels), max(NOMINEES, min(MOST_NOMINEES, int(len(labels) * SHARE))))
        distances, nominees = faiss.knn_hamming(self._encode(probes), codes, count, variant="mc")
        matches: list[Match] = []
        for probe, rows, reach in zip(probes, nominees, distances[:, -1], strict=True):
            best, second = rank_two(labels[rows], measure_exactly(embeddings[rows], handicaps[rows], probe))
            # What could change the decision: a template at the threshold, or a second person within the margin. As
            # handicaps only lower, its cosine is that high at least.
            needed = best[1] - margin if best[1] >= threshold else threshold
            if count < len(labels) and reach <= _farthest(needed):
                self.compared_with_all += 1
                matches += match_exactly(self._rows, probe[None], threshold=threshold, margin=margin)
            else:
                matches.append(decide(*best, *second, threshold=threshold, margin=margin))
        return tuple(matches)

    def _encode(self, vectors: FloatArray) -> NDArray[np.uint8]:
        """Return the bits of vectors (N, D), packed as (N, BITS / 8)."""
        codes = np.empty((len(vectors), BITS // 8), dtype=np.uint8)
        for start in range(0, len(vectors), _ENCODED_AT_ONCE):
            part = vectors[start : start + _ENCODED_AT_ONCE]
            codes[start : start + len(part)] = np.packbits(part @ self._planes.T > 0, axis=1)
        return codes


def _make_planes(dimension: int) -> FloatArray:
    """Return the normals of random planes, float32 (BITS, dimension), the same ones on every machine.

    They come in blocks that are orthogonal, which spreads the count of differing bits less than independent ones.
    """
    generator = np.random.default_rng(_SEED)
    blocks = [np.linalg.qr(generator.normal(size=(dimension, dimension)))[0] for _ in range(-(-BITS // dimension))]
    return np.concatenate(blocks)[:BITS].astype(np.float32)


def _farthest(similarity: float) -> float:
    """Return in how many bits a vector at this cosine differs, but for DEVIATIONS of chance."""
    share = math.acos(max(-1.0, min(1.0, similarity))) / math.pi
    return BITS * share + DEVIATIONS * math.sqrt(BITS * share * (1.0 - share))

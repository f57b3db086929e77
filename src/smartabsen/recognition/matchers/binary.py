"""Large galleries: sign bits nominate, the embeddings decide.

Each template is also kept as bits: on which side of so many random planes it lies. Two vectors at an angle differ in
angle / pi of them on average (Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002),
whatever the engine. faiss counts differing bits of a million templates in milliseconds; the nearest ones are then
compared exactly.

Bits can miss what they should have nominated. So each search also says how far in bits a template can be expected that
would change the decision, and everybody who is that near is compared. For a picture of somebody who is enrolled these
are a few. For a stranger it is everybody who might reach the threshold, too many by one set of bits: these are counted
again with a second set, and few are left.
"""

from __future__ import annotations

import math
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

from ...domain import FloatArray, Match
from ..decision import decide
from .exact import check_gallery, check_probes, find_decisive, match_exactly, nobody
from .rows import Ranked, Rows, rank_exactly

BITS: Final = 512
"""Bits of one set; a template has two sets."""
FIRST: Final = 32
"""The templates nearest in bits, which are compared whatever they are like."""
NOMINEES: Final = 256
"""So many nearest templates are found by the first search; smaller galleries are compared exactly."""
SHARE: Final = 1 / 500
MOST_NOMINEES: Final = 2_048
"""So many of a large gallery: the larger share, but not more than this."""
DEVIATIONS: Final = 4.0
"""A template that would change the decision is missed with a probability of 3 in 100,000 by each set of bits (normal
approximation)."""
BIT_DEVIATION: Final = 9.0
"""Standard deviation of the differing bits of one set at a given angle, at most. Measured at cosines of 0 to 0.8: 8.0
to 8.8 for vectors of 128, 256 and 512 numbers; independent planes would give up to 11.3."""
FEW: Final = 1 / 4
"""When more than this share of a gallery is near in bits, all are compared: that is faster than to pick them."""
_ENCODED_AT_ONCE: Final = 65_536
_COMPARED_AT_ONCE: Final = 1_024
_SEED: Final = 2026


class BinaryMatcher:
    """See the module.

    faiss runs with one thread: its threads would make a forked child hang, and one probe does not gain from more.
    """

    name = "binary"

    def __init__(self) -> None:
        self._planes = np.empty((2, BITS, 0), dtype=np.float32)
        codes = np.empty((0, BITS // 8), np.uint8)
        self._rows = Rows(np.empty((0, 0), dtype=np.float32), np.empty(0, np.int64), codes, codes.copy())
        self.compared_with_all = 0
        """Probes, since the last fit, that bits could not decide."""

    def fit(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Take a gallery over, replacing the one before; see :meth:`Matcher.fit`."""
        check_gallery(embeddings, labels)
        self._planes = _make_planes(embeddings.shape[1])
        self._rows = Rows(embeddings, labels, self._encode(embeddings, 0), self._encode(embeddings, 1))
        self.compared_with_all = 0

    def add(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Add templates; see :meth:`Matcher.add`."""
        if not len(self._rows):
            self.fit(embeddings, labels)
            return
        check_gallery(embeddings, labels, dimension=self._planes.shape[2])
        self._rows.append(embeddings, labels, self._encode(embeddings, 0), self._encode(embeddings, 1))

    def remove(self, labels: NDArray[np.int64]) -> None:
        """Remove people; see :meth:`Matcher.remove`."""
        self._rows.remove(np.flatnonzero(np.isin(self._rows.column(1), labels)))

    def match(self, probes: FloatArray, *, threshold: float, margin: float) -> tuple[Match, ...]:
        """Decide on each probe; see :meth:`Matcher.match`."""
        if not len(self._rows):
            return nobody(probes, threshold=threshold, margin=margin)
        check_probes(probes, dimension=self._planes.shape[2])
        if not len(probes):
            return ()
        embeddings, labels, codes = (self._rows.column(number) for number in range(3))
        if len(labels) <= NOMINEES:
            return match_exactly(embeddings, labels, probes, threshold=threshold, margin=margin)
        # Of the calling thread: OpenMP keeps a number for each.
        faiss.omp_set_num_threads(1)
        count = max(NOMINEES, min(MOST_NOMINEES, int(len(labels) * SHARE)))
        coded = self._encode(probes, 0)
        distances, nominees = faiss.knn_hamming(coded, codes, count, variant="mc")
        matches: list[Match] = []
        for probe, code, bits, rows in zip(probes, coded, distances, nominees, strict=True):
            best, second = self._rank(probe, code, bits, rows, threshold=threshold, margin=margin)
            matches.append(decide(*best, *second, threshold=threshold, margin=margin))
        return tuple(matches)

    def _rank(
        self,
        probe: FloatArray,
        code: NDArray[np.uint8],
        bits: NDArray[np.int32],
        nominees: NDArray[np.int64],
        *,
        threshold: float,
        margin: float,
    ) -> tuple[Ranked, Ranked]:
        """Return the best and the second-best person, as far as they matter for the decision.

        Args:
            code: The first set of the probe's bits.
            bits: In how many each nominee differs, the nearest first.
            nominees: Rows of the gallery.
        """
        embeddings, labels = self._rows.column(0), self._rows.column(1)
        ranked = rank_exactly(embeddings, labels, nominees[:FIRST], probe)
        compared = -math.inf
        while True:
            # What could change the decision: a template at the threshold, or a second person within the margin.
            similarity = ranked[0][1]
            needed = similarity - margin if similarity >= threshold else threshold
            farthest = _farthest(needed, sets=1)
            if farthest <= compared:
                return ranked
            compared = farthest
            near = int(np.searchsorted(bits, farthest, side="right"))
            if near == len(bits):
                ranked = self._look_further(probe, code, nominees[:FIRST], needed)
            elif near > FIRST:
                ranked = _rank_many(embeddings, labels, nominees[:near], probe)

    def _look_further(
        self, probe: FloatArray, code: NDArray[np.uint8], nearest: NDArray[np.int64], needed: float
    ) -> tuple[Ranked, Ranked]:
        """Return the same from everybody who by both sets of bits may be as similar as ``needed``."""
        embeddings, labels, codes, more_codes = (self._rows.column(number) for number in range(4))
        bits = _count_differing(code, codes)
        rows = np.flatnonzero(bits <= _farthest(needed, sets=1))
        both = bits[rows] + _count_differing(self._encode(probe[None], 1)[0], more_codes[rows])
        rows = rows[both <= _farthest(needed, sets=2)]
        if len(rows) > FEW * len(labels):
            self.compared_with_all += 1
            decisive = find_decisive(labels, embeddings @ probe, embeddings.shape[1])
            return rank_exactly(embeddings, labels, decisive, probe)
        return _rank_many(embeddings, labels, np.concatenate([nearest, rows]), probe)

    def _encode(self, vectors: FloatArray, number: int) -> NDArray[np.uint8]:
        """Return a set of bits of vectors (N, D), packed as (N, BITS / 8)."""
        codes = np.empty((len(vectors), BITS // 8), dtype=np.uint8)
        planes = self._planes[number].T
        for start in range(0, len(vectors), _ENCODED_AT_ONCE):
            part = vectors[start : start + _ENCODED_AT_ONCE]
            codes[start : start + len(part)] = np.packbits(part @ planes > 0, axis=1)
        return codes


def _rank_many(
    embeddings: FloatArray, labels: NDArray[np.int64], rows: NDArray[np.int64], probe: FloatArray
) -> tuple[Ranked, Ranked]:
    """Return the best and the second-best person of many rows."""
    similarities = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), _COMPARED_AT_ONCE):
        part = slice(start, start + _COMPARED_AT_ONCE)
        similarities[part] = embeddings[rows[part]] @ probe
    decisive = find_decisive(labels[rows], similarities, embeddings.shape[1])
    return rank_exactly(embeddings, labels, rows[decisive], probe)


def _count_differing(code: NDArray[np.uint8], codes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return in how many bits each row of ``codes`` (N, BITS / 8) differs from a code, int32 (N,)."""
    counts = np.empty(len(codes), dtype=np.int32)
    pointers = (faiss.swig_ptr(array) for array in (code, codes))
    faiss.hammings(*pointers, 1, len(codes), BITS // 8, faiss.swig_ptr(counts))
    return counts


def _make_planes(dimension: int) -> FloatArray:
    """Return the normals of two sets of random planes, float32 (2, BITS, dimension), the same ones on every machine.

    They come in blocks that are orthogonal, which spreads the count of differing bits less than independent ones (Ji et
    al., "Super-bit locality-sensitive hashing", NIPS 2012).
    """
    generator = np.random.default_rng(_SEED)
    blocks = [np.linalg.qr(generator.normal(size=(dimension, dimension)))[0] for _ in range(-(-2 * BITS // dimension))]
    return np.concatenate(blocks)[: 2 * BITS].astype(np.float32).reshape(2, BITS, dimension)


def _farthest(similarity: float, *, sets: int) -> float:
    """Return in how many bits a vector at this cosine differs, but for DEVIATIONS of chance."""
    share = math.acos(max(-1.0, min(1.0, similarity))) / math.pi
    deviation = min(BIT_DEVIATION, math.sqrt(BITS * share * (1.0 - share))) * math.sqrt(sets)
    return sets * BITS * share + DEVIATIONS * deviation

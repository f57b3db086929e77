"""Large galleries: sign bits nominate, the embeddings decide.

Each template is also kept as bits: on which side of so many random planes it lies. Two vectors at an angle differ in
angle / pi of them on average (Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002),
whatever the engine. faiss counts the differing bits of a million templates in two milliseconds.

The template that is nearest in bits is compared first. It says how similar another one must be at least to change the
decision, and so in how many bits that one can be expected to differ: everybody who is that near is compared, too. For a
picture of somebody who is enrolled these are a few. For a stranger it is everybody who might reach the threshold, too
many by one set of bits: these are counted again with one more set after the other, and few are left.
"""

from __future__ import annotations

import math
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import FloatArray, Match
from ..balance import NO_BALANCE, Balance
from ..decision import LEAST_SIMILAR, NOBODY, decide
from .exact import check_gallery, check_probes, find_decisive, match_exactly, nobody
from .rows import Ranked, Rows, add_templates, rank_exactly

BITS: Final = 512
"""Bits of one set."""
SETS: Final = 4
"""Sets of a template."""
SMALL: Final = 256
"""Galleries of so many templates are compared exactly."""
MANY: Final = 1_024
"""From so many templates on, another set of bits is looked at before they are compared."""
SCATTERED: Final = 1 / 20
"""When more than this share of a gallery is near in bits, the next set of all is counted: that is faster than to pick
some."""
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
_FIRST_SET: Final = 3
"""The number of its column in the rows."""


class BinaryMatcher:
    """See the module.

    faiss runs with one thread: its threads would make a forked child hang, and one probe does not gain from more.

    Args:
        balance: See :class:`.base.Matcher`.
    """

    name = "binary"

    def __init__(self, *, balance: Balance = NO_BALANCE) -> None:
        self._balance = balance
        self._planes = np.empty((SETS, BITS, 0), dtype=np.float32)
        self._rows = Rows(np.empty((0, 0), np.float32), np.empty(0, np.int64), np.empty(0, np.float32))
        self.compared_with_all = 0
        """Probes, since the last fit, that bits could not decide."""

    def fit(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Take a gallery over, replacing the one before; see :meth:`Matcher.fit`."""
        check_gallery(embeddings, labels)
        self._planes = _make_planes(embeddings.shape[1])
        handicaps = self._balance.find_handicaps(embeddings, labels)
        self._rows = Rows(embeddings, labels, handicaps, *self._encode_all(embeddings))
        self.compared_with_all = 0

    def add(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Add templates; see :meth:`Matcher.add`."""
        if not len(self._rows):
            self.fit(embeddings, labels)
            return
        check_gallery(embeddings, labels, dimension=self._planes.shape[2])
        add_templates(self._rows, embeddings, labels, *self._encode_all(embeddings), balance=self._balance)

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
        if len(self._rows) <= SMALL:
            return match_exactly(self._rows, probes, threshold=threshold, margin=margin)
        # Of the calling thread: OpenMP keeps a number for each.
        faiss.omp_set_num_threads(1)
        matches: list[Match] = []
        for probe, code in zip(probes, self._encode(probes, 0), strict=True):
            bits = _count_differing(code, self._rows.column(_FIRST_SET))
            best, second = self._rank(probe, bits, threshold=threshold, margin=margin)
            matches.append(decide(*best, *second, threshold=threshold, margin=margin))
        return tuple(matches)

    def _rank(
        self, probe: FloatArray, bits: NDArray[np.int32], *, threshold: float, margin: float
    ) -> tuple[Ranked, Ranked]:
        """Return the best and the second-best person, as far as they matter for the decision.

        Args:
            probe: float32 (D,).
            bits: int32 (N,), in how many bits of the first set each template differs.
        """
        nearest = _find_nearest(bits)
        best, second = rank_exactly(self._rows, nearest.tolist(), probe)
        compared = -math.inf
        while True:
            # What could change the decision: a template at the threshold, or a second person within the margin. As
            # handicaps only lower, its cosine is that high at least.
            needed = best[1] - margin if best[1] >= threshold else threshold
            farthest = _farthest(needed, sets=1)
            if farthest <= compared:
                break
            compared = farthest
            rows = np.flatnonzero(bits <= farthest)
            if len(rows) > MANY:
                rows = self._look_closer(rows, probe, bits, needed)
            best, second = _rank_many(self._rows, np.concatenate([nearest, rows]), probe)
        if second[0] == NOBODY:
            second = self._find_other(best[0], probe, bits)
        return best, second

    def _look_closer(
        self, rows: NDArray[np.intp], probe: FloatArray, bits: NDArray[np.int32], needed: float
    ) -> NDArray[np.intp]:
        """Return those of many rows that by all sets of bits together may be as similar as ``needed``."""
        counted = bits[rows]
        for number in range(1, SETS):
            code, codes = self._encode(probe[None], number)[0], self._rows.column(_FIRST_SET + number)
            if len(rows) > SCATTERED * len(bits):
                counted += _count_differing(code, codes)[rows]
            else:
                counted += _count_differing(code, codes.take(rows, axis=0))
            near = counted <= _farthest(needed, sets=number + 1)
            rows, counted = rows[near], counted[near]
            if len(rows) <= MANY:
                return rows
        if len(rows) <= FEW * len(bits):
            return rows
        self.compared_with_all += 1
        return np.arange(len(bits))

    def _find_other(self, label: int, probe: FloatArray, bits: NDArray[np.int32]) -> Ranked:
        """Return the person nearest in bits besides ``label``: too far away to matter, but people ask who it was."""
        while bits[row := _find_nearest(bits)][0] <= BITS:
            if self._rows.column(1)[row][0] != label:
                return rank_exactly(self._rows, row.tolist(), probe)[0]
            bits[row] = BITS + 1
        return NOBODY, LEAST_SIMILAR

    def _encode_all(self, vectors: FloatArray) -> list[NDArray[np.uint8]]:
        return [self._encode(vectors, number) for number in range(SETS)]

    def _encode(self, vectors: FloatArray, number: int) -> NDArray[np.uint8]:
        """Return a set of bits of vectors (N, D), packed as (N, BITS / 8)."""
        codes = np.empty((len(vectors), BITS // 8), dtype=np.uint8)
        planes = self._planes[number].T
        for start in range(0, len(vectors), _ENCODED_AT_ONCE):
            part = vectors[start : start + _ENCODED_AT_ONCE]
            codes[start : start + len(part)] = np.packbits(part @ planes > 0, axis=1)
        return codes


def _rank_many(gallery: Rows, rows: NDArray[np.intp], probe: FloatArray) -> tuple[Ranked, Ranked]:
    """Return the best and the second-best person of some rows, of all as well."""
    embeddings, labels, handicaps = (gallery.column(number) for number in range(3))
    if len(rows) > len(labels):
        decisive = find_decisive(labels, embeddings @ probe - handicaps, embeddings.shape[1])
        return rank_exactly(gallery, decisive, probe)
    similarities = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), _COMPARED_AT_ONCE):
        part = slice(start, start + _COMPARED_AT_ONCE)
        similarities[part] = embeddings[rows[part]] @ probe
    similarities -= handicaps[rows]
    decisive = find_decisive(labels[rows], similarities, embeddings.shape[1])
    return rank_exactly(gallery, rows[decisive].tolist(), probe)


def _find_nearest(bits: NDArray[np.int32]) -> NDArray[np.intp]:
    """Return the row with the fewest differing bits, as an array of one."""
    return np.array([bits.argmin()])


def _count_differing(code: NDArray[np.uint8], codes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return in how many bits each row of ``codes`` (N, BITS / 8) differs from a code, int32 (N,)."""
    counts = np.empty(len(codes), dtype=np.int32)
    # The library's type information lacks it.
    library: Any = faiss
    pointers = (library.swig_ptr(array) for array in (code, codes))
    library.hammings(*pointers, 1, len(codes), BITS // 8, library.swig_ptr(counts))
    return counts


def _make_planes(dimension: int) -> FloatArray:
    """Return the normals of sets of random planes, float32 (SETS, BITS, dimension), the same ones on every machine.

    They come in blocks that are orthogonal, which spreads the count of differing bits less than independent ones (Ji et
    al., "Super-bit locality-sensitive hashing", NIPS 2012).
    """
    generator = np.random.default_rng(_SEED)
    count = -(-SETS * BITS // dimension)
    blocks = [np.linalg.qr(generator.normal(size=(dimension, dimension)))[0] for _ in range(count)]
    return np.concatenate(blocks)[: SETS * BITS].astype(np.float32).reshape(SETS, BITS, dimension)


def _farthest(similarity: float, *, sets: int) -> float:
    """Return in how many bits a vector at this cosine differs, but for DEVIATIONS of chance."""
    share = math.acos(max(-1.0, min(1.0, similarity))) / math.pi
    deviation = min(BIT_DEVIATION, math.sqrt(BITS * share * (1.0 - share))) * math.sqrt(sets)
    return sets * BITS * share + DEVIATIONS * deviation

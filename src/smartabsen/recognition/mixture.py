"""Two persons under one code: photos of one person that hang together with none of the others.

Photos hang together when a chain of them joins the two, each link similar enough to be the same person's. One person in
other light and with other glasses is such a chain; two persons are two.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from ..kernel.domain import FloatArray


def find_odd_ones(embeddings: FloatArray, *, threshold: float, settled: int = 0) -> list[float | None]:
    """Say of each photo of one person whether it looks like another person than the others do.

    The person is who most photos show: of the first ``settled`` where there are any, else of all; of several groups of
    one size the one with the earliest photo.

    Args:
        embeddings: float32 (N, D), rows of unit length.
        threshold: Cosine of a link.
        settled: So many of the first ones are the person's already.

    Returns:
        For each photo outside of that group its highest cosine to a photo in it, below ``threshold``; else None.
    """
    if not len(embeddings):
        return []
    cosines = embeddings @ embeddings.T
    groups = _group(cosines >= threshold)
    counted = groups[: settled or len(groups)].tolist()
    # Counter keeps the order of first sight among equals.
    person = Counter(counted).most_common(1)[0][0]
    own = groups == person
    nearest = cosines[:, own].max(axis=1)
    return [None if inside else float(cosine) for inside, cosine in zip(own, nearest, strict=True)]


def _group(linked: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Number the connected groups: (N,), from a symmetric (N, N)."""
    groups = np.full(len(linked), -1, dtype=np.intp)
    for start in range(len(linked)):
        if groups[start] >= 0:
            continue
        reached = np.zeros(len(linked), dtype=np.bool_)
        edge = reached.copy()
        edge[start] = True
        while edge.any():
            reached |= edge
            edge = linked[edge].any(axis=0) & ~reached
        groups[reached] = start
    return groups

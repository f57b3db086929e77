"""Does a new face belong to somebody who is enrolled already, is a new photo an old one? A growing gallery, exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..kernel.domain import FloatArray
from ..recognition.mixture import find_odd_ones

SHARE_OF_PERSON: Final = 0.5
"""When more than this share of a person's photos looks like one other employee, it is that employee."""


class KnownFaces:
    """All templates of the active engine; new ones are added as people are enrolled.

    Args:
        embeddings: float32 (N, D), rows of unit length.
        employee_ids: int64 (N,).
        sources: N file names or cameras, for people.
    """

    def __init__(self, embeddings: FloatArray, employee_ids: NDArray[np.int64], sources: Sequence[str]) -> None:
        self._embeddings = embeddings
        self._ids = employee_ids
        self._sources = list(sources)
        self._filled = len(employee_ids)

    def add(self, embeddings: Sequence[FloatArray], employee_id: int, sources: Sequence[str]) -> None:
        """Add the templates of one person."""
        self._sources += sources
        needed = self._filled + len(embeddings)
        if needed > len(self._ids):
            capacity = max(64, 2 * needed)
            grown = np.zeros((capacity, len(embeddings[0])), dtype=np.float32)
            grown[: self._filled] = self._embeddings[: self._filled]
            ids = np.zeros(capacity, dtype=np.int64)
            ids[: self._filled] = self._ids[: self._filled]
            self._embeddings, self._ids = grown, ids
        self._embeddings[self._filled : needed] = np.stack(embeddings)
        self._ids[self._filled : needed] = employee_id
        self._filled = needed

    def find_look_alikes(
        self, embeddings: Sequence[FloatArray], *, own_id: int | None, threshold: float
    ) -> list[int | None]:
        """Say of each photo of one person which other employee it looks like, or None.

        A photo looks like somebody when its cosine to one of their templates is ``threshold`` at least, and higher than
        to every template the person has already. When that holds for more than :data:`SHARE_OF_PERSON` of the photos
        and one employee, the others that look like nobody are that employee's, too.

        Args:
            own_id: The person's own id, None for a new one.
        """
        if not embeddings or not self._filled:
            return [None] * len(embeddings)
        ids = self._ids[: self._filled]
        similarities = np.stack(embeddings) @ self._embeddings[: self._filled].T
        # Whoever is not stored yet owns no row; drafts of a dry run have ids below zero.
        own = np.zeros(len(ids), dtype=np.bool_) if own_id is None else ids == own_id
        at_own = similarities[:, own].max(axis=1) if own.any() else np.full(len(embeddings), -1.0)
        similarities[:, own] = -1.0
        nearest = similarities.argmax(axis=1)
        at_other = similarities[np.arange(len(embeddings)), nearest]
        found: list[int | None] = [
            int(ids[column]) if other >= threshold and other > mine else None
            for column, other, mine in zip(nearest, at_other, at_own, strict=True)
        ]
        named = Counter(other for other in found if other is not None)
        if named:
            other, count = named.most_common(1)[0]
            if own_id is None and count > SHARE_OF_PERSON * len(embeddings):
                return [other if mine is None else mine for mine in found]
        return found

    def find_copies(
        self, embeddings: Sequence[FloatArray], sources: Sequence[str], *, own_id: int | None, threshold: float
    ) -> list[str]:
        """Name for each photo of one person the earlier one of the same person that it is nearly equal to, or "".

        Earlier are the templates that the person has already, and the photos before it. Of several, the most similar.

        Args:
            own_id: The person's own id, None for a new one.
            threshold: Cosine from which two photos are nearly equal.
        """
        rows = self._rows_of(own_id)
        earlier = list(self._embeddings[rows])
        names = [self._sources[row] for row in rows]
        found = []
        for embedding, source in zip(embeddings, sources, strict=True):
            cosines = np.stack(earlier) @ embedding if earlier else np.empty(0, dtype=np.float32)
            best = int(cosines.argmax()) if len(cosines) else -1
            found.append(names[best] if best >= 0 and cosines[best] >= threshold else "")
            earlier.append(embedding)
            names.append(source)
        return found

    def find_unlike_others(
        self, embeddings: Sequence[FloatArray], *, own_id: int | None, threshold: float
    ) -> list[float | None]:
        """Say of each photo of one person whether it looks like another person than the templates and photos beside it.

        Args:
            own_id: The person's own id, None for a new one.
            threshold: Cosine from which two photos may be one person's.

        Returns:
            As :func:`smartabsen.recognition.mixture.find_odd_ones`.
        """
        if not embeddings:
            return []
        settled = self._embeddings[self._rows_of(own_id)]
        every = np.concatenate([settled, np.stack(embeddings)]) if len(settled) else np.stack(embeddings)
        return find_odd_ones(every, threshold=threshold, settled=len(settled))[len(settled) :]

    def _rows_of(self, own_id: int | None) -> NDArray[np.intp]:
        if own_id is None:
            return np.empty(0, dtype=np.intp)
        return np.flatnonzero(self._ids[: self._filled] == own_id)

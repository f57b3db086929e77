"""What a matcher is."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import FloatArray, Match


class Matcher(Protocol):
    """Compares probes with a gallery and decides.

    A person's similarity to a probe is the highest cosine over the person's templates, rounded to
    :data:`smartabsen.recognition.decision.DECIMALS`, less the person's handicap for having several; the decision
    is :func:`smartabsen.recognition.decision.decide` on the two best persons, of equals the one with the lower label
    first. Every matcher gives the same decisions. It is made with the engine's ``balance``, which says the handicaps
    (see :class:`smartabsen.recognition.balance.Balance`); without it there are none.
    """

    name: str
    """As in the registry, ``knn``."""

    def fit(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Take a gallery over, replacing the one before.

        Args:
            embeddings: float32 (N, D), rows of unit length; N may be 0.
            labels: int64 (N,), not negative: whose template each row is.

        Raises:
            InvalidInputError: Shapes, types or lengths are wrong.
        """
        ...

    def add(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Add templates to the gallery without building it anew; arguments and errors as for :meth:`fit`."""
        ...

    def remove(self, labels: NDArray[np.int64]) -> None:
        """Remove all templates of people, int64 (P,), without building the gallery anew; unknown labels are none."""
        ...

    def match(self, probes: FloatArray, *, threshold: float, margin: float) -> tuple[Match, ...]:
        """Decide on each probe.

        Args:
            probes: float32 (M, D), rows of unit length.
            threshold: Cosine that a recognition needs at least.
            margin: Distance to the second-best person that it needs at least.
        """
        ...

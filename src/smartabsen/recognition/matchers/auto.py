"""The matcher for the size of the gallery: exact comparison of a few thousand templates, bits for more."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import FloatArray, Match
from ..balance import NO_BALANCE, Balance
from .base import Matcher
from .exact import ExactMatcher

LARGE: Final = 2_000_000
"""From so many numbers on, bits are faster (``bench/matching.py``): 4,000 templates of 512, 16,000 of 128."""


class AutoMatcher:
    """``exact``, and for :data:`LARGE` galleries ``binary`` where faiss is installed. Both decide the same.

    Args:
        balance: See :class:`.base.Matcher`.
    """

    name = "auto"

    def __init__(self, *, balance: Balance = NO_BALANCE) -> None:
        self._balance = balance
        self._chosen: Matcher = ExactMatcher(balance=balance)

    @property
    def chosen(self) -> str:
        """The matcher in use."""
        return self._chosen.name

    def fit(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Take a gallery over, replacing the one before; see :meth:`Matcher.fit`."""
        chosen = _make_matcher(embeddings.size, balance=self._balance)
        chosen.fit(embeddings, labels)
        self._chosen = chosen

    def add(self, embeddings: FloatArray, labels: NDArray[np.int64]) -> None:
        """Add templates; see :meth:`Matcher.add`. The choice is made again at the next fit."""
        self._chosen.add(embeddings, labels)

    def remove(self, labels: NDArray[np.int64]) -> None:
        """Remove people; see :meth:`Matcher.remove`."""
        self._chosen.remove(labels)

    def match(self, probes: FloatArray, *, threshold: float, margin: float) -> tuple[Match, ...]:
        """Decide on each probe; see :meth:`Matcher.match`."""
        return self._chosen.match(probes, threshold=threshold, margin=margin)


def _make_matcher(numbers: int, *, balance: Balance) -> Matcher:
    if numbers < LARGE or find_spec("faiss") is None:
        return ExactMatcher(balance=balance)
    from .binary import BinaryMatcher

    return BinaryMatcher(balance=balance)

"""Error rates with what the number of trials can say about them.

Terms are those of ISO/IEC 19795-1. An interval holds for independent trials; photos of the same people are not quite
independent, so the true uncertainty is somewhat larger.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

Z95: Final = 1.959964
"""Quantile of the normal distribution for two-sided 95 %."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` of ``trials``, with a 95 % interval.

    Attributes:
        count: How often it happened.
        trials: How often it could have happened.
    """

    count: int
    trials: int

    @property
    def share(self) -> float | None:
        """The observed share, None without trials."""
        return self.count / self.trials if self.trials else None

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self._interval()[0]

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self._interval()[1]

    def _interval(self) -> tuple[float, float]:
        """Wilson's score interval (Wilson 1927); where nothing or everything happened, the exact one-sided bound.

        That bound is the "rule of three": 0 of n is below about 3/n with 95 % confidence (Hanley and Lippman-Hand,
        JAMA 1983).
        """
        if not self.trials:
            return 0.0, 1.0
        bound = 1.0 - 0.05 ** (1.0 / self.trials)
        if self.count == 0:
            return 0.0, bound
        if self.count == self.trials:
            return 1.0 - bound, 1.0
        share, z2n = self.count / self.trials, Z95**2 / self.trials
        middle = (share + z2n / 2) / (1 + z2n)
        half = Z95 * sqrt(share * (1 - share) / self.trials + z2n / (4 * self.trials)) / (1 + z2n)
        return middle - half, middle + half

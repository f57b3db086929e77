"""Reference impostor scores: how alike photos of different people look to each engine.

A gallery of a hundred people has too few pairs to say how often one comparison in a million errs. The tables shipped in
``data/impostors.json`` can say it: cosines that given shares of all pairs of two persons reach, measured by
``bench/reference.py``. Numbers only; no picture and no embedding can be made of them.

They are of the people in those photos. Where a gallery's own people look more alike than these at the share that both
can tell, the difference is added (see :meth:`ImpostorTable.shift_for`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..kernel.domain import ModelIdentity
from .rates import EXPECTED_ERRORS
from .scores import bin_edges

PATH: Final = Path(__file__).parent / "data" / "impostors.json"


@dataclass(frozen=True, slots=True)
class ImpostorTable:
    """The scores of pairs of two persons.

    Attributes:
        engine: Name of the engine.
        digests: Digests of the model identities that it holds for.
        source: What was measured, in English.
        people, photos, pairs: How much of it.
        levels: Shares of the pairs, falling, and the cosine that each one reaches, rising.
    """

    engine: str
    digests: tuple[str, ...]
    source: str
    people: int
    photos: int
    pairs: int
    levels: tuple[tuple[float, float], ...]

    @property
    def least_fmr(self) -> float:
        """The smallest false match rate that the pairs can tell of."""
        return EXPECTED_ERRORS / self.pairs

    def score_at(self, fmr: float) -> float:
        """Return the cosine that a share ``fmr`` of the pairs reaches; beyond the table its end is drawn on."""
        shares, scores = self._curve()
        place = np.log10(max(fmr, 1e-12))
        if place < shares[0]:
            slope = (scores[0] - scores[2]) / (shares[0] - shares[2])
            return min(1.0, float(scores[0] + slope * (place - shares[0])))
        return float(np.interp(place, shares, scores))

    def fmr_at(self, score: float) -> float:
        """Return the share of the pairs that reaches a cosine; beyond the table its end."""
        shares, scores = self._curve()
        return float(10 ** np.interp(score, scores[::-1], shares[::-1]))

    def shift_for(self, impostor: NDArray[np.int64]) -> float:
        """Return by how much a gallery's own impostor pairs lie above this table, 0 where they do not.

        Args:
            impostor: int64 (BINS,), pairs by score; see :class:`.scores.Scores`.
        """
        total = int(impostor.sum())
        if total < 100 * EXPECTED_ERRORS:
            return 0.0
        share = max(EXPECTED_ERRORS / total, self.least_fmr)
        reached = np.flatnonzero(impostor[::-1].cumsum()[::-1] >= share * total)
        return max(0.0, float(bin_edges()[reached[-1]]) - self.score_at(share))

    def _curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return logarithms of the shares, rising, and the scores, falling."""
        shares, scores = np.array(self.levels[::-1]).T
        return np.log10(shares), scores


def find_table(identity: ModelIdentity) -> ImpostorTable | None:
    """Return the table of a model, None where it was not measured."""
    return next((table for table in _tables() if identity.digest in table.digests), None)


@cache
def _tables() -> tuple[ImpostorTable, ...]:
    content = json.loads(PATH.read_text(encoding="utf-8"))
    return tuple(
        ImpostorTable(
            engine=table["engine"],
            digests=tuple(table["digests"]),
            source=table["source"],
            people=table["people"],
            photos=table["photos"],
            pairs=table["pairs"],
            levels=tuple((share, score) for share, score in table["levels"]),
        )
        for table in content["tables"]
    )

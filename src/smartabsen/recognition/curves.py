"""Verification: what a threshold on pairs of photos gives, from histograms of their scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..kernel.domain import Rate
from .rates import supports
from .scores import BINS, bin_edges, count_scores

FMR_TARGETS: Final = (1e-2, 1e-3, 1e-4)


@dataclass(frozen=True, slots=True)
class TarPoint:
    """The true accept rate at a false match rate.

    Attributes:
        target: The false match rate aimed at.
        threshold: The lowest threshold that keeps it.
        tar: Pairs of one person at or above it; None where there are too few trials to say anything of ``target``.
        fmr: Pairs of two persons at or above it.
    """

    target: float
    threshold: float
    tar: Rate | None
    fmr: Rate


@dataclass(frozen=True, slots=True)
class EqualError:
    """Where both errors are equally frequent, as nearly as the scores allow.

    Attributes:
        share: The mean of both rates.
        threshold: Where.
        fnmr, fmr: The two rates there, with their trials.
    """

    share: float
    threshold: float
    fnmr: Rate
    fmr: Rate


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """All pairs of photos.

    Attributes:
        genuine, impostor: int64 (BINS,), pairs by score; see :class:`.scores.Scores`.
    """

    genuine: NDArray[np.int64]
    impostor: NDArray[np.int64]

    @classmethod
    def of(cls, similarities: NDArray[np.float64], same: NDArray[np.bool_]) -> Verification:
        """Make it of single pairs: cosines (N,), and whether each is of one person."""
        return cls(count_scores(similarities[same]), count_scores(similarities[~same]))

    @property
    def genuine_trials(self) -> int:
        """Pairs of one person."""
        return int(self.genuine.sum())

    @property
    def impostor_trials(self) -> int:
        """Pairs of two persons."""
        return int(self.impostor.sum())

    def fmr(self) -> NDArray[np.float64]:
        """The false match rate at the lower edge of each bin, (BINS,)."""
        return _share_from(self.impostor)

    def fnmr(self) -> NDArray[np.float64]:
        """The false non-match rate at the lower edge of each bin, (BINS,)."""
        return 1.0 - _share_from(self.genuine)

    def equal_error_rate(self) -> EqualError | None:
        """Return where both errors are equally frequent; None without both kinds of pairs."""
        if not self.genuine_trials or not self.impostor_trials:
            return None
        fmr, fnmr = self.fmr(), self.fnmr()
        place = int(np.abs(fmr - fnmr).argmin())
        return EqualError(
            share=float(fmr[place] + fnmr[place]) / 2,
            threshold=float(bin_edges()[place]),
            fnmr=Rate(int(self.genuine[:place].sum()), self.genuine_trials),
            fmr=Rate(int(self.impostor[place:].sum()), self.impostor_trials),
        )

    def tar_at(self, target: float) -> TarPoint:
        """Return the true accept rate where at most ``target`` of the pairs of two persons match."""
        passing = self.fmr() <= target
        place = int(passing.argmax()) if passing.any() else BINS - 1
        fmr = Rate(int(self.impostor[place:].sum()), self.impostor_trials)
        tar = Rate(int(self.genuine[place:].sum()), self.genuine_trials)
        usable = supports(target, self.impostor_trials) and self.genuine_trials
        return TarPoint(target, float(bin_edges()[place]), tar if usable else None, fmr)


@dataclass(frozen=True, slots=True)
class PairsResult:
    """Accuracy over folds of pairs, as LFW defines it (Huang et al., 2007).

    Attributes:
        pairs: Pairs that were compared.
        not_acquired: Pairs in which a face was not found; they count as wrong.
        accuracy: Mean over the folds; in each one at the threshold that is best in the others.
        standard_error: Of that mean; None for a single fold.
        folds: Number of folds.
        correct: All pairs that were judged rightly.
    """

    pairs: int
    not_acquired: int
    accuracy: float
    standard_error: float | None
    folds: int
    correct: Rate


def judge_pairs(
    similarities: NDArray[np.float64], same: NDArray[np.bool_], folds: NDArray[np.int64], *, fallback: float
) -> PairsResult:
    """Judge pairs fold by fold.

    Args:
        similarities: float64 (N,), not a number where a face was not found.
        same: bool (N,), whether both photos are of one person.
        folds: int64 (N,), the fold of each pair.
        fallback: The threshold for a single fold, which has no others to choose on.
    """
    found = np.isfinite(similarities)
    numbers = np.unique(folds)
    correct = np.zeros(len(similarities), dtype=bool)
    for fold in numbers:
        inside = folds == fold
        learned = ~inside & found
        threshold = _best_threshold(similarities[learned], same[learned]) if learned.any() else fallback
        correct[inside] = ((similarities >= threshold) == same)[inside] & found[inside]
    accuracies = np.array([correct[folds == fold].mean() for fold in numbers])
    several = len(numbers) > 1
    return PairsResult(
        pairs=len(similarities),
        not_acquired=int((~found).sum()),
        accuracy=float(accuracies.mean()),
        standard_error=float(accuracies.std(ddof=1) / np.sqrt(len(numbers))) if several else None,
        folds=len(numbers),
        correct=Rate(int(correct.sum()), len(correct)),
    )


def _share_from(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of scores in each bin and all above it."""
    above: NDArray[np.float64] = counts[::-1].cumsum()[::-1].astype(np.float64)
    return above / max(1.0, float(counts.sum()))


def _best_threshold(similarities: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    order = np.argsort(-similarities, kind="stable")
    scores, right = similarities[order], same[order]
    # Right answers when the first n pairs are accepted: the genuine among them, and the impostors among the rest.
    gained = np.concatenate([[0], np.cumsum(np.where(right, 1, -1))])
    best = int(gained.argmax())
    if best == 0:
        return float(scores[0]) + 1e-6
    return float(scores[best - 1]) if best == len(scores) else float(scores[best - 1] + scores[best]) / 2

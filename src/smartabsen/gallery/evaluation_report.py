"""What an evaluation measured, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..kernel.domain import ModelIdentity, Rate
from ..recognition.curves import PairsResult, Verification
from ..recognition.scores import WORST, PairScore, Scores


@dataclass(frozen=True, slots=True)
class Sample:
    """A template or photo that was compared: whose it is, and its file."""

    person: str
    photo: str

    @property
    def name(self) -> str:
        """The file name of the photo."""
        return Path(self.photo).name


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """Two samples and their cosine."""

    first: Sample
    second: Sample
    similarity: float


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """A pair of a list, and whether it says that both are of one person."""

    pair: ScoredPair
    same: bool


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationReport:
    """What was measured.

    Attributes:
        source: The folder, or empty for the enrolled gallery.
        model, detector: What was measured.
        threshold, margin: What a recognition needs, as in force.
        people: Number of people with a face that was found.
        photos: Number of photos or templates.
        fte: Photos that enrolment would refuse for their face (failure to enrol); None for the gallery.
        fta: Photos whose face was not found or that a kiosk would not compare (failure to acquire); None likewise.
        not_found: Photos without a face, or that cannot be read; they are left out of the comparisons.
        samples: What was compared, one for each row of ``scores``.
        scores: All of them against each other; None where only pairs were compared.
        pairs: The judgement of the pairs; None without.
        compared: The pairs in which both faces were found; empty without a list.
    """

    source: str
    model: ModelIdentity
    detector: str
    threshold: float
    margin: float
    people: int
    photos: int
    fte: Rate | None
    fta: Rate | None
    not_found: tuple[str, ...]
    samples: tuple[Sample, ...]
    scores: Scores | None
    pairs: PairsResult | None
    compared: tuple[ComparedPair, ...] = ()

    @property
    def verification(self) -> Verification | None:
        """All pairs of photos, or those of the list."""
        if self.scores is not None:
            return Verification(self.scores.genuine, self.scores.impostor)
        if not self.compared:
            return None
        similarities = np.array([each.pair.similarity for each in self.compared])
        return Verification.of(similarities, np.array([each.same for each in self.compared]))

    @property
    def worst_genuine(self) -> tuple[ScoredPair, ...]:
        """The least similar pairs of one person, the worst first."""
        if self.scores is not None:
            return self._name(self.scores.worst_genuine)
        return tuple(sorted((each.pair for each in self.compared if each.same), key=_similarity)[:WORST])

    @property
    def worst_impostor(self) -> tuple[ScoredPair, ...]:
        """The most similar pairs of two persons, the worst first; one for each two persons."""
        if self.scores is not None:
            return self._name(self.scores.worst_impostor)
        others = (each.pair for each in self.compared if not each.same)
        return tuple(sorted(others, key=_similarity, reverse=True)[:WORST])

    def _name(self, pairs: Sequence[PairScore]) -> tuple[ScoredPair, ...]:
        return tuple(ScoredPair(self.samples[pair.row], self.samples[pair.other], pair.similarity) for pair in pairs)


def _similarity(pair: ScoredPair) -> float:
    return pair.similarity

"""What a recognition needs here, and the calibration that this may come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from .faces import ModelIdentity

GROWTH: Final = 1.1
"""So many times the people and templates it was chosen for a calibration still fits."""


class CalibrationState(StrEnum):
    """Whether there is a calibration, and whether it fits."""

    NONE = "none"
    FITS = "fits"
    CHANGED = "changed"
    """Other templates than it was chosen for, though hardly more: it is still about right."""
    OUTGROWN = "outgrown"
    """There are more people or templates than it was chosen for."""
    OTHER_ENGINE = "other_engine"


@dataclass(frozen=True, slots=True)
class CalibrationRecord:
    """Limits and what they were chosen for.

    Attributes:
        at: UTC.
        model: Whose embeddings.
        gallery_hash: SHA-256 (hex) over the templates.
        people, templates: How many there were.
        target_fpir: Share of strangers that may be taken for somebody.
        threshold, margin: What a recognition needs.
    """

    at: datetime
    model: ModelIdentity
    gallery_hash: str
    people: int
    templates: int
    target_fpir: float
    threshold: float
    margin: float

    def is_outgrown(self, people: int, templates: int) -> bool:
        """Tell whether it was chosen for fewer people or templates than there are: more strangers pass than it says."""
        return people > GROWTH * self.people or templates > GROWTH * self.templates


@dataclass(frozen=True, slots=True)
class OwnScores:
    """What the people who are enrolled say of themselves, measured by the last training.

    Attributes:
        model: Whose embeddings.
        people, templates: How many were compared.
        shift: By how much their pairs look more alike than those of the reference; 0 where they do not.
        threshold: Cosine that their own searches ask for; None where they are too few to ask for any.
        left_out: People who are probably enrolled twice, and were therefore not compared.
    """

    model: ModelIdentity
    people: int
    templates: int
    shift: float
    threshold: float | None
    left_out: int = 0


class Basis(StrEnum):
    """What an automatic threshold rests on: the highest of three."""

    ENGINE = "engine"
    """The engine's own: for so few people it is strict enough, or nothing is known of this model."""
    REFERENCE = "reference"
    """The reference that is shipped for the engine."""
    OWN = "own"
    """The people who are enrolled: they look more alike than those of the reference, or their own searches ask more."""


@dataclass(frozen=True, slots=True)
class AutomaticLimits:
    """The threshold for so many people, which nobody has to ask for.

    Attributes:
        people: How many it is for.
        target_fpir: Share of strangers that may be taken for somebody.
        threshold: Cosine that a recognition needs: the highest of the others.
        engine: The engine's own.
        reference: What the reference asks for so many people; None where there is none for the model.
        own: What the people who are enrolled ask for; None where they ask for no more than the reference.
        verification: Cosine that somebody needs who is compared with one person alone; None without a reference.
        source: What the reference is of, in English; empty without one.
        pairs: Pairs of two persons in it.
        is_bound: It does not reach so far: its curve was drawn on, and the target is not promised.
    """

    people: int
    target_fpir: float
    threshold: float
    engine: float
    reference: float | None
    own: float | None
    verification: float | None
    source: str
    pairs: int
    is_bound: bool

    @property
    def basis(self) -> Basis:
        """What the threshold rests on."""
        if self.own is not None and self.own >= self.threshold:
            return Basis.OWN
        if self.reference is not None and self.reference >= self.threshold > self.engine:
            return Basis.REFERENCE
        return Basis.ENGINE


@dataclass(frozen=True, slots=True)
class DecisionLimits:
    """What a recognition needs, as the next training puts it into use, and where it comes from.

    Attributes:
        threshold: Cosine.
        margin: Distance to the second-best person.
        engine_threshold, engine_margin: The engine's own.
        calibration: The one that a person made for the model in use; None without one.
        outgrown: Whether it fits no longer; the stricter of it and of the automatic ones is used then.
        automatic: What fits the number of people by itself.
        verification: Cosine that somebody needs whom a phone or a code names; the threshold itself where that is set,
            or where nothing is known of the model.
    """

    threshold: float
    margin: float
    engine_threshold: float
    engine_margin: float
    calibration: CalibrationRecord | None
    outgrown: bool
    automatic: AutomaticLimits
    verification: float

    @property
    def calibrated(self) -> bool:
        """Whether they are those of a calibration that fits."""
        record = self.calibration
        return record is not None and not self.outgrown and self._are(record.threshold, record.margin)

    @property
    def is_automatic(self) -> bool:
        """Whether nobody chose them: there is no calibration by a person, and the settings name no others."""
        return self.calibration is None and self._are(self.automatic.threshold, self.engine_margin)

    def _are(self, threshold: float, margin: float) -> bool:
        return (self.threshold, self.margin) == (threshold, margin)

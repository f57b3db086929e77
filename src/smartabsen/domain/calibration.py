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
class DecisionLimits:
    """What a recognition needs, as the next training puts it into use, and where it comes from.

    Attributes:
        threshold: Cosine.
        margin: Distance to the second-best person.
        engine_threshold, engine_margin: The engine's own.
        calibration: The one stored for the model in use; None without one.
        outgrown: Whether it fits no longer; the stricter of it and of the engine's own is used then.
    """

    threshold: float
    margin: float
    engine_threshold: float
    engine_margin: float
    calibration: CalibrationRecord | None
    outgrown: bool

    @property
    def calibrated(self) -> bool:
        """Whether they are those of a calibration that fits."""
        record = self.calibration
        return record is not None and not self.outgrown and self._are(record.threshold, record.margin)

    @property
    def engines_own(self) -> bool:
        """Whether nobody chose them: there is no calibration, and the settings name no others."""
        return self.calibration is None and self._are(self.engine_threshold, self.engine_margin)

    def _are(self, threshold: float, margin: float) -> bool:
        return (self.threshold, self.margin) == (threshold, margin)

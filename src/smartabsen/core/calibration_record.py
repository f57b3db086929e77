"""The calibration in force: limits with what they were chosen for, kept in the database."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import numpy as np

from ..domain import ModelIdentity
from ..store import meta
from ..store.database import Session
from ..store.templates import Gallery

NAME: Final = "calibration"
"""Name of the fact in the database."""
GROWTH: Final = 1.1
"""So many times the people and templates it was chosen for still fit."""


class CalibrationState(StrEnum):
    """Whether there is a calibration, and whether it fits."""

    NONE = "none"
    FITS = "fits"
    CHANGED = "changed"
    """Other templates than it was chosen for, though hardly more: it is still about right."""
    OUTGROWN = "outgrown"
    """There are more people or templates than it was chosen for."""
    OTHER_ENGINE = "other_engine"

    @property
    def fits(self) -> bool:
        """Whether its figures hold for the gallery."""
        return self in (CalibrationState.FITS, CalibrationState.CHANGED)


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

    def state(self, gallery: Gallery) -> CalibrationState:
        """Tell whether it fits a gallery."""
        if gallery.model != self.model:
            return CalibrationState.OTHER_ENGINE
        people, rows = len(np.unique(gallery.employee_ids)), len(gallery.employee_ids)
        if people > GROWTH * self.people or rows > GROWTH * self.templates:
            return CalibrationState.OUTGROWN
        return CalibrationState.FITS if hash_gallery(gallery) == self.gallery_hash else CalibrationState.CHANGED


def hash_gallery(gallery: Gallery) -> str:
    """Return a digest of whose templates there are and what they are."""
    digest = hashlib.sha256(np.ascontiguousarray(gallery.employee_ids, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(gallery.embeddings, dtype="<f4").tobytes())
    return digest.hexdigest()


def find_record(session: Session) -> CalibrationRecord | None:
    """Return the calibration in force, None without one."""
    stored = meta.find(session, NAME)
    if not stored:
        return None
    content = json.loads(stored)
    content["at"] = datetime.fromisoformat(content["at"]).astimezone(UTC)
    content["model"] = ModelIdentity(**content["model"])
    return CalibrationRecord(**content)


def put_record(session: Session, record: CalibrationRecord) -> None:
    """Put a calibration into force."""
    content = dataclasses.asdict(record)
    meta.put(session, NAME, json.dumps({**content, "at": record.at.isoformat()}))

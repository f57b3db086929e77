"""The calibration of an installation, kept in the database, and the limits that follow from it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import UTC, datetime
from typing import Final

import numpy as np

from ..config.sections import RecognitionSettings
from ..kernel.domain import CalibrationRecord, CalibrationState, DecisionLimits, ModelIdentity, OwnScores
from ..kernel.reading import parse_json
from ..recognition.calibration import fit_people
from ..recognition.engine_specs import EngineSpec
from ..recognition.engines import Engine
from ..store import meta
from ..store.database import Session
from .template_rows import Gallery

NAME: Final = "calibration"
"""Name of the fact in the database."""
OWN_NAME: Final = "own_scores"
"""The same, of what the people who are enrolled say of themselves."""


def state_of(record: CalibrationRecord, gallery: Gallery) -> CalibrationState:
    """Tell whether a calibration fits a gallery."""
    if gallery.model != record.model:
        return CalibrationState.OTHER_ENGINE
    if record.is_outgrown(len(np.unique(gallery.employee_ids)), len(gallery.employee_ids)):
        return CalibrationState.OUTGROWN
    return CalibrationState.FITS if hash_gallery(gallery) == record.gallery_hash else CalibrationState.CHANGED


@dataclasses.dataclass(frozen=True, slots=True)
class StoredCalibration:
    """What the database knows of limits: what a person chose, and what the people said of themselves at the training.

    Each is None where there is none.
    """

    record: CalibrationRecord | None = None
    own: OwnScores | None = None


def limits_for(
    stored: StoredCalibration,
    engine: Engine | EngineSpec,
    named: RecognitionSettings,
    *,
    model: ModelIdentity,
    people: int,
    templates: int,
) -> DecisionLimits:
    """Return what a recognition needs: what the settings name, what a person calibrated, or what fits by itself.

    Of a calibration that the gallery has outgrown and what fits so many people by itself it is the stricter, for
    threshold and margin each: the more people, the more strangers resemble one, and what was chosen for a few is no
    limit for many.

    Args:
        stored: What the database knows. What is of another engine says nothing about these cosines.
        engine: The engine in use, or what is known of it before it is loaded.
        named: The settings.
        model: Identity of its embeddings.
        people, templates: Size of the gallery.
    """
    record = stored.record if stored.record is not None and stored.record.model == model else None
    outgrown = record is not None and record.is_outgrown(people, templates)
    target = named.target_fpir if record is None or outgrown else record.target_fpir
    automatic = fit_people(people, model=model, engine=engine, target=target, own=stored.own)
    threshold, margin = automatic.threshold, engine.margin
    if record is not None:
        threshold = max(record.threshold, threshold) if outgrown else record.threshold
        margin = max(record.margin, margin) if outgrown else record.margin
    if named.threshold is not None:
        threshold = named.threshold
    set_or_unknown = named.threshold is not None or automatic.verification is None
    return DecisionLimits(
        threshold=threshold,
        margin=margin if named.margin is None else named.margin,
        engine_threshold=engine.threshold,
        engine_margin=engine.margin,
        calibration=record,
        outgrown=outgrown,
        automatic=automatic,
        verification=threshold if set_or_unknown else min(threshold, automatic.verification or threshold),
    )


def hash_gallery(gallery: Gallery) -> str:
    """Return a digest of whose templates there are and what they are."""
    digest = hashlib.sha256(np.ascontiguousarray(gallery.employee_ids, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(gallery.embeddings, dtype="<f4").tobytes())
    return digest.hexdigest()


def find_record(session: Session) -> CalibrationRecord | None:
    """Return the calibration, None without one."""
    stored = meta.find(session, NAME)
    if not stored:
        return None
    content = parse_json(stored)
    content["at"] = datetime.fromisoformat(content["at"]).astimezone(UTC)
    content["model"] = ModelIdentity(**content["model"])
    return CalibrationRecord(**content)


def find_stored(session: Session) -> StoredCalibration:
    """Return all that the database knows of limits."""
    stored = meta.find(session, OWN_NAME)
    own = None
    if stored:
        content = json.loads(stored)
        own = OwnScores(**{**content, "model": ModelIdentity(**content["model"])})
    return StoredCalibration(find_record(session), own)


def put_own(session: Session, own: OwnScores) -> None:
    """Store what the people who are enrolled say of themselves, in place of what they said before."""
    meta.put(session, OWN_NAME, json.dumps(dataclasses.asdict(own)))


def put_record(session: Session, record: CalibrationRecord) -> None:
    """Store a calibration in place of the one before."""
    content = dataclasses.asdict(record)
    meta.put(session, NAME, json.dumps({**content, "at": record.at.isoformat()}))


def remove_record(session: Session) -> None:
    """Forget the calibration."""
    meta.remove(session, NAME)

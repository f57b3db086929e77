"""The calibration of an installation, kept in the database, and the limits that follow from it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import UTC, datetime
from typing import Final

import numpy as np

from ..config.sections import RecognitionSettings
from ..domain import CalibrationRecord, CalibrationState, DecisionLimits, ModelIdentity
from ..reading import parse_json
from ..recognition.engine_specs import EngineSpec
from ..recognition.engines import Engine
from ..store import meta
from ..store.database import Session
from ..store.templates import Gallery

NAME: Final = "calibration"
"""Name of the fact in the database."""


def state_of(record: CalibrationRecord, gallery: Gallery) -> CalibrationState:
    """Tell whether a calibration fits a gallery."""
    if gallery.model != record.model:
        return CalibrationState.OTHER_ENGINE
    if record.is_outgrown(len(np.unique(gallery.employee_ids)), len(gallery.employee_ids)):
        return CalibrationState.OUTGROWN
    return CalibrationState.FITS if hash_gallery(gallery) == record.gallery_hash else CalibrationState.CHANGED


def limits_for(
    record: CalibrationRecord | None,
    engine: Engine | EngineSpec,
    named: RecognitionSettings,
    *,
    model: ModelIdentity,
    people: int,
    templates: int,
) -> DecisionLimits:
    """Return what a recognition needs: what the settings name, what was calibrated, or what is the engine's own.

    Of a calibration that the gallery has outgrown and the engine's own it is the stricter, for threshold and margin
    each: the more people, the more strangers resemble one, and what was chosen for a few is no limit for many.

    Args:
        record: The calibration, None without one. One of another engine says nothing about these cosines.
        engine: The engine in use, or what is known of it before it is loaded.
        named: The settings.
        model: Identity of its embeddings.
        people, templates: Size of the gallery.
    """
    threshold, margin = engine.threshold, engine.margin
    outgrown = False
    if record is not None and record.model != model:
        record = None
    if record is not None:
        outgrown = record.is_outgrown(people, templates)
        threshold = max(record.threshold, threshold) if outgrown else record.threshold
        margin = max(record.margin, margin) if outgrown else record.margin
    return DecisionLimits(
        threshold=threshold if named.threshold is None else named.threshold,
        margin=margin if named.margin is None else named.margin,
        engine_threshold=engine.threshold,
        engine_margin=engine.margin,
        calibration=record,
        outgrown=outgrown,
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


def put_record(session: Session, record: CalibrationRecord) -> None:
    """Store a calibration in place of the one before."""
    content = dataclasses.asdict(record)
    meta.put(session, NAME, json.dumps({**content, "at": record.at.isoformat()}))


def remove_record(session: Session) -> None:
    """Forget the calibration."""
    meta.remove(session, NAME)

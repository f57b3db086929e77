"""Which trained model is in force, in the database: its version, and sealed what another machine needs to make it.

The record holds no face: the matcher and the limits of a decision, and which templates are in the model. Machines that
share the database and not their home make the same model of the templates. It is sealed, so that who can write the
database, yet has no key, cannot lower a limit or put a face of yesterday back.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sqlalchemy.orm import Session

from ..kernel.domain import ModelIdentity
from ..kernel.errors import SealBrokenError
from ..kernel.i18n import N_
from ..kernel.reading import parse_json
from ..store import meta
from ..trust.sealing import KeyRing, binding, sealing_key_of
from .trained_model import TrainedModel, make_trained_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .template_rows import Gallery

_NAME: Final = "trained_model"


@dataclass(frozen=True, slots=True, eq=False)
class ModelRecord:
    """What a trained model is made of, all but the embeddings; see :class:`TrainedModel`."""

    version: str
    model: ModelIdentity
    matcher: str
    k: int
    threshold: float
    margin: float
    leave_one_out_accuracy: float | None
    trained_at: datetime
    template_ids: NDArray[np.int64]
    verification: float | None = None

    def make(self, gallery: Gallery) -> TrainedModel:
        """Make the model of the templates in the database; those that are gone, damaged or inactive are left out.

        The version of what comes out tells whether any is.

        Args:
            gallery: Of the same model.
        """
        rows = np.isin(gallery.template_ids, self.template_ids)
        return make_trained_model(
            model=self.model,
            matcher=self.matcher,
            k=self.k,
            threshold=self.threshold,
            margin=self.margin,
            leave_one_out_accuracy=self.leave_one_out_accuracy,
            trained_at=self.trained_at,
            embeddings=gallery.embeddings[rows],
            employee_ids=gallery.employee_ids[rows],
            template_ids=gallery.template_ids[rows],
            people=gallery.people,
            verification=self.verification,
        )


def find_version(session: Session) -> str | None:
    """Return the version of the trained model in force, None before the first training."""
    return meta.find(session, meta.ACTIVE_VERSION)


def find_record(session: Session, ring: KeyRing) -> ModelRecord | None:
    """Return what the model in force is made of, None before the first training.

    Raises:
        SealBrokenError: It was changed, or belongs to another version.
        KeyMissingError: It is sealed with a key that is not in the ring.
    """
    version, stored = find_version(session), meta.find(session, _NAME)
    if version is None or stored is None:
        return None
    plain = ring.open(_sealed(stored), _bound_to(version))
    if plain is None:
        raise SealBrokenError(
            N_("The record of the trained model {version} is broken: it was changed, or belongs to another model."),
            hint=N_("Train it again: smartabsen train"),
            version=version,
        )
    found: dict[str, Any] = parse_json(plain)
    return ModelRecord(
        **{
            **found,
            "model": ModelIdentity(**found["model"]),
            "trained_at": datetime.fromisoformat(found["trained_at"]),
            "template_ids": _unpacked(found["template_ids"]),
        }
    )


def put_record(session: Session, trained: TrainedModel, ring: KeyRing) -> None:
    """Put a trained model into force, for all machines. Raises KeyMissingError."""
    facts = {
        "version": trained.version,
        "model": {
            "engine": trained.model.engine,
            "digest": trained.model.digest,
            "dimension": trained.model.dimension,
        },
        "matcher": trained.matcher,
        "k": trained.k,
        "threshold": trained.threshold,
        "margin": trained.margin,
        "verification": trained.verification,
        "leave_one_out_accuracy": trained.leave_one_out_accuracy,
        "trained_at": trained.trained_at.isoformat(),
        "template_ids": _packed(trained.template_ids),
    }
    sealed = ring.seal(json.dumps(facts).encode(), _bound_to(trained.version))
    meta.put(session, meta.ACTIVE_VERSION, trained.version)
    meta.put(session, _NAME, base64.b64encode(sealed).decode("ascii"))


def reseal_record(session: Session, ring: KeyRing) -> bool:
    """Seal the record with the active key; return whether it was sealed with another one. One that is broken stays."""
    version, stored = find_version(session), meta.find(session, _NAME)
    if version is None or stored is None or sealing_key_of(_sealed(stored)) in (None, ring.active):
        return False
    plain = ring.open(_sealed(stored), _bound_to(version))
    if plain is not None:
        meta.put(session, _NAME, base64.b64encode(ring.seal(plain, _bound_to(version))).decode("ascii"))
    return plain is not None


def remove_record(session: Session) -> None:
    """Forget which model is in force: there is none."""
    for name in (meta.ACTIVE_VERSION, _NAME):
        meta.remove(session, name)


def _bound_to(version: str) -> bytes:
    return binding("training", version)


def _sealed(stored: str) -> bytes:
    try:
        return base64.b64decode(stored, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _packed(template_ids: NDArray[np.int64]) -> dict[str, Any]:
    """Return ids as one bit each from the lowest to the highest, compressed: they mostly follow each other."""
    if not len(template_ids):
        return {"first": 0, "bits": ""}
    first = int(template_ids.min())
    present = np.zeros(int(template_ids.max()) - first + 1, dtype=np.bool_)
    present[template_ids - first] = True
    return {"first": first, "bits": base64.b64encode(zlib.compress(np.packbits(present).tobytes())).decode("ascii")}


def _unpacked(packed: dict[str, Any]) -> NDArray[np.int64]:
    content = zlib.decompress(base64.b64decode(packed["bits"])) if packed["bits"] else b""
    present = np.unpackbits(np.frombuffer(content, dtype=np.uint8))
    return np.flatnonzero(present).astype(np.int64) + int(packed["first"])

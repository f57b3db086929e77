"""A trained model as a value: checked arrays, the settings of a decision, and a version that follows from both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ..kernel.domain import KnownPerson, ModelIdentity
from ..kernel.errors import ModelDamagedError
from ..kernel.i18n import N_

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..kernel.domain import FloatArray

ARRAYS_NAME: Final = "model_knn.npz"
_LENGTH_TOLERANCE: Final = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class TrainedModel:
    """A trained model. Make one with :func:`make_trained_model`.

    Attributes:
        model: Identity of the embeddings.
        matcher, k: The matcher and, for KNN, its number of neighbours.
        threshold, margin: What a decision needs.
        verification: Cosine that somebody needs whom a phone or a code names, and who is compared with that person
            alone. An earlier version knew none: it is the threshold there.
        leave_one_out_accuracy: As measured when it was trained, None where it could not be.
        trained_at: UTC.
        embeddings: float32 (N, D), rows of unit length.
        employee_ids: int64 (N,), whose each row is.
        template_ids: int64 (N,), which stored template each row is.
        people: Those employees by row id, as they were when it was made: a row id is another person's after an older
            database was restored. Empty where an earlier version made it.
        version: 12 hex characters over all of this but the accuracy, the time and the ids of templates: the same
            gallery, trained with the same settings, has the same version.
    """

    model: ModelIdentity
    matcher: str
    k: int
    threshold: float
    margin: float
    leave_one_out_accuracy: float | None
    trained_at: datetime
    embeddings: FloatArray
    employee_ids: NDArray[np.int64]
    template_ids: NDArray[np.int64]
    version: str
    people: Mapping[int, KnownPerson] = field(default_factory=dict)
    verification: float = field(default=1.0)

    def with_rows(
        self,
        embeddings: FloatArray,
        employee_ids: NDArray[np.int64],
        template_ids: NDArray[np.int64],
        people: Mapping[int, KnownPerson] | None = None,
    ) -> TrainedModel:
        """Return the model with other rows, float32 (N, D) and twice int64 (N,), and so another version.

        Args:
            people: Who is in them; None where they are among those of before.

        Raises:
            ModelDamagedError: Shapes, types or values are wrong.
        """
        return make_trained_model(
            model=self.model,
            matcher=self.matcher,
            k=self.k,
            threshold=self.threshold,
            margin=self.margin,
            leave_one_out_accuracy=self.leave_one_out_accuracy,
            trained_at=self.trained_at,
            embeddings=embeddings,
            employee_ids=employee_ids,
            template_ids=template_ids,
            people=self.people if people is None else people,
            verification=self.verification,
        )

    def with_limits(self, threshold: float, margin: float, verification: float) -> TrainedModel:
        """Return the model with other limits, and so another version."""
        return make_trained_model(
            model=self.model,
            matcher=self.matcher,
            k=self.k,
            threshold=threshold,
            margin=margin,
            leave_one_out_accuracy=self.leave_one_out_accuracy,
            trained_at=self.trained_at,
            embeddings=self.embeddings,
            employee_ids=self.employee_ids,
            template_ids=self.template_ids,
            people=self.people,
            verification=verification,
        )

    def only(self, rows: NDArray[np.bool_]) -> TrainedModel:
        """Return the model with some of its rows, bool (N,)."""
        return self.with_rows(self.embeddings[rows], self.employee_ids[rows], self.template_ids[rows])


def make_trained_model(
    *,
    model: ModelIdentity,
    matcher: str,
    k: int,
    threshold: float,
    margin: float,
    leave_one_out_accuracy: float | None,
    trained_at: datetime,
    embeddings: FloatArray,
    employee_ids: NDArray[np.int64],
    template_ids: NDArray[np.int64],
    people: Mapping[int, KnownPerson],
    verification: float | None = None,
) -> TrainedModel:
    """Check the parts of a trained model and give it its version.

    Args:
        verification: None takes the threshold, as a model of an earlier version does.

    Raises:
        ModelDamagedError: Shapes, types or values are wrong.
    """
    _check_arrays(model, embeddings, employee_ids, template_ids)
    threshold, margin = float(threshold), float(margin)
    verification = threshold if verification is None else float(verification)
    settings = [1, model.engine, model.digest, model.dimension, matcher, k, repr(threshold), repr(margin)]
    if verification != threshold:
        # Otherwise the version is the one that an earlier smartabsen gave: its files stay good.
        settings.append(repr(verification))
    digest = sha256(json.dumps(settings).encode())
    digest.update(np.ascontiguousarray(employee_ids, dtype="<i8").data)
    digest.update(np.ascontiguousarray(embeddings, dtype="<f4").data)
    return TrainedModel(
        model=model,
        matcher=matcher,
        k=k,
        threshold=threshold,
        margin=margin,
        leave_one_out_accuracy=leave_one_out_accuracy,
        trained_at=trained_at.astimezone(UTC),
        embeddings=embeddings,
        employee_ids=employee_ids,
        template_ids=template_ids,
        version=digest.hexdigest()[:12],
        people={owner: people[owner] for owner in np.unique(employee_ids).tolist() if owner in people},
        verification=verification,
    )


def damaged(path: Path | str, problem: str) -> ModelDamagedError:
    """Return the error of a model that is not what it should be."""
    return ModelDamagedError(
        N_("The trained model {path} is damaged: {problem}."),
        hint=N_("Train it again: smartabsen train"),
        path=path,
        problem=problem,
    )


def _check_arrays(
    model: ModelIdentity, embeddings: FloatArray, employee_ids: NDArray[np.int64], template_ids: NDArray[np.int64]
) -> None:
    if embeddings.dtype != np.float32 or embeddings.ndim != 2 or embeddings.shape[1] != model.dimension:
        wanted = f"float32 (N, {model.dimension})"
        raise damaged(ARRAYS_NAME, f"embeddings are {embeddings.dtype} {embeddings.shape}, not {wanted}")
    for what, ids in (("employee", employee_ids), ("template", template_ids)):
        if ids.dtype != np.int64 or ids.shape != embeddings.shape[:1]:
            raise damaged(ARRAYS_NAME, f"{what} ids are {ids.dtype} {ids.shape}, not int64 ({len(embeddings)},)")
        if (ids <= 0).any():
            raise damaged(ARRAYS_NAME, f"an id of the {what}s is not positive")
    # A comparison with NaN is false, so this also refuses what is not finite.
    lengths = np.linalg.norm(embeddings, axis=1)
    if not (np.abs(lengths - 1.0) <= _LENGTH_TOLERANCE).all():
        raise damaged(ARRAYS_NAME, "an embedding does not have unit length")

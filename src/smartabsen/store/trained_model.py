"""A trained model as a value: checked arrays, the settings of a decision, and a version that follows from both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ..domain import ModelIdentity
from ..errors import ModelDamagedError
from ..i18n import N_

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..domain import FloatArray

ARRAYS_NAME: Final = "model_knn.npz"
_LENGTH_TOLERANCE: Final = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class TrainedModel:
    """A trained model. Make one with :func:`make_trained_model`.

    Attributes:
        model: Identity of the embeddings.
        matcher, k: The matcher and, for KNN, its number of neighbours.
        threshold, margin: What a decision needs.
        leave_one_out_accuracy: As measured when it was trained, None where it could not be.
        trained_at: UTC.
        embeddings: float32 (N, D), rows of unit length.
        employee_ids: int64 (N,), whose each row is.
        version: 12 hex characters over all of this but the accuracy and the time: the same gallery, trained with the
            same settings, has the same version.
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
    version: str

    def with_rows(self, embeddings: FloatArray, employee_ids: NDArray[np.int64]) -> TrainedModel:
        """Return the model with other rows, float32 (N, D) and int64 (N,), and so another version.

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
        )


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
) -> TrainedModel:
    """Check the parts of a trained model and give it its version.

    Raises:
        ModelDamagedError: Shapes, types or values are wrong.
    """
    _check_arrays(model, embeddings, employee_ids)
    threshold, margin = float(threshold), float(margin)
    settings = [1, model.engine, model.digest, model.dimension, matcher, k, repr(threshold), repr(margin)]
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
        version=digest.hexdigest()[:12],
    )


def damaged(path: Path | str, problem: str) -> ModelDamagedError:
    """Return the error of a model that is not what it should be."""
    return ModelDamagedError(
        N_("The trained model {path} is damaged: {problem}."),
        hint=N_("Train it again: smartabsen train"),
        path=path,
        problem=problem,
    )


def _check_arrays(model: ModelIdentity, embeddings: FloatArray, employee_ids: NDArray[np.int64]) -> None:
    expected = (len(employee_ids), model.dimension)
    if embeddings.dtype != np.float32 or embeddings.shape != expected:
        raise damaged(ARRAYS_NAME, f"embeddings are {embeddings.dtype} {embeddings.shape}, not float32 {expected}")
    if employee_ids.dtype != np.int64 or employee_ids.ndim != 1:
        raise damaged(ARRAYS_NAME, f"employee ids are {employee_ids.dtype} {employee_ids.shape}, not int64 (N,)")
    if (employee_ids <= 0).any():
        raise damaged(ARRAYS_NAME, "an employee id is not positive")
    # A comparison with NaN is false, so this also refuses what is not finite.
    lengths = np.linalg.norm(embeddings, axis=1)
    if not (np.abs(lengths - 1.0) <= _LENGTH_TOLERANCE).all():
        raise damaged(ARRAYS_NAME, "an embedding does not have unit length")

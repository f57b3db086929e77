"""What all embedders share: the check of the crops that come in, and of the numbers that go out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import FloatArray, ImageBGR
from ...kernel.errors import InvalidInputError, ModelError
from ...kernel.i18n import N_
from ..runtime import running


def embed_checked(
    name: str,
    crops_bgr: list[ImageBGR],
    *,
    shape: tuple[int, int, int],
    dimension: int,
    run: Callable[[list[ImageBGR]], NDArray[np.floating]],
) -> FloatArray:
    """Run a model on crops and return embeddings of unit length.

    Args:
        name: Of the model, for errors.
        crops_bgr: The crops; each must be uint8 of this shape.
        shape: Height, width and channels that the model wants.
        dimension: Numbers in one embedding.
        run: The model: crops in, (N, dimension) out. Not called for an empty list.

    Returns:
        float32 (N, dimension).

    Raises:
        InvalidInputError: A crop has another shape or type.
        ModelError: The model failed, or gave another shape, or numbers without a direction.
    """
    for crop in crops_bgr:
        if crop.shape != shape or crop.dtype != np.uint8:
            raise InvalidInputError(
                N_("{name} wants crops uint8 {wanted}; this one is {kind} {shape}."),
                name=name,
                wanted=str(shape),
                kind=str(crop.dtype),
                shape=str(crop.shape),
            )
    if not crops_bgr:
        return np.zeros((0, dimension), dtype=np.float32)
    with running(name):
        raw = np.asarray(run(crops_bgr), dtype=np.float64).reshape(len(crops_bgr), -1)
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    if raw.shape[1] != dimension or not np.isfinite(lengths).all() or (lengths == 0).any():
        raise ModelError(N_("The model {name} gave no usable embedding."), name=name)
    embeddings: FloatArray = (raw / lengths).astype(np.float32)
    return embeddings

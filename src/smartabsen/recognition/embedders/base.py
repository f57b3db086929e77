"""What a face embedder is."""

from __future__ import annotations

from typing import Protocol

from ...kernel.domain import FloatArray, ImageBGR
from ..alignment import Template
from ..runtime import RunsOn


class Embedder(Protocol):
    """Turns aligned faces into embeddings.

    An embedder is used by one thread at a time; it may be made in one thread and used in another.
    """

    name: str
    """As in the registry, ``arcface``."""
    dimension: int
    """Numbers in an embedding."""
    template: Template
    """How its crops are aligned: their size, and where the landmarks go."""
    digest: str
    """SHA-256 (hex) over its files."""

    @property
    def runs_on(self) -> RunsOn:
        """What really executes it."""
        ...

    def embed(self, crops_bgr: list[ImageBGR]) -> FloatArray:
        """Embed aligned crops.

        Args:
            crops_bgr: uint8 each, as :func:`..alignment.align` cuts them for the template. May be empty.

        Returns:
            float32 (N, dimension), each row of unit length. A row does not depend on the rest of the batch
            by more than rounding.

        Raises:
            InvalidInputError: A crop has another shape or type.
            ModelError: The model failed, or gave a number that is not finite.
        """
        ...

    def close(self) -> None:
        """Release the model. Closing twice is harmless."""
        ...

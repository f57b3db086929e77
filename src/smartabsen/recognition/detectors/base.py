"""What a face detector is."""

from __future__ import annotations

from typing import Protocol

from ...kernel.domain import Face, ImageBGR, LandmarkScheme
from ..runtime import RunsOn


class Detector(Protocol):
    """Finds faces and their five landmarks.

    A detector is used by one thread at a time; it may be made in one thread and used in another.
    """

    name: str
    """As in the registry, ``scrfd``."""
    scheme: LandmarkScheme
    """The landmarks it gives."""

    @property
    def runs_on(self) -> RunsOn:
        """What really executes it."""
        ...

    def detect(self, image_bgr: ImageBGR) -> tuple[Face, ...]:
        """Find the faces of an image, the largest first.

        Args:
            image_bgr: uint8 (H, W, 3). Implementations reduce it as they need; coordinates come back in its pixels.

        Raises:
            InvalidInputError: The array has another shape or type.
            ModelError: The model failed.
        """
        ...

    def close(self) -> None:
        """Release the model. Closing twice is harmless."""
        ...

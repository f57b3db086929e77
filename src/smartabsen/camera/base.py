"""What a source of frames is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..domain import ImageBGR


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame.

    Attributes:
        image_bgr: uint8 (H, W, 3), the caller's to keep.
        index: Counts from 0 in this session, gaps included.
        at_s: Monotonic time of capture in seconds for a live camera; time in the recording for a file.
    """

    image_bgr: ImageBGR
    index: int
    at_s: float


class FrameSource(Protocol):
    """Gives frames, one after another."""

    name: str
    """The camera as a person would write it, without a password."""
    live: bool
    """Whether frames that nobody takes are gone (a camera), or wait (a file)."""

    def read(self, timeout_s: float) -> Frame | None:
        """Wait for the next frame.

        Returns:
            The frame, or None at the end of a recording.

        Raises:
            CameraError: No frame within ``timeout_s``, or the camera is gone.
        """
        ...

    def close(self) -> None:
        """Release the camera. Closing twice is harmless."""
        ...

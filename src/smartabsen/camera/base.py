"""What a source of frames is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from ..kernel.domain import ImageBGR
    from ..kernel.errors import CameraError

MAX_PIXELS: Final = 25_000_000
"""Pictures and frames with more pixels are refused before they are decoded."""


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


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """How a source is opened.

    Attributes:
        open_timeout_s: A camera that has not answered by then cannot be opened.
        read_timeout_s: A camera that gives no frame for so long is gone.
        on_skip: Told of each picture of a folder that cannot be used.
    """

    open_timeout_s: float = 10.0
    read_timeout_s: float = 5.0
    on_skip: Callable[[CameraError], None] | None = None


class FrameSource(Protocol):
    """Gives frames, one after another.

    A source is read and closed by one thread; it may be made in another one.
    """

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

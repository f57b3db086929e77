"""A video file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..kernel.errors import CameraError
from ..kernel.i18n import N_
from .base import Frame, OpenOptions
from .capture import closed_error, open_capture, quiet_cv2, read_capture

if TYPE_CHECKING:
    from ..kernel.domain import ImageBGR

_USUAL_FPS: Final = 25.0


class VideoSource:
    """The frames of a video file, every one of them, with the recording's own times.

    Raises:
        CameraError: The file is no video that OpenCV can read, or it has no frame.
    """

    live = False

    def __init__(self, spec: str, options: OpenOptions) -> None:
        del options  # A file neither blocks nor is skipped.
        cv2 = quiet_cv2()
        self.name = spec
        # Named, because OpenCV would go on to try what FFmpeg cannot read as a numbered series of pictures (%02d).
        backend = cv2.CAP_FFMPEG if cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG) else cv2.CAP_ANY
        self._capture = open_capture(str(Path(spec).absolute()), backend, (), name=self.name)
        first = None if self._capture is None else read_capture(self._capture)
        if self._capture is None or first is None:
            if self._capture is not None:
                self._capture.release()
            raise CameraError(
                N_("“{camera}” is not a video that can be read."),
                hint=N_("MP4, AVI, MKV and MOV files work; check that the file is whole and really a video."),
                camera=self.name,
            )
        self._next: ImageBGR | None = first
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self._period_s = 1.0 / (fps if math.isfinite(fps) and 0.1 <= fps <= 1000.0 else _USUAL_FPS)
        self._index = 0
        self._at_s = -self._period_s

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, or None at the end."""
        del timeout_s
        if self._capture is None:
            raise closed_error(self.name)
        image = self._next if self._next is not None else read_capture(self._capture)
        self._next = None
        if image is None:
            return None
        frame = Frame(image_bgr=image, index=self._index, at_s=self._time_of_frame())
        self._index += 1
        return frame

    def close(self) -> None:
        """Release the file."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _time_of_frame(self) -> float:
        # Some containers carry no times, or times that jump back: then the frame rate goes on from the last one.
        assert self._capture is not None
        stated_s = self._capture.get(quiet_cv2().CAP_PROP_POS_MSEC) / 1000.0
        if not math.isfinite(stated_s) or stated_s <= self._at_s:
            stated_s = self._at_s + self._period_s
        self._at_s = stated_s
        return stated_s

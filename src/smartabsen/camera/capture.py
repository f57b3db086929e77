"""cv2.VideoCapture with its noise turned off, and one frame out of it checked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, cast

from ..kernel.errors import CameraError
from ..kernel.i18n import N_
from .base import MAX_PIXELS

if TYPE_CHECKING:
    from cv2 import VideoCapture

    from ..kernel.domain import ImageBGR


def quiet_cv2() -> ModuleType:
    """Return cv2, silent on stderr: we report failures ourselves, and a live view in the terminal must stay whole.

    FFmpeg's own log is turned off too (read when its first capture is opened). Whoever sets OPENCV_LOG_LEVEL or
    OPENCV_FFMPEG_LOGLEVEL keeps what they asked for.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    import cv2

    if "OPENCV_LOG_LEVEL" not in os.environ:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


def open_capture(target: int | str, backend: int, parameters: Sequence[int], *, name: str) -> VideoCapture | None:
    """Open a capture, or return None where OpenCV cannot.

    Raises:
        CameraError: Its frames have more than :data:`MAX_PIXELS` pixels.
    """
    cv2 = quiet_cv2()
    try:
        capture: VideoCapture = cv2.VideoCapture(target, backend, list(parameters))
    except cv2.error:
        return None
    if not capture.isOpened():
        capture.release()
        return None
    width, height = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    if width * height > MAX_PIXELS:
        capture.release()
        raise CameraError(
            N_("The pictures of “{camera}” are too large: {width}x{height}."),
            hint=N_("Set the camera to 1280x720 or 1920x1080."),
            camera=name,
            width=width,
            height=height,
        )
    return capture


def read_capture(capture: VideoCapture) -> ImageBGR | None:
    """Return the next frame, uint8 (H, W, 3), or None where there is none."""
    import cv2

    try:
        ok, image = capture.read()
    except cv2.error:
        return None
    if not ok or image is None or image.size == 0:
        return None
    # OpenCV's stubs allow every type; a capture converts to 8-bit BGR unless it is told not to.
    return cast("ImageBGR", image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))


def closed_error(name: str) -> CameraError:
    """Return the error of reading a source that was closed."""
    return CameraError(N_("The camera “{camera}” is closed."), camera=name)

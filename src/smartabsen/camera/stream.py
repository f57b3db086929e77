"""A stream from the network: RTSP, or MJPEG and the like over HTTP."""

from __future__ import annotations

import os
import time

from ..kernel.errors import CameraError
from ..kernel.i18n import N_
from .address import display_name
from .base import Frame, OpenOptions
from .capture import closed_error, open_capture, quiet_cv2, read_capture


class StreamSource:
    """The frames of a stream as they arrive.

    Reading blocks for ``read_timeout_s`` of the options at most, whatever ``timeout_s`` says: OpenCV takes its
    timeouts when a stream is opened. :class:`smartabsen.camera.grabber.LatestFrame` gives a reader that is on time.

    Raises:
        CameraError: The stream cannot be opened within ``open_timeout_s``.
    """

    live = True

    def __init__(self, spec: str, options: OpenOptions) -> None:
        cv2 = quiet_cv2()
        # RTP over UDP loses packets on busy office networks and is often blocked; TCP costs a little delay.
        os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
        self.name = display_name(spec)
        timeouts = (
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            max(1, round(options.open_timeout_s * 1000)),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            max(1, round(options.read_timeout_s * 1000)),
        )
        self._capture = open_capture(spec, cv2.CAP_FFMPEG, timeouts, name=self.name)
        if self._capture is None:
            raise CameraError(
                N_("The stream “{camera}” cannot be opened."),
                hint=N_(
                    "Check address, user and password in another player, and that this machine reaches the camera; "
                    "it had {seconds} s to answer."
                ),
                camera=self.name,
                seconds=f"{options.open_timeout_s:g}",
            )
        self._index = 0

    def read(self, timeout_s: float) -> Frame | None:
        """Wait for the next frame; a stream has no end, so it never returns None."""
        del timeout_s
        if self._capture is None:
            raise closed_error(self.name)
        image = read_capture(self._capture)
        if image is None:
            raise CameraError(
                N_("The stream “{camera}” gives no pictures any more."),
                hint=N_("Check the camera's power and network."),
                camera=self.name,
            )
        frame = Frame(image_bgr=image, index=self._index, at_s=time.monotonic())
        self._index += 1
        return frame

    def close(self) -> None:
        """Leave the stream."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

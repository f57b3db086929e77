"""A camera of this machine: built in, or on USB."""

from __future__ import annotations

import math
import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..kernel.errors import CameraError
from ..kernel.i18n import N_
from .address import device_node
from .base import Frame, OpenOptions
from .capture import closed_error, open_capture, quiet_cv2, read_capture

if TYPE_CHECKING:
    from cv2 import VideoCapture

    from ..kernel.domain import ImageBGR

_WANTED_SIZE: Final = (1280, 720)
_DEVICES: Final = Path("/dev")
_DEVICE_NAMES: Final = Path("/sys/class/video4linux")


class DeviceSource:
    """The frames of a camera of this machine, 1280x720 where it can, else as it likes.

    Reading blocks for as long as the driver does; :class:`smartabsen.camera.grabber.LatestFrame` gives a reader that is
    on time.

    Raises:
        CameraError: There is no such camera (the hint lists those there are), it may not be opened by this user, it is
            in use by another program, or it gives no picture.
    """

    live = True

    def __init__(self, spec: str, options: OpenOptions) -> None:
        self.name = spec
        node = device_node(spec)
        if sys.platform == "linux":
            _check_node(Path(node), camera=spec)
            # The driver waits 10 s for a picture otherwise.
            os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(math.ceil(options.read_timeout_s)))
        # Some drivers accept a size and then send nothing: the second attempt leaves everything as the camera likes it.
        for size in (_WANTED_SIZE, None):
            capture = _open(node, size=size, name=self.name)
            first = None if capture is None else read_capture(capture)
            if capture is not None and first is not None:
                break
            if capture is not None:
                capture.release()
        else:
            raise CameraError(
                N_("The camera {camera} is there but gives no picture."),
                hint=N_("Close other programs that use it (video calls, browsers), or unplug it and plug it in again."),
                camera=self.name,
            )
        self._capture: VideoCapture | None = capture
        self._next: ImageBGR | None = first
        self._index = 0

    def read(self, timeout_s: float) -> Frame | None:
        """Wait for the next frame; a camera has no end, so it never returns None."""
        del timeout_s
        if self._capture is None:
            raise closed_error(self.name)
        image = self._next if self._next is not None else read_capture(self._capture)
        self._next = None
        if image is None:
            raise CameraError(
                N_("The camera {camera} gives no pictures any more."),
                hint=N_("Check its cable."),
                camera=self.name,
            )
        frame = Frame(image_bgr=image, index=self._index, at_s=time.monotonic())
        self._index += 1
        return frame

    def close(self) -> None:
        """Release the camera."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None


def list_devices() -> tuple[tuple[str, str], ...]:
    """Return the cameras that Linux knows, as (number, product name), without opening one; nothing elsewhere."""
    found = []
    for node in _DEVICES.glob("video*"):
        number = re.fullmatch(r"video(\d+)", node.name)
        if number is None:
            continue
        about = _DEVICE_NAMES / node.name
        # One camera has several nodes; those after the first carry metadata.
        if _text_of(about / "index", default="0") == "0":
            found.append((int(number[1]), _text_of(about / "name", default="camera")))
    return tuple((str(number), name) for number, name in sorted(found))


def _open(node: str, *, size: tuple[int, int] | None, name: str) -> VideoCapture | None:
    cv2 = quiet_cv2()
    # The platform's own interface by name: probing all of them writes to stderr and can take seconds.
    backend = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}.get(
        sys.platform, cv2.CAP_ANY
    )
    capture = open_capture(int(node) if node.isdecimal() else node, backend, (), name=name)
    if capture is not None:
        if size is not None:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def _check_node(node: Path, *, camera: str) -> None:
    if not node.exists():
        devices = list_devices()
        raise CameraError(
            N_("There is no camera {camera} on this machine."),
            hint=N_("Cameras found: {devices}.")
            if devices
            else N_("No camera was found at all: plug one in, or use a video file or an rtsp:// address."),
            camera=camera,
            devices=", ".join(f"{number} ({name})" for number, name in devices),
        )
    if not os.access(node, os.R_OK | os.W_OK):
        raise CameraError(
            N_("This user may not open the camera {camera}."),
            hint=N_("Add the user to the group “video” (sudo usermod -aG video $USER) and log in again."),
            camera=camera,
        )


def _text_of(path: Path, *, default: str) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or default
    except OSError:
        return default

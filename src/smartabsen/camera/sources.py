"""Opens a camera by what a person wrote: ``0``, ``rtsp://...``, a video file, a folder of pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..kernel.errors import CameraError
from ..kernel.i18n import N_
from ..kernel.registry import Registration, Registry
from .address import STREAM_SCHEMES, display_name, kind_of
from .base import FrameSource, OpenOptions

SOURCES: Final[Registry[FrameSource]] = Registry(
    N_("camera"),
    {
        "device": Registration("smartabsen.camera.device:DeviceSource", "opencv-python"),
        "stream": Registration("smartabsen.camera.stream:StreamSource", "opencv-python"),
        "video": Registration("smartabsen.camera.video:VideoSource", "opencv-python"),
        "folder": Registration("smartabsen.camera.folder:FolderSource", "opencv-python"),
    },
)
"""Kinds of sources. A factory takes ``(spec, options)``. A backend that another package adds under the name ``x``
opens what is written ``x://...``."""


def open_source(
    spec: str,
    *,
    open_timeout_s: float = 10.0,
    read_timeout_s: float = 5.0,
    on_skip: Callable[[CameraError], None] | None = None,
) -> FrameSource:
    """Open a source of frames, whichever kind ``spec`` names.

    A live source from here blocks while it is read; :func:`smartabsen.camera.reconnect.open_camera` gives one that
    does not, and that comes back after a failure.

    Args:
        spec: ``0``, ``/dev/video0``, ``rtsp://...``, ``http://...``, a video file, a picture, or a folder of pictures.
        open_timeout_s, read_timeout_s, on_skip: See :class:`OpenOptions`.

    Raises:
        CameraError: It cannot be opened; the hint says what to do.
        MissingDependencyError: A library for it is not installed.
    """
    kind = kind_of(spec)
    if kind not in SOURCES.names():
        raise CameraError(
            N_("“{camera}” is no kind of camera that smartabsen knows."),
            hint=N_("Streams begin with one of: {schemes}."),
            camera=display_name(spec),
            schemes=", ".join(f"{scheme}://" for scheme in STREAM_SCHEMES),
        )
    options = OpenOptions(open_timeout_s=open_timeout_s, read_timeout_s=read_timeout_s, on_skip=on_skip)
    return SOURCES.get_factory(kind)(spec.strip(), options)

"""What people write to name a camera: which kind it is, how it is shown, and which physical camera it means."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ..kernel.domain.addresses import mask_camera
from ..kernel.errors import CameraError
from ..kernel.i18n import N_
from ..kernel.reading import refuse_odd

STREAM_SCHEMES: Final = ("rtsp", "rtsps", "rtmp", "http", "https")
PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
_DEFAULT_PORTS: Final = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "http": 80, "https": 443}
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
# Greedy up to the last @: a password that was not percent-encoded may itself hold @, / or #.
_USERINFO: Final = re.compile(r"(?<=://)([^:/@]*)(:.*)?@")


def kind_of(spec: str) -> str:
    """Return the kind of source that ``spec`` names: ``device``, ``stream``, ``video``, ``folder``, or the scheme of
    a ``scheme://`` that is none of ours (a backend of another package may have that name).

    Raises:
        CameraError: There is no such file or folder, or nothing was named.
        StorageError: What is there may not be read, or is neither.
    """
    spec = spec.strip()
    if not spec:
        raise CameraError(N_("No camera is named."), hint=_hint())
    if spec.isdecimal() or spec.startswith("/dev/"):
        return "device"
    scheme = _SCHEME.match(spec)
    if scheme:
        name = scheme[1].lower()
        return "stream" if name in STREAM_SCHEMES else name
    path = Path(spec)
    refuse_odd(path)
    if path.is_dir():
        return "folder"
    if path.is_file():
        return "folder" if path.suffix.lower() in PICTURE_SUFFIXES else "video"
    raise CameraError(
        N_("There is no camera, video file or folder “{camera}”."), hint=_hint(), camera=display_name(spec)
    )


def display_name(spec: str) -> str:
    """Return ``spec`` as a person would write it, with ``***`` for its password; see :func:`mask_camera`."""
    return mask_camera(spec)


def device_node(spec: str) -> str:
    """Return the device that a number or a path means: ``/dev/video0`` on Linux for ``0`` and for its links
    (``/dev/v4l/by-id/...``), the number itself elsewhere.
    """
    spec = spec.strip()
    if spec.isdecimal():
        return f"/dev/video{int(spec)}" if sys.platform == "linux" else str(int(spec))
    return str(Path(spec).resolve())


def lock_key(spec: str) -> str | None:
    """Return what is the same for two names of one physical camera, or None where no lock is needed (files, folders).

    A stream's key has neither user nor password: two accounts on one camera are still one camera.
    """
    spec = spec.strip()
    if spec.isdecimal() or spec.startswith("/dev/"):
        return device_node(spec)
    if not _SCHEME.match(spec):
        return None
    bare = _USERINFO.sub("", spec)
    try:
        parts = urlsplit(bare)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return bare
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.hostname or ''}:{port or ''}{parts.path or '/'}{query}"


def _hint() -> str:
    return N_(
        "Give a device number (0 is the first camera), rtsp://user:password@host/path, a video file, or a folder of "
        "pictures."
    )

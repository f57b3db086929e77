"""One picture from a file, or into one. Camera's own: recognition has its decoder, with verdicts for people."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..kernel.errors import CameraError, StorageError
from ..kernel.i18n import N_
from ..kernel.reading import read_bytes
from .base import MAX_PIXELS
from .capture import quiet_cv2

if TYPE_CHECKING:
    from ..kernel.domain import ImageBGR

_MAX_BYTES: Final = 100_000_000
_DEEP_GREYS: Final = frozenset({"I", "I;16", "I;16B", "I;16L"})


def read_picture(path: Path) -> ImageBGR:
    """Read a picture, turned upright as its EXIF orientation says.

    Its header is read first: a small file may decode to gigabytes.

    Returns:
        uint8 (H, W, 3), blue-green-red.

    Raises:
        CameraError: It cannot be read, is no picture or not a whole one, or has more than :data:`MAX_PIXELS` pixels.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _too_large(path)
        data = read_bytes(path)
    except OSError as exc:
        raise CameraError(
            N_("The picture “{path}” cannot be read: {problem}."), path=path, problem=exc.strerror or exc
        ) from exc
    return _decode(data, path)


def write_picture(path: Path, image_bgr: ImageBGR, *, jpeg_quality: int = 95) -> None:
    """Write a picture in the format that the suffix of ``path`` names.

    Raises:
        StorageError: The file cannot be written.
    """
    cv2 = quiet_cv2()
    ok, data = cv2.imencode(path.suffix, image_bgr, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
    assert ok, path.suffix
    try:
        path.write_bytes(data.tobytes())
    except OSError as exc:
        raise StorageError(
            N_("The picture “{path}” cannot be written: {problem}."), path=path, problem=exc.strerror or exc
        ) from exc


def _decode(data: bytes, path: Path) -> ImageBGR:
    """Decode with Pillow: OpenCV's libjpeg and libpng write their complaints on stderr."""
    import numpy as np
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise _too_large(path)
                if image.mode in _DEEP_GREYS:
                    grey = np.asarray(image).astype(np.uint32) >> 8
                    return np.ascontiguousarray(np.repeat(grey[..., None], 3, axis=2), dtype=np.uint8)
                upright = ImageOps.exif_transpose(image).convert("RGB")
    except Image.DecompressionBombError as exc:
        raise _too_large(path) from exc
    except (OSError, SyntaxError, ValueError, struct.error, KeyError, IndexError, TypeError, EOFError) as exc:
        raise _unreadable(path) from exc
    return np.ascontiguousarray(np.asarray(upright)[:, :, ::-1])


def _too_large(path: Path) -> CameraError:
    return CameraError(
        N_("The picture “{path}” is too large (over {limit} megapixels)."),
        hint=N_("Reduce it first."),
        path=path,
        limit=MAX_PIXELS // 1_000_000,
    )


def _unreadable(path: Path) -> CameraError:
    return CameraError(
        N_("The picture “{path}” is not one that can be read, or not a whole one."),
        hint=N_("JPEG, PNG, BMP, WebP and TIFF work."),
        path=path,
    )

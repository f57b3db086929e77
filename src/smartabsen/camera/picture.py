"""One picture from a file, or into one. Camera's own: recognition has its decoder, with verdicts for people."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import CameraError, StorageError
from ..i18n import N_
from .base import MAX_PIXELS
from .capture import quiet_cv2

if TYPE_CHECKING:
    from ..domain import ImageBGR

_MAX_BYTES: Final = 100_000_000


def read_picture(path: Path) -> ImageBGR:
    """Read a picture, turned upright as its EXIF orientation says.

    Its header is read first: a small file may decode to gigabytes.

    Returns:
        uint8 (H, W, 3), blue-green-red.

    Raises:
        CameraError: It cannot be read, is no picture or not a whole one, or has more than :data:`MAX_PIXELS` pixels.
    """
    import numpy as np

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _too_large(path)
        data = path.read_bytes()
    except OSError as exc:
        raise CameraError(
            N_("The picture “{path}” cannot be read: {problem}."), path=path, problem=exc.strerror or exc
        ) from exc
    _check_header(data, path)
    cv2 = quiet_cv2()
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise _unreadable(path)
    decoded: ImageBGR = image
    return decoded


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


def _check_header(data: bytes, path: Path) -> None:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as header:
                if header.width * header.height > MAX_PIXELS:
                    raise _too_large(path)
                if header.format == "PNG":
                    # Checks the chunks without decoding; libpng would complain on stderr.
                    header.verify()
    except Image.DecompressionBombError as exc:
        raise _too_large(path) from exc
    except (OSError, SyntaxError, ValueError) as exc:
        raise _unreadable(path) from exc


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

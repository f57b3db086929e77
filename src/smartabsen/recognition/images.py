"""Bytes to pixels: the one place where a picture file is decoded, whoever brings it.

Phones turn photos by an EXIF flag, photos can be of 100 megapixels, uploads can be cut off, and a PNG of 300 KB can
unfold to half a gigabyte. All of that ends here, as an upright :data:`~smartabsen.domain.ImageBGR` or as a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from ..domain import BoxXYXY, ImageBGR, Outcome
from ..errors import InvalidInputError
from ..i18n import N_
from .picture_header import PictureHeader, is_heif, read_header

MAX_PIXELS: Final = 25_000_000
"""Pictures with more pixels are refused before they are decoded, unless they are decoded reduced."""
MAX_PIXELS_BY_ROWS: Final = 120_000_000
"""The same for JPEGs that are reduced row by row while they are decoded, as phones of 50, 64 and 108 megapixels write
them. One of 108 megapixels took 41 MB, its picture of 20 MB included; as a progressive JPEG it took 330 MB."""
MAX_BYTES: Final = 110_000_000
"""Longer files are refused; an uncompressed picture of :data:`MAX_PIXELS` is shorter. Check before you read a file."""
WORKING_PX: Final = 1_600
"""Pictures are reduced by 2, 4 or 8 as long as the longer side keeps at least so many pixels."""

_REDUCED: Final = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_ENCODERS: Final[dict[str, tuple[str, list[int]]]] = {
    ".jpg": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 92]),
    ".jpeg": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 92]),
    ".png": (".png", []),
    ".webp": (".webp", [cv2.IMWRITE_WEBP_QUALITY, 90]),
    ".bmp": (".bmp", []),
}
PICTURE_SUFFIXES: Final = tuple(_ENCODERS)
"""Endings of files that pictures can be written to."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture.

    Attributes:
        image_bgr: uint8 (H, W, 3), upright.
        reduction: 1, 2, 4 or 8: one pixel of ``image_bgr`` is so many of the file, each way.
    """

    image_bgr: ImageBGR
    reduction: int

    def box_in_file(self, box_xyxy: BoxXYXY) -> BoxXYXY:
        """Return a box of ``image_bgr`` in the pixels of the (upright) file."""
        left, top, right, bottom = (side * self.reduction for side in box_xyxy)
        return left, top, right, bottom


@dataclass(frozen=True, slots=True)
class ImageRefusal:
    """Why a file is not used as a picture.

    Attributes:
        outcome: UNREADABLE or TOO_LARGE.
        detail: What is wrong and what to do, in English; a message id with ``params``.
    """

    outcome: Outcome
    detail: str
    params: tuple[tuple[str, str], ...] = ()


def decode_image(data: bytes, *, working_px: int = WORKING_PX) -> Picture | ImageRefusal:
    """Decode a JPEG, PNG, WebP or BMP; grey, palette, 16-bit and transparent ones included.

    Args:
        data: The whole file.
        working_px: The longer side is reduced as far as it keeps so many pixels, and further where more than
            :data:`MAX_PIXELS` would be left. Raise it to find small faces in large group photos.

    Returns:
        The picture, turned upright by its EXIF orientation; or a refusal, which is data and never raised.
    """
    header = read_header(data)
    refusal = _refuse(data, header)
    if header is None or refusal is not None:
        return refusal or _unreadable()
    longer, pixels_in_file = max(header.width, header.height), header.width * header.height
    least = min(factor for factor in _REDUCED if pixels_in_file <= MAX_PIXELS * factor**2)
    reduction = max(factor for factor in _REDUCED if factor == least or longer // factor >= working_px)
    # A JPEG is reduced while it is decoded, which saves most of the work; the others afterwards.
    flag = _REDUCED[reduction] if header.format == "jpeg" else cv2.IMREAD_COLOR
    try:
        pixels = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flag)
    except cv2.error:
        pixels = None
    if pixels is None:
        return ImageRefusal(Outcome.UNREADABLE, N_("The picture is damaged. Copy it from the camera again."))
    if reduction > 1 and header.format != "jpeg":
        height, width = pixels.shape[:2]
        size = (-(-width // reduction), -(-height // reduction))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return Picture(np.ascontiguousarray(pixels, dtype=np.uint8), reduction)


def encode_image(image_bgr: ImageBGR, *, suffix: str) -> bytes:
    """Encode a picture in the format of a file name's suffix: .jpg, .jpeg, .png, .webp or .bmp.

    Raises:
        InvalidInputError: The suffix is none of these, or the picture does not fit the format.
    """
    if suffix.lower() not in _ENCODERS:
        raise InvalidInputError(
            N_("Pictures are not written as “{suffix}”."),
            hint=N_("Use one of: {known}."),
            suffix=suffix,
            known=", ".join(_ENCODERS),
        )
    extension, options = _ENCODERS[suffix.lower()]
    done, encoded = cv2.imencode(extension, image_bgr, options)
    if not done:
        height, width = image_bgr.shape[:2]
        raise InvalidInputError(
            N_("A picture of {width} x {height} cannot be written as “{suffix}”."),
            width=width,
            height=height,
            suffix=suffix,
        )
    return encoded.tobytes()


def make_thumbnail(image_bgr: ImageBGR, side_px: int) -> ImageBGR:
    """Return a copy whose longer side has ``side_px``; a smaller picture as it is."""
    height, width = image_bgr.shape[:2]
    factor = side_px / max(height, width)
    if factor >= 1.0:
        return image_bgr
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _refuse(data: bytes, header: PictureHeader | None) -> ImageRefusal | None:
    if not data:
        return ImageRefusal(Outcome.UNREADABLE, N_("The file is empty. Copy the picture again."))
    if len(data) > MAX_BYTES:
        return ImageRefusal(
            Outcome.TOO_LARGE,
            N_("The file has {megabytes} MB; at most {limit} MB are read. Save a smaller copy of the picture."),
            (("megabytes", f"{len(data) / 1e6:.0f}"), ("limit", f"{MAX_BYTES / 1e6:.0f}")),
        )
    if header is None:
        return _heif() if is_heif(data) else _unreadable()
    if header.width <= 0 or header.height <= 0:
        return _unreadable()
    limit = MAX_PIXELS_BY_ROWS if header.by_rows else MAX_PIXELS
    if header.width * header.height > limit:
        return ImageRefusal(
            Outcome.TOO_LARGE,
            N_("The picture has {megapixels} megapixels; at most {limit} are read. Save a smaller copy."),
            (
                ("megapixels", f"{header.width * header.height / 1e6:.0f}"),
                ("limit", f"{limit / 1e6:.0f}"),
            ),
        )
    if not header.whole:
        return ImageRefusal(Outcome.UNREADABLE, N_("The picture is cut off. Copy it again, and wait until it is done."))
    return None


def _heif() -> ImageRefusal:
    return ImageRefusal(
        Outcome.UNREADABLE,
        N_(
            "This is a HEIC picture, as iPhones store them. Export it as JPEG; for new photos choose "
            "Settings > Camera > Formats > Most Compatible."
        ),
    )


def _unreadable() -> ImageRefusal:
    return ImageRefusal(Outcome.UNREADABLE, N_("This is not a picture in JPEG, PNG, WebP or BMP."))

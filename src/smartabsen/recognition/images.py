"""Bytes to pixels: the one place where a picture file is decoded, whoever brings it.

Phones turn photos by an EXIF flag, photos can be of 100 megapixels, uploads can be cut off, a PNG of 300 KB can unfold
to half a gigabyte, and a JPEG of as much can take ten seconds. All of that ends here, as an upright
:data:`~smartabsen.kernel.domain.ImageBGR` or as a refusal.

Pillow decodes, not OpenCV: it gives the same pixels of a JPEG, and its libjpeg writes nothing on stderr, which OpenCV's
libjpeg and libpng do, and which belongs to all threads of a program.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from PIL import BmpImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from ..kernel.domain import BoxXYXY, ImageBGR, Outcome
from ..kernel.errors import InvalidInputError
from ..kernel.i18n import N_
from .picture_header import PictureHeader, is_heif, read_header, strip_metadata, with_more_data

MAX_PIXELS: Final = 25_000_000
"""Pictures with more pixels are refused before they are decoded, unless they are decoded reduced."""
MAX_PIXELS_BY_ROWS: Final = 120_000_000
"""The same for JPEGs that are reduced row by row while they are decoded, as phones of 50, 64 and 108 megapixels write
them. One of 108 megapixels took 41 MB, its picture of 20 MB included; as a progressive JPEG it took 330 MB."""
MAX_BYTES: Final = 110_000_000
"""Longer files are refused; an uncompressed picture of :data:`MAX_PIXELS` is shorter. Check before you read a file."""
MAX_FRAME_PIXELS: Final = 4_000_000
"""The same for frames from a browser's camera: pages ask for 1280 x 720, and cameras that cannot give that give up to
2560 x 1440."""
WORKING_PX: Final = 1_600
"""Pictures are reduced by 2, 4 or 8 as long as the longer side keeps at least so many pixels."""
MAX_SCANS: Final = 20
"""JPEGs with more scans are refused: each is a pass over all coefficients. libjpeg writes progressive pictures in 10,
the encoders that seek the smallest file in up to 15; an attack has hundreds."""

_REDUCTIONS: Final = (1, 2, 4, 8)
_OPENERS: Final[dict[str, Callable[[io.BytesIO], Image.Image]]] = {
    "jpeg": JpegImagePlugin.JpegImageFile,
    "png": PngImagePlugin.PngImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
}
"""Not by ``Image.open``: what a file is, and how large it may be, is decided before."""
_DEEP_GREYS: Final = frozenset({"I", "I;16", "I;16B", "I;16L"})
_TURNS: Final[dict[int, tuple[int, bool]]] = {
    1: (0, False),
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (3, True),
    6: (3, False),
    7: (1, True),
    8: (1, False),
}
"""For each EXIF orientation: quarter turns to the left, and whether left and right are exchanged afterwards."""
_MORE: Final = bytes(random.Random(7).randrange(0xFF) for _ in range(256))  # noqa: S311 - any data will do
"""What a JPEG decoder that is short of data takes for pixels; see :func:`.picture_header.with_more_data`."""
_FILLED: Final = 128
_MOST_MORE: Final = 64 * 2**20
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
    least = min(factor for factor in _REDUCTIONS if pixels_in_file <= MAX_PIXELS * factor**2)
    reduction = max(factor for factor in _REDUCTIONS if factor == least or longer // factor >= working_px)
    bare = strip_metadata(data, header)
    try:
        pixels = _decode(bare, header, reduction)
        if header.format == "jpeg" and _ends_early(bare, header, pixels):
            return _cut_off()
    except Exception:  # noqa: BLE001 - of planted files, decoders raise anything
        return ImageRefusal(Outcome.UNREADABLE, N_("The picture is damaged. Copy it from the camera again."))
    return Picture(_upright(pixels, header.orientation), reduction)


def decode_frame(data: bytes) -> Picture | ImageRefusal:
    """Decode a frame that a page took with a browser's camera: of a camera's size, in its full size.

    Anybody may send these, many at a time, so nothing is decoded that no camera in a browser gives.
    """
    header = read_header(data)
    if header is not None and header.width * header.height > MAX_FRAME_PIXELS:
        return _too_many_pixels(header, MAX_FRAME_PIXELS)
    if header is not None and header.format == "jpeg" and not header.by_rows:
        return ImageRefusal(Outcome.UNREADABLE, N_("This is a progressive JPEG; a browser's camera gives plain ones."))
    refusal = _refuse(data, header)
    if header is None or refusal is not None:
        return refusal or _unreadable()
    try:
        pixels = _decode(strip_metadata(data, header), header, 1)
    except Exception:  # noqa: BLE001 - of planted files, decoders raise anything
        return ImageRefusal(Outcome.UNREADABLE, N_("The picture is damaged. Copy it from the camera again."))
    return Picture(_upright(pixels, header.orientation), 1)


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
        return _too_many_pixels(header, limit)
    if header.scans > MAX_SCANS:
        return ImageRefusal(
            Outcome.UNREADABLE,
            N_("The picture is stored in {scans} scans; at most {limit} are read. Save it anew as a plain JPEG."),
            (("scans", str(header.scans)), ("limit", str(MAX_SCANS))),
        )
    return None if header.whole else _cut_off()


def _decode(data: bytes, header: PictureHeader, reduction: int) -> ImageBGR:
    """Return the stored pixels, uint8 (H, W, 3)."""
    # A JPEG is reduced while it is decoded, which saves most of the work; the others afterwards.
    with _OPENERS[header.format](io.BytesIO(data)) as image:
        if header.format == "jpeg":
            _draft(image, reduction)
        if image.mode in _DEEP_GREYS:
            deep = np.asarray(image).astype(np.uint32) >> 8
            pixels = cv2.cvtColor(deep.astype(np.uint8), cv2.COLOR_GRAY2BGR)
        else:
            pixels = cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR)
    if reduction > 1 and header.format != "jpeg":
        size = (-(-header.width // reduction), -(-header.height // reduction))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(pixels, dtype=np.uint8)


def _draft(image: Image.Image, reduction: int, mode: str | None = None) -> None:
    image.draft(mode, (max(1, image.width // reduction), max(1, image.height // reduction)))


def _ends_early(data: bytes, header: PictureHeader, pixels: ImageBGR) -> bool:
    """Tell whether a JPEG's data ends before its pixels do (libjpeg: “premature end of data segment”).

    A file that was cut in half and given an end marker looks whole, and decoders fill the rest with grey. What they
    miss shows in their picture as soon as there is more data: in the smallest copy of a picture that is decoded row by
    row, in the full one where details come in scans of their own. Most photos of cameras need no such trial: the last
    pixel of one that ends early is that grey.
    """
    if header.in_one_run and (pixels[-1, -1] != _FILLED).any():
        return False
    longer = with_more_data(data, _MORE, most_bytes=_MOST_MORE)
    reduction = 8 if header.by_rows else 1
    return _decode_raw(data, reduction) != _decode_raw(longer, reduction)


def _decode_raw(data: bytes, reduction: int) -> bytes:
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
        _draft(image, reduction, "YCbCr")
        return image.tobytes()


def _upright(pixels: ImageBGR, orientation: int) -> ImageBGR:
    turns, mirrored = _TURNS[orientation]
    turned = np.rot90(pixels, turns)
    return np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)


def _too_many_pixels(header: PictureHeader, limit: int) -> ImageRefusal:
    return ImageRefusal(
        Outcome.TOO_LARGE,
        N_("The picture has {megapixels} megapixels; at most {limit} are read. Save a smaller copy."),
        (
            ("megapixels", f"{header.width * header.height / 1e6:.0f}"),
            ("limit", f"{limit / 1e6:.0f}"),
        ),
    )


def _cut_off() -> ImageRefusal:
    return ImageRefusal(Outcome.UNREADABLE, N_("The picture is cut off. Copy it again, and wait until it is done."))


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

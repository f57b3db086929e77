"""What a picture file says of itself in its first bytes: format, size, and whether the file is whole.

No pixel is decoded here, so that a small file that would unfold to gigabytes can be refused first. The walks
follow ITU-T T.81 (JPEG), W3C PNG, RFC 9649 (WebP) and the Windows bitmap header.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SEQUENTIAL: Final = frozenset({0xC0, 0xC1})
_JPEG_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN: Final = 0xDA


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """The header of a picture.

    Attributes:
        format: ``jpeg``, ``png``, ``webp`` or ``bmp``.
        width, height: In pixels as stored, before any turn by EXIF.
        whole: Whether the file reaches its own end; False for one that was cut off.
        by_rows: Whether a decoder can go through it row by row. False for a progressive JPEG, or one with its colours
            in separate scans, of which a decoder keeps all coefficients in memory, and for all other formats.
    """

    format: str
    width: int
    height: int
    whole: bool
    by_rows: bool = False


def read_header(data: bytes) -> PictureHeader | None:
    """Return the header of a JPEG, PNG, WebP or BMP, or None when the bytes are none of these."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _read_jpeg(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _read_png(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _read_webp(data)
        if data.startswith(b"BM"):
            return _read_bmp(data)
    except (struct.error, IndexError):
        # Cut off within the header.
        return None
    return None


def is_heif(data: bytes) -> bool:
    """Tell whether this is a HEIC or HEIF picture, the way iPhones store photos."""
    return data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS


def _read_jpeg(data: bytes) -> PictureHeader | None:
    size: tuple[int, int] | None = None
    sequential, colours = False, 0
    position = 2
    while True:
        # Like decoders do, skip bytes that should not be there, and repeated fill bytes.
        position = data.find(b"\xff", position)
        if position < 0:
            return None
        while data[position] == 0xFF:
            position += 1
        marker = data[position]
        position += 1
        if marker == 0x00 or marker in _JPEG_BARE:
            continue
        if marker == _START_OF_SCAN:
            break
        (length,) = struct.unpack_from(">H", data, position)
        if marker in _JPEG_FRAMES and size is None:
            size = struct.unpack_from(">HH", data, position + 3)
            sequential, colours = marker in _JPEG_SEQUENTIAL, data[position + 7]
        position += length
    if size is None:
        return None
    # Entropy-coded data escapes FF, so this cannot be found inside it; an embedded preview lies before the scan.
    whole = data.find(b"\xff\xd9", position) >= 0
    # The first number of a scan's header, after its length, is how many colours the scan has.
    by_rows = sequential and data[position + 2] == colours
    return PictureHeader("jpeg", width=size[1], height=size[0], whole=whole, by_rows=by_rows)


def _read_png(data: bytes) -> PictureHeader | None:
    if data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    position, whole = 8, False
    while not whole and position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        whole = data[position + 4 : position + 8] == b"IEND"
        position += 12 + length
    return PictureHeader("png", width=width, height=height, whole=whole)


def _read_webp(data: bytes) -> PictureHeader | None:
    (riff_length,) = struct.unpack_from("<I", data, 4)
    kind = data[12:16]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(data[24:27], "little")
        height = 1 + int.from_bytes(data[27:30], "little")
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        return None
    return PictureHeader("webp", width=width, height=height, whole=len(data) >= 8 + riff_length)


def _read_bmp(data: bytes) -> PictureHeader | None:
    file_length, _, pixels_at, header_length = struct.unpack_from("<IIII", data, 2)
    if header_length == 12:
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    # A negative height means that rows run from top to bottom. Some writers leave the file's length at 0.
    whole = pixels_at < len(data) and file_length <= len(data)
    return PictureHeader("bmp", width=width, height=abs(height), whole=whole)

"""What a picture file says of itself: format, size, turn, scans, and whether the file is whole.

No pixel is decoded here, so that a small file that would unfold to gigabytes, or that would take seconds of work, can
be refused first. The walks follow ITU-T T.81 (JPEG), W3C PNG, RFC 9649 (WebP), the Windows bitmap header and, for the
turn, CIPA DC-008 (EXIF).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_SEGMENTS: Final = 5_000
"""JPEGs with more segments, and PNGs with twenty times as many chunks, are none that a camera or a program wrote:
walking through them would be the attack. Photos with a depth map have some hundred."""
_MAX_CHUNKS: Final = 20 * MAX_SEGMENTS

_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SEQUENTIAL: Final = frozenset({0xC0, 0xC1})
_JPEG_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_RESTARTS: Final = range(0xD0, 0xD8)
_START_OF_SCAN: Final = 0xDA
_RESTART_INTERVAL: Final = 0xDD
_PLAIN_COLOURS: Final = frozenset({1, 3})
"""Numbers of colours whose zero is a grey of 128; four are for printers."""
_END: Final = 0xD9
_APP1: Final = 0xE1
_JPEG_METADATA: Final = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
"""Segments that say nothing of the pixels: all of applications but JFIF's and Adobe's, and comments."""
_NEXT_MARKER: Final = re.compile(rb"\xff+[^\x00\xff]")
_AFTER_SCAN: Final = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
"""Entropy-coded data escapes FF by 00, and markers of restart belong to it."""
_PNG_PIXELS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_EXIF: Final = b"Exif\x00\x00"
_ORIENTATION: Final = 0x0112
_SHORT: Final = 3


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """The header of a picture.

    Attributes:
        format: ``jpeg``, ``png``, ``webp`` or ``bmp``.
        width, height: In pixels as stored, before any turn by EXIF.
        whole: Whether the file reaches its own end; False for one that was cut off.
        by_rows: Whether a decoder can go through it row by row. False for a progressive JPEG, or one with its colours
            in separate scans, of which a decoder keeps all coefficients in memory, and for all other formats.
        in_one_run: Whether such a JPEG has no restarts either, and is grey or of three colours: a decoder makes all
            that lies behind the end of its data grey.
        scans: How often a decoder goes over all coefficients of a JPEG; 1 for all other formats.
        orientation: EXIF's, 1 to 8: how the stored picture is turned and mirrored; 1 where nothing is said.
    """

    format: str
    width: int
    height: int
    whole: bool
    by_rows: bool = False
    in_one_run: bool = False
    scans: int = 1
    orientation: int = 1


@dataclass(frozen=True, slots=True)
class _Segment:
    """A marker of a JPEG, with what follows it: bytes ``start`` to ``end``, the marker itself included."""

    marker: int
    start: int
    body: int
    end: int


def read_header(data: bytes) -> PictureHeader | None:
    """Return the header of a JPEG, PNG, WebP or BMP, or None when the bytes are none of these."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _read_jpeg(data)
        if data.startswith(_PNG_START):
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


def strip_metadata(data: bytes, header: PictureHeader) -> bytes:
    """Return the file with what its pixels need and no more: decoders complain about the rest, and can be misled by it.

    Args:
        data: A file of which :func:`read_header` gave ``header``.
    """
    if header.format == "jpeg":
        kept, end = [data[:2]], 2
        for segment in _segments(data):
            if segment.marker not in _JPEG_METADATA:
                kept.append(data[segment.start : segment.end])
            end = segment.end
            if segment.marker == _START_OF_SCAN:
                break
        return b"".join([*kept, data[end:]])
    if header.format == "png":
        chunks = (data[start:end] for kind, start, end in _chunks(data) if kind in _PNG_PIXELS)
        return _PNG_START + b"".join(chunks)
    return data


def with_more_data(data: bytes, more: bytes, *, most_bytes: int) -> bytes:
    """Return a JPEG with bytes added wherever its entropy-coded data ends.

    A decoder that has all it needs skips them. One that was short of data takes them for it, and so gives another
    picture: that is how a premature end is found.

    Args:
        more: Without FF.
        most_bytes: Restarts are left as they are where more than so much would be added.
    """
    parts, position = [], 0
    for segment in _segments(data):
        if segment.marker != _START_OF_SCAN:
            continue
        found = _AFTER_SCAN.search(data, segment.end)
        end = found.start() if found else len(data)
        scan = data[segment.end : end]
        restarts = sum(scan.count(bytes((0xFF, marker))) for marker in _RESTARTS)
        if restarts * len(more) <= most_bytes:
            scan = re.sub(rb"\xff[\xd0-\xd7]", lambda restart: more + restart[0], scan)
        # Data that ended just before a restart goes on after it.
        restart = bytes((0xFF, _RESTARTS[restarts % len(_RESTARTS)]))
        parts += [data[position : segment.end], scan, more, restart, more]
        position = end
    return b"".join([*parts, data[position:]])


def _segments(data: bytes) -> Iterator[_Segment]:
    """Yield the segments of a JPEG up to its end, entropy-coded data left out. Raises struct.error, IndexError."""
    position, markers = 2, _NEXT_MARKER
    for _ in range(MAX_SEGMENTS):
        # Like decoders do, skip bytes that should not be there, and repeated fill bytes.
        found = markers.search(data, position)
        if found is None:
            return
        marker, position = data[found.end() - 1], found.end()
        if marker in _JPEG_BARE:
            continue
        if marker == _END:
            yield _Segment(marker, found.start(), position, position)
            return
        (length,) = struct.unpack_from(">H", data, position)
        yield _Segment(marker, found.start(), position, position + length)
        position += length
        markers = _AFTER_SCAN if marker == _START_OF_SCAN else _NEXT_MARKER
    raise IndexError("more segments than any picture has")


def _read_jpeg(data: bytes) -> PictureHeader | None:
    size: tuple[int, int] | None = None
    sequential, colours, colours_of_scan, restarts = False, 0, 0, False
    scans, orientation, whole = 0, 1, False
    for segment in _segments(data):
        if segment.marker in _JPEG_FRAMES and size is None:
            size = struct.unpack_from(">HH", data, segment.body + 3)
            sequential, colours = segment.marker in _JPEG_SEQUENTIAL, data[segment.body + 7]
        elif segment.marker == _APP1 and data.startswith(_EXIF, segment.body + 2) and not scans:
            orientation = _read_orientation(data[segment.body + 2 + len(_EXIF) : segment.end])
        elif segment.marker == _RESTART_INTERVAL:
            restarts = True
        elif segment.marker == _START_OF_SCAN:
            # The first number of a scan's header, after its length, is how many colours the scan has.
            colours_of_scan = colours_of_scan or data[segment.body + 2]
            scans += 1
        elif segment.marker == _END:
            # An embedded preview lies inside a segment, before the scan: its end is not taken for this one.
            whole = scans > 0
    if size is None or not scans:
        return None
    by_rows = sequential and colours_of_scan == colours and scans == 1
    return PictureHeader(
        "jpeg",
        width=size[1],
        height=size[0],
        whole=whole,
        by_rows=by_rows,
        in_one_run=by_rows and not restarts and colours in _PLAIN_COLOURS,
        scans=scans,
        orientation=orientation,
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each chunk of a PNG, up to its end or that of the data."""
    position = len(_PNG_START)
    for _ in range(_MAX_CHUNKS):
        if position + 12 > len(data):
            return
        (length,) = struct.unpack_from(">I", data, position)
        kind, start = data[position + 4 : position + 8], position
        position += 12 + length
        yield kind, start, position
        if kind == b"IEND":
            return


def _read_png(data: bytes) -> PictureHeader | None:
    if data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    whole, orientation = False, 1
    for kind, start, end in _chunks(data):
        whole = kind == b"IEND" and end <= len(data)
        if kind == b"eXIf":
            orientation = _read_orientation(data[start + 8 : end - 4])
    return PictureHeader("png", width=width, height=height, whole=whole, orientation=orientation)


def _read_webp(data: bytes) -> PictureHeader | None:
    (riff_length,) = struct.unpack_from("<I", data, 4)
    kind, orientation = data[12:16], 1
    if kind == b"VP8X":
        width = 1 + int.from_bytes(data[24:27], "little")
        height = 1 + int.from_bytes(data[27:30], "little")
        orientation = _webp_orientation(data)
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        return None
    whole = len(data) >= 8 + riff_length
    return PictureHeader("webp", width=width, height=height, whole=whole, orientation=orientation)


def _webp_orientation(data: bytes) -> int:
    position = 12
    for _ in range(MAX_SEGMENTS):
        if position + 8 > len(data):
            break
        (length,) = struct.unpack_from("<I", data, position + 4)
        if data[position : position + 4] == b"EXIF":
            return _read_orientation(data[position + 8 : position + 8 + length].removeprefix(_EXIF))
        # Chunks have an even length.
        position += 8 + length + length % 2
    return 1


def _read_bmp(data: bytes) -> PictureHeader | None:
    file_length, _, pixels_at, header_length = struct.unpack_from("<IIII", data, 2)
    if header_length == 12:
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    # A negative height means that rows run from top to bottom. Some writers leave the file's length at 0.
    whole = pixels_at < len(data) and file_length <= len(data)
    return PictureHeader("bmp", width=width, height=abs(height), whole=whole)


def _read_orientation(tiff: bytes) -> int:
    """Return the orientation of an EXIF block without its name; 1 where it says none, or nothing that can be."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for entry in range(count):
            tag, kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * entry)
            if tag == _ORIENTATION:
                return value if kind == _SHORT and 1 <= value <= 8 else 1
    except struct.error:
        # Cut off, or pointing out of itself.
        return 1
    return 1

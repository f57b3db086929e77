"""Draws QR codes (ISO/IEC 18004) for a terminal, a page and a file.

Error correction is level M (about 15 % of the code may be unreadable), with the quiet zone of four modules that the
standard wants. What was drawn is kept for its text, so that a page that asks again costs nothing.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any, Final

from ..kernel.errors import InvalidInputError
from ..kernel.i18n import N_

MAX_BYTES: Final = 1_000
"""A longer text makes a code so fine that phones fail on it (the standard's own limit at level M is 2,331)."""
_QUIET: Final = 4
_MASK: Final = 6
"""Choosing one of the eight masks takes four fifths of the time. Each is readable by definition, not by every reader:
of 1,000 pictures of random sign-in addresses (4 and 8 pixels to the module) OpenCV's missed 9 with this mask, 60 with
mask 2, whose penalty is the lowest on average, and 31 with the mask of the lowest penalty for each text."""
_BOX_PX: Final = 8
_KEPT: Final = 128

_HALF_BLOCKS: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_BLACK_ON_WHITE: Final = "\x1b[38;5;16;48;5;231m"
_ON_BLACK: Final = "\x1b[48;5;16m"
_ON_WHITE: Final = "\x1b[48;5;231m"
_RESET: Final = "\x1b[0m"

Matrix = tuple[tuple[bool, ...], ...]
"""Rows of modules, the quiet zone included; True is dark."""


def terminal_qr(
    text: str, *, encoding: str | None, color: bool = False, columns: int | None = None, dark_terminal: bool = True
) -> str:
    """Return a QR code as lines of text, each ended by a line break.

    Two modules stand in one character, in half blocks, where the stream can carry them; else one module in two
    characters. With colours it is black on white whatever the terminal's own are. Without, the light modules are what
    is printed: right on a dark terminal; on a light one the code is inverted, which most phones read too.

    Args:
        text: What the code carries, usually an address.
        encoding: Of the stream it goes to, as ``sys.stdout.encoding``; None is taken for ASCII.
        color: Whether ANSI colours may be used.
        columns: Width of the terminal, where known: a code that wraps cannot be read.
        dark_terminal: Without colours: whether the background is dark.

    Raises:
        InvalidInputError: The text is empty or too long, or the code is wider than the terminal.
    """
    matrix = qr_matrix(text)
    blocks = _carries_blocks(encoding)
    width = len(matrix) if blocks else 2 * len(matrix)
    if columns is not None and width > columns:
        raise InvalidInputError(
            N_("The QR code needs {needed} columns, and the terminal has {columns}."),
            hint=N_("Make the window wider or its font smaller."),
            needed=width,
            columns=columns,
        )
    if blocks:
        return _in_half_blocks(matrix, color=color, print_dark=color or not dark_terminal)
    return _in_pairs(matrix, color=color, print_dark=not dark_terminal)


@lru_cache(maxsize=_KEPT)
def svg_qr(text: str) -> str:
    """Return a QR code as a standalone SVG document: one path on white, sized in millimetres, free to be scaled.

    Raises:
        InvalidInputError: The text is empty or too long.
    """
    from qrcode.image.svg import SvgPathFillImage

    image = _code(text).make_image(image_factory=SvgPathFillImage)
    return str(image.to_string(encoding="unicode"))


@lru_cache(maxsize=_KEPT)
def png_qr(text: str) -> bytes:
    """Return a QR code as a PNG file, black on white, 8 pixels to the module.

    Raises:
        InvalidInputError: The text is empty or too long.
    """
    from qrcode.image.pil import PilImage

    buffer = io.BytesIO()
    _code(text, box_px=_BOX_PX).make_image(image_factory=PilImage).save(buffer, "PNG")
    return buffer.getvalue()


@lru_cache(maxsize=_KEPT)
def qr_matrix(text: str) -> Matrix:
    """Return the modules of a QR code, the quiet zone included.

    Raises:
        InvalidInputError: The text is empty or too long.
    """
    return tuple(tuple(bool(module) for module in row) for row in _code(text).get_matrix())


def _code(text: str, *, box_px: int = 10) -> Any:
    import qrcode
    from qrcode.constants import ERROR_CORRECT_M

    size = len(text.encode())
    if not text or size > MAX_BYTES:
        raise InvalidInputError(
            N_("A QR code carries 1 to {limit} bytes of text; this one has {size}."), limit=MAX_BYTES, size=size
        )
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, mask_pattern=_MASK, border=_QUIET, box_size=box_px)
    code.add_data(text)
    code.make(fit=True)
    return code


def _carries_blocks(encoding: str | None) -> bool:
    try:
        "▀▄█".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _in_half_blocks(matrix: Matrix, *, color: bool, print_dark: bool) -> str:
    light = (False,) * len(matrix)
    before, after = (_BLACK_ON_WHITE, _RESET) if color else ("", "")
    lines = []
    for upper, lower in zip(matrix[::2], (*matrix[1::2], light), strict=False):
        cells = "".join(_HALF_BLOCKS[a is print_dark, b is print_dark] for a, b in zip(upper, lower, strict=True))
        lines.append(f"{before}{cells}{after}\n")
    return "".join(lines)


def _in_pairs(matrix: Matrix, *, color: bool, print_dark: bool) -> str:
    if not color:
        return "".join("".join("##" if dark is print_dark else "  " for dark in row) + "\n" for row in matrix)
    return "".join("".join((_ON_BLACK if dark else _ON_WHITE) + "  " for dark in row) + _RESET + "\n" for row in matrix)

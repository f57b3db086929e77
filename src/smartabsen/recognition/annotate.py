"""Pictures for people: boxes around faces, and what became of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import ImageFont

from ..kernel.domain import BoxXYXY, ImageBGR, LivenessPrompt, Outcome

_GREEN: Final = (50, 125, 15)
_BLUE: Final = (180, 100, 20)
_AMBER: Final = (0, 190, 255)
_RED: Final = (40, 40, 200)
_GREY: Final = (120, 120, 120)
_VIOLET: Final = (175, 45, 110)
_WHITE: Final = (255, 255, 255)
_COLOURS: Final = {
    Outcome.ACCEPTED: _GREEN,
    Outcome.RECOGNIZED: _GREEN,
    Outcome.ALREADY_RECORDED: _BLUE,
    Outcome.PENDING: _BLUE,
    Outcome.UNKNOWN: _RED,
    Outcome.NOT_LIVE: _RED,
}
"""Blue-green-red. All other outcomes are advice, in amber; a face without one yet is grey, and one whose person is
asked for a movement is violet: no other face has that colour meanwhile."""


class Sign(Enum):
    """A movement as a picture: lines of points from the middle of a square of side 2, x to the right, y down."""

    LEFT = (((0.7, 0.0), (-0.7, 0.0)), ((-0.15, -0.55), (-0.7, 0.0), (-0.15, 0.55)))
    RIGHT = (((-0.7, 0.0), (0.7, 0.0)), ((0.15, -0.55), (0.7, 0.0), (0.15, 0.55)))
    UP = (((0.0, 0.7), (0.0, -0.7)), ((-0.55, -0.15), (0.0, -0.7), (0.55, -0.15)))
    CLOSER = (
        ((-0.2, -0.2), (-0.75, -0.75)), ((-0.75, -0.25), (-0.75, -0.75), (-0.25, -0.75)),
        ((0.2, -0.2), (0.75, -0.75)), ((0.25, -0.75), (0.75, -0.75), (0.75, -0.25)),
        ((-0.2, 0.2), (-0.75, 0.75)), ((-0.75, 0.25), (-0.75, 0.75), (-0.25, 0.75)),
        ((0.2, 0.2), (0.75, 0.75)), ((0.25, 0.75), (0.75, 0.75), (0.75, 0.25)),
    )  # fmt: skip
    STRAIGHT = (((-0.55, 0.05), (-0.15, 0.45), (0.6, -0.4)),)


SIGNS: Final = {
    LivenessPrompt.TURN_LEFT: Sign.LEFT,
    LivenessPrompt.TURN_RIGHT: Sign.RIGHT,
    LivenessPrompt.LOOK_UP: Sign.UP,
    LivenessPrompt.COME_CLOSER: Sign.CLOSER,
    LivenessPrompt.LOOK_STRAIGHT: Sign.STRAIGHT,
}
"""Left is to the left of the picture: people see themselves as in a mirror."""
_SIGN_AT: Final = {Sign.LEFT: (0.0, 0.5), Sign.RIGHT: (1.0, 0.5), Sign.UP: (0.5, 0.0)}
"""Where a sign stands on its box, as shares of its sides; the others stand at the lower edge."""

_FONTS: Final = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "segoeui.ttf",
    "arial.ttf",
    "Arial.ttf",
    "Helvetica.ttc",
)
_PLAIN: Final = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "ß": "ss", "æ": "ae", "Æ": "AE",
     "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D", "–": "-", "—": "-", "·": "-", "\u00a0": " "}
)  # fmt: skip
_NO_LETTER: Final = "\uffff"


@dataclass(frozen=True, slots=True)
class Label:
    """A box to draw, with its text.

    Attributes:
        box_xyxy: In pixels of the image.
        outcome: Gives the colour; None while undecided.
        text: Lines of text; empty for the box alone.
        sign: The movement that this person is asked for; None where none is.
        progress: How far it is, 0..1.
    """

    box_xyxy: BoxXYXY
    outcome: Outcome | None
    text: str = ""
    sign: Sign | None = None
    progress: float = 0.0


def draw(image_bgr: ImageBGR, boxes: Iterable[Label]) -> ImageBGR:
    """Return a copy of an image with labelled boxes.

    A text is on a plate of the box's colour, above the box or, where there is no room, over its upper edge; never
    outside the image. What is wider than the image goes on in the next line; a word that is wider is cut.

    Args:
        image_bgr: uint8 (H, W, 3).
        boxes: What to draw, the later over the earlier.
    """
    canvas = image_bgr.copy()
    height, width = canvas.shape[:2]
    size = int(np.clip(min(height, width) / 28, 13, 48))
    line = max(2, size // 8)
    for box in boxes:
        left, top, right, bottom = (round(side) for side in box.box_xyxy)
        colour = _colour(box)
        cv2.rectangle(canvas, (left, top), (right, bottom), colour, line)
        if box.sign is not None:
            _draw_sign(canvas, box, box.sign, size)
        if box.text:
            plate = _plate(box.text, size, colour, width)[:height, :width]
            plate_height, plate_width = plate.shape[:2]
            y = min(max(top - plate_height, 0), height - plate_height)
            x = min(max(left, 0), width - plate_width)
            canvas[y : y + plate_height, x : x + plate_width] = plate
    return canvas


def _colour(label: Label) -> tuple[int, int, int]:
    if label.sign is not None:
        return _VIOLET
    return _GREY if label.outcome is None else _COLOURS.get(label.outcome, _AMBER)


def _draw_sign(canvas: ImageBGR, label: Label, sign: Sign, size: int) -> None:
    """Draw a sign on a round plate at the edge of its box, and below the face how far the movement is."""
    left, top, right, bottom = (round(side) for side in label.box_xyxy)
    height, width = canvas.shape[:2]
    radius = max(size, round(0.2 * (right - left)))
    across, down = _SIGN_AT.get(sign, (0.5, 1.0))
    x = int(np.clip(left + across * (right - left), radius, max(radius, width - 1 - radius)))
    y = int(np.clip(top + down * (bottom - top), radius, max(radius, height - 1 - radius)))
    cv2.circle(canvas, (x, y), radius, _VIOLET, -1, cv2.LINE_AA)
    cv2.circle(canvas, (x, y), radius, _WHITE, max(2, radius // 12), cv2.LINE_AA)
    for points in sign.value:
        line = np.array([(x + 0.75 * radius * right_, y + 0.75 * radius * down_) for right_, down_ in points])
        cv2.polylines(canvas, [line.round().astype(np.int32)], False, _WHITE, max(3, radius // 6), cv2.LINE_AA)
    bar = max(6, size // 2)
    done = left + round(label.progress * (right - left))
    cv2.rectangle(canvas, (left, bottom + bar // 2), (right, bottom + bar // 2 + bar), _GREY, -1)
    cv2.rectangle(canvas, (left, bottom + bar // 2), (done, bottom + bar // 2 + bar), _VIOLET, -1)


def draw_banner(image_bgr: ImageBGR, text: str) -> ImageBGR:
    """Return a darkened copy of an image, uint8 (H, W, 3), with a text on a plate in its middle."""
    canvas: ImageBGR = image_bgr // 3
    height, width = canvas.shape[:2]
    plate = _plate(text, int(np.clip(min(height, width) / 20, 13, 64)), _RED, width)[:height, :width]
    y, x = (height - plate.shape[0]) // 2, (width - plate.shape[1]) // 2
    canvas[y : y + plate.shape[0], x : x + plate.shape[1]] = plate
    return canvas


@lru_cache(maxsize=256)
def _plate(text: str, size: int, colour: tuple[int, int, int], width: int) -> ImageBGR:
    """Return lines of text on a plate, uint8 (H, W, 3), as wide as ``width`` at most where words allow it.

    Cached: a kiosk shows the same few for many frames.
    """
    font = _font(size)
    ascent, descent = font.getmetrics()
    row_height, pad = ascent + descent, max(2, size // 5)
    lines = [row for line in text.splitlines() for row in _wrap(_printable(line, font), font, width - 2 * pad)]
    widths = [max(1, round(font.getlength(line))) for line in lines]
    ink = np.zeros((row_height * len(lines) + 2 * pad, max(widths) + 2 * pad), dtype=np.float32)
    for row, line in enumerate(lines):
        _write(ink, line, font, x=pad, y=pad + row * row_height)
    # Luma of the plate (ITU-R BT.601) decides between black and white letters.
    luma = 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2]
    letters = np.full(3, 0.0 if luma > 140 else 255.0, dtype=np.float32)
    plate = ink[..., None] * letters + (1.0 - ink[..., None]) * np.array(colour, dtype=np.float32)
    return plate.round().astype(np.uint8)


def _wrap(line: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Return a line in as many as its words need to be no wider than ``width``."""
    rows = [""]
    for word in line.split(" "):
        longer = f"{rows[-1]} {word}" if rows[-1] else word
        if rows[-1] and font.getlength(longer) > width:
            rows.append(word)
        else:
            rows[-1] = longer
    return rows


def _write(ink: np.ndarray, line: str, font: ImageFont.FreeTypeFont, *, x: int, y: int) -> None:
    mask, (shift_x, shift_y) = font.getmask2(line, mode="L")
    if 0 in mask.size:
        return
    glyphs = np.frombuffer(bytes(mask), dtype=np.uint8).reshape(mask.size[1], mask.size[0])
    top, left = y + shift_y, max(0, x + shift_x)
    room = ink[top : top + glyphs.shape[0], left : left + glyphs.shape[1]]
    room[:] = glyphs[: room.shape[0], : room.shape[1]] / 255.0


def _printable(line: str, font: ImageFont.FreeTypeFont) -> str:
    """Replace letters that the font lacks by their plain form (é by e), and the rest by a question mark."""
    return "".join(letter if _has(font, letter) else _plain(letter) for letter in unicodedata.normalize("NFC", line))


def _plain(letter: str) -> str:
    decomposed = unicodedata.normalize("NFKD", letter.translate(_PLAIN))
    plain = "".join(part for part in decomposed if not unicodedata.combining(part))
    return plain if plain.isascii() else "?"


@lru_cache(maxsize=4096)
def _has(font: ImageFont.FreeTypeFont, letter: str) -> bool:
    return letter == " " or _glyph(font, letter) != _glyph(font, _NO_LETTER)


def _glyph(font: ImageFont.FreeTypeFont, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(letter, mode="L")
    return mask.size, bytes(mask)


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Return a font with many letters: one that OpenCV's Linux wheel carries, one of the system, or Pillow's own.

    Pillow's own has ASCII only; names are then written without their accents.
    """
    bundled = Path(cv2.__file__).parent / "qt" / "fonts" / _FONTS[0]
    for name in (str(bundled), *_FONTS):
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font

"""QR codes are read back from what was drawn."""

from __future__ import annotations

import random
import re
import string

import cv2
import numpy as np
import pytest

from smartabsen.kernel.errors import InvalidInputError
from smartabsen.qr.render import MAX_BYTES, png_qr, qr_matrix, svg_qr, terminal_qr

ADDRESS = "https://absen.kantor.example:8443/v/" + "aB3dE6gH" * 8
BLACK, WHITE = 16, 231


def scan(dark: np.ndarray) -> str:
    """Read a code from a bitmap of modules (True is dark).

    OpenCV's reader misses one code in twenty of a given size and angle, whatever the mask. So it gets what a phone
    takes as well: more than one picture.
    """
    image = np.where(dark, 0, 255).astype(np.uint8)
    for pixels, angle in ((8, 0), (5, 0), (6, 7), (7, -4)):
        large = np.kron(image, np.ones((pixels, pixels), np.uint8))
        side = large.shape[0]
        move = cv2.getRotationMatrix2D((side / 2, side / 2), angle, 0.9)
        text, _, _ = cv2.QRCodeDetector().detectAndDecode(cv2.warpAffine(large, move, (side, side), borderValue=255))
        if text:
            break
    return text


def seen(printed: str, *, foreground: int, background: int) -> np.ndarray:
    """What a terminal with these colours shows: a bitmap with a pixel for each half of a character; True is dark."""
    rows: list[list[int]] = []
    for line in printed.splitlines():
        fore, back = foreground, background
        upper: list[int] = []
        lower: list[int] = []
        for codes, character in re.findall(r"\x1b\[([\d;]*)m|(.)", line):
            if character:
                upper.append(fore if character in "▀█#" else back)
                lower.append(fore if character in "▄█#" else back)
                continue
            if codes == "0":
                fore, back = foreground, background
            for kind, color in re.findall(r"([34]8);5;(\d+)", codes):
                fore, back = (int(color), back) if kind == "38" else (fore, int(color))
        rows += [upper, lower]
    return np.array(rows) == BLACK


DARK_TERMINAL = {"foreground": WHITE, "background": BLACK}
LIGHT_TERMINAL = {"foreground": BLACK, "background": WHITE}


@pytest.mark.parametrize("terminal", [DARK_TERMINAL, LIGHT_TERMINAL], ids=["dark", "light"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp437", "cp1252", "ascii", None])
def test_with_colours_it_is_read_on_any_terminal(encoding: str | None, terminal: dict[str, int]) -> None:
    """Black on white, whatever the terminal's own colours are, and with characters that the stream can carry."""
    printed = terminal_qr(ADDRESS, encoding=encoding, color=True)
    printed.encode(encoding or "ascii")
    bitmap = seen(printed, **terminal)
    # In pairs, a module is two characters wide and one (two pixels) high; both shapes come out square.
    assert bitmap.shape[0] in (bitmap.shape[1], bitmap.shape[1] + 1)
    assert scan(bitmap) == ADDRESS


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_without_colours_it_is_read_on_the_terminal_it_is_meant_for(encoding: str, dark: bool) -> None:
    """No escape sequence, only blocks or ``##``."""
    printed = terminal_qr(ADDRESS, encoding=encoding, color=False, dark_terminal=dark)
    assert set(printed) <= set("▀▄█ #\n")
    assert scan(seen(printed, **(DARK_TERMINAL if dark else LIGHT_TERMINAL))) == ADDRESS


def test_a_terminal_that_is_too_narrow_is_told() -> None:
    """A code whose lines wrap cannot be read."""
    width = len(qr_matrix(ADDRESS))
    assert terminal_qr(ADDRESS, encoding="utf-8", color=False, columns=width)
    with pytest.raises(InvalidInputError, match=f"needs {width} columns"):
        terminal_qr(ADDRESS, encoding="utf-8", color=False, columns=width - 1)
    with pytest.raises(InvalidInputError, match=f"needs {2 * width} columns"):
        terminal_qr(ADDRESS, encoding="ascii", color=False, columns=width)


def test_addresses_with_random_tokens_are_all_read() -> None:
    """One mask for all texts: none of them comes out unreadable. The quiet zone is four modules, and light."""
    source = random.Random(1)
    for _ in range(60):
        token = "".join(source.choices(string.ascii_letters + string.digits, k=64))
        text = f"https://absen.kantor.example:8443/v/{token}"
        matrix = np.array(qr_matrix(text))
        assert not matrix[:4].any()
        assert not matrix[:, -4:].any()
        assert scan(matrix) == text


@pytest.mark.parametrize("text", ["x", "Selamat pagi, 你好 ☀", "9" * MAX_BYTES], ids=["one", "unicode", "longest"])
def test_any_text_within_the_limit_is_read(text: str) -> None:
    """Letters of all alphabets, up to the limit."""
    assert scan(np.array(qr_matrix(text))) == text


@pytest.mark.parametrize("draw", [qr_matrix, svg_qr, png_qr])
@pytest.mark.parametrize("text", ["", "x" * (MAX_BYTES + 1), "é" * (MAX_BYTES // 2 + 1)], ids=["none", "long", "bytes"])
def test_a_text_that_does_not_fit_is_refused(draw: object, text: str) -> None:
    """The limit counts bytes, not letters."""
    assert callable(draw)
    with pytest.raises(InvalidInputError, match="1 to 1000 bytes"):
        draw(text)


def test_the_png_is_read() -> None:
    """As a file, black on white, with its quiet zone."""
    image = cv2.imdecode(np.frombuffer(png_qr(ADDRESS), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    assert image.shape == (8 * len(qr_matrix(ADDRESS)),) * 2
    assert cv2.QRCodeDetector().detectAndDecode(image)[0] == ADDRESS


def test_the_svg_is_read() -> None:
    """One path of unit squares on white, that scales."""
    svg = svg_qr(ADDRESS)
    size = len(qr_matrix(ADDRESS))
    assert f'viewBox="0 0 {size} {size}"' in svg
    assert "<script" not in svg
    drawn = np.zeros((size, size), bool)
    for x, y in re.findall(r"M(\d+),(\d+)H", svg):
        drawn[int(y), int(x)] = True
    assert scan(drawn) == ADDRESS


def test_what_was_drawn_is_kept() -> None:
    """A page that polls does not draw the code each time."""
    assert svg_qr(ADDRESS) is svg_qr(ADDRESS)
    assert png_qr(ADDRESS) is png_qr(ADDRESS)

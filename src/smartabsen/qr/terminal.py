"""QR codes for whatever terminal it is."""

from __future__ import annotations

from dataclasses import dataclass

from .render import terminal_qr


@dataclass(frozen=True, slots=True)
class Terminal:
    """What a terminal can show.

    Attributes:
        encoding: Of its stream; None is taken for ASCII.
        color: Whether it takes ANSI colours.
        columns: Its width, if known.
        dark: Without colours: whether its background is dark.
    """

    encoding: str | None
    color: bool = False
    columns: int | None = None
    dark: bool = True

    def draw_qr(self, text: str) -> str:
        """Return a QR code as lines of text.

        Raises:
            InvalidInputError: The terminal is too narrow.
        """
        return terminal_qr(
            text, encoding=self.encoding, color=self.color, columns=self.columns, dark_terminal=self.dark
        )

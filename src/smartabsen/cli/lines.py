"""Lines that cannot steer a terminal."""

from __future__ import annotations


def one_line(text: str) -> str:
    """Return ``text`` as one line that cannot steer a terminal: names come from files that others wrote."""
    return "".join(_harmless(character) for character in " ".join(text.splitlines()))


def _harmless(character: str) -> str:
    return character if character.isprintable() or character in "\u200c\u200d" else "\N{REPLACEMENT CHARACTER}"

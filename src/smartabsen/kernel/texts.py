"""Texts on their way into tables and sheets: cleaned, within their limits, and never a formula."""

from __future__ import annotations

import unicodedata
from typing import Final

from .errors import InvalidInputError
from .i18n import N_

_TURNING: Final = frozenset("\u061c\u200b\u200e\u200f\u2060\ufeff") | {
    chr(point) for first, last in ((0x202A, 0x202E), (0x2066, 0x2069)) for point in range(first, last + 1)
}
"""Marks of direction and blanks without width: with them two names look alike, or one looks like another."""


_FORMULA_SIGNS: Final = frozenset("=+-@")


def one_line(text: str) -> str:
    """Return ``text`` on one line: control characters and lone surrogates become blanks, runs of blanks one."""
    return " ".join("".join(" " if _is_control(letter) else letter for letter in text).split())


def checked_text(text: str, *, field: str, limit: int, required: bool = False) -> str:
    """Return ``text`` on one line and composed (NFC), or refuse it.

    Args:
        field: What it is, for the message.
        limit: Characters that fit into its column.

    Raises:
        InvalidInputError: It is too long, or empty though ``required``, or holds signs that turn the text around.
    """
    cleaned = unicodedata.normalize("NFC", one_line(text))
    if not _TURNING.isdisjoint(cleaned):
        raise InvalidInputError(
            N_("The {field} holds invisible signs that change how it is read."),
            hint=N_("Type it anew instead of copying it."),
            field=field,
        )
    if required and not cleaned:
        raise InvalidInputError(N_("The {field} is empty."), field=field)
    if len(cleaned) > limit:
        raise InvalidInputError(
            N_("The {field} “{start}…” has {length} characters; at most {limit} fit."),
            field=field,
            start=cleaned[:20],
            length=len(cleaned),
            limit=limit,
        )
    return cleaned


def shortened(text: str, limit: int) -> str:
    """Return ``text`` on one line, its middle left out where it is longer than ``limit``."""
    cleaned = one_line(text)
    if len(cleaned) <= limit:
        return cleaned
    head = (limit - 1) // 2
    return f"{cleaned[:head]}…{cleaned[-(limit - 1 - head) :]}"


def folded(text: str) -> str:
    """Return ``text`` for searching: without case and accents, blanks reduced."""
    decomposed = unicodedata.normalize("NFKD", one_line(text))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()


def without_formula(text: str) -> str:
    """Return ``text`` so that a spreadsheet shows it and does not run it.

    A cell that starts with ``= + - @`` (also after blanks, and in full width: ``＝ ＋ － ＠``), a tab or a line break
    gets an apostrophe in front; see OWASP, "CSV Injection".
    """
    if text[:1] in ("\t", "\r", "\n") or unicodedata.normalize("NFKC", text.lstrip()[:1]) in _FORMULA_SIGNS:
        return f"'{text}"
    return text


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")

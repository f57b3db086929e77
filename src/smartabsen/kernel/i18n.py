"""Texts for people, in Indonesian and English: gettext catalogues with ``{name}`` places.

Sources are written in English. ``_()`` translates where a text is shown; ``N_()`` only marks a text for
the catalogue, for places that keep it until somebody shows it (errors, tables of messages). The language
is the process's default unless :func:`use_language` sets one for the current context (a web request).
"""

from __future__ import annotations

import gettext
import locale
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Final

from .errors import SmartAbsenError

LANGUAGES: Final = ("id", "en")
_CATALOGUES: Final = Path(__file__).parents[1] / "locale"
_language: ContextVar[str | None] = ContextVar("smartabsen_language", default=None)
_process_language: list[str] = []


class Message(str):
    """A text of the catalogue. As a value of a place it is translated too; other values are shown as they are."""

    __slots__ = ()


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark ``text`` for the catalogue and return it, as a :class:`Message`."""
    return Message(text)


def _(text: str, /, **params: object) -> str:
    """Return ``text`` in the current language, its ``{name}`` places filled from ``params``."""
    translated = _translations(current_language()).gettext(text) if text else ""
    if not params:
        return translated
    return translated.format(**{name: _(each) if isinstance(each, Message) else each for name, each in params.items()})


def describe_error(error: SmartAbsenError) -> tuple[str, str]:
    """Return an error's message and hint in the current language (the hint may be empty)."""
    return _(error.message_id, **error.params), _(error.hint_id, **error.params)


def set_language(language: str) -> None:
    """Set the language of the whole process, threads included: ``id``, ``en``, or ``auto`` for the system's."""
    _process_language[:] = [system_language() if language == "auto" else language]


@contextmanager
def use_language(language: str) -> Iterator[None]:
    """Speak ``language`` within a ``with`` block."""
    token = _language.set(system_language() if language == "auto" else language)
    try:
        yield
    finally:
        _language.reset(token)


def current_language() -> str:
    """Return the language in force: ``id`` or ``en``."""
    return _language.get() or (_process_language[0] if _process_language else system_language())


@cache
def system_language() -> str:
    """Return ``id`` where SMARTABSEN_LANGUAGE or the system's locale is Indonesian, else ``en``."""
    candidates = (
        os.environ.get("SMARTABSEN_LANGUAGE", ""),
        os.environ.get("LC_ALL", ""),
        os.environ.get("LC_MESSAGES", ""),
        os.environ.get("LANG", ""),
        locale.getlocale()[0] or "",
    )
    for name in candidates:
        if name and name != "auto":
            return "id" if name.lower().startswith(("id", "in_id")) else "en"
    return "en"


@cache
def _translations(language: str) -> gettext.NullTranslations:
    return gettext.translation("smartabsen", _CATALOGUES, languages=[language], fallback=True)

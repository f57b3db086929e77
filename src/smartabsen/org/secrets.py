"""The server's secret: the one set, or one that the home made for itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from ..config import Settings
from ..store.secret_file import read_or_make_secret

MIN_LENGTH: Final = 32
_MIN_LETTERS: Final = 10
_OBVIOUS: Final = re.compile(
    r"change.?me|secret.?key|your.?secret|password|example|smartabsen|0123456789|abcdefgh", re.I
)


@dataclass(frozen=True, slots=True)
class ServerSecret:
    """The secret that codes, PINs and the web server's signatures are made with.

    Attributes:
        value: 32 bytes derived from what was given.
        origin: ``setting``, or ``home`` where the home keeps one.
        weak: It was set, and is short or obvious: good enough to try things out, not for production.
    """

    value: bytes = field(repr=False)
    origin: str
    weak: bool

    def derive(self, purpose: str) -> bytes:
        """Return a key of 32 bytes for one purpose: what is learnt about one of them says nothing about another."""
        return sha256(self.value + b"\0" + purpose.encode()).digest()


def load_secret(settings: Settings) -> ServerSecret:
    """Return the secret in force; a home without one makes it, readable by its owner alone.

    Raises:
        StorageError: The file cannot be read or written.
    """
    text = settings.server.secret_key
    if text:
        return ServerSecret(_digest(text), "setting", is_weak(text))
    return ServerSecret(_digest(read_or_make_secret(settings.home / "secrets" / "server.key")), "home", False)


def is_weak(text: str) -> bool:
    """Say whether a secret can be guessed: shorter than 32 characters, of few different ones, or an obvious text."""
    return len(text) < MIN_LENGTH or len(set(text)) < _MIN_LETTERS or _OBVIOUS.search(text) is not None


def _digest(text: str) -> bytes:
    return sha256(b"smartabsen server secret\0" + text.encode()).digest()

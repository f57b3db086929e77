"""Passwords as they are stored: bcrypt over base64 of SHA-256, so that neither length nor a NUL byte cuts one off.

bcrypt itself reads 72 bytes and ends at a NUL (and bcrypt 5 refuses more); 44 characters of base64 hold the whole
SHA-256. Passwords are composed (NFC) first, so that every keyboard types the same one.
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from typing import Final

import bcrypt

from ..kernel.errors import InvalidInputError
from ..kernel.i18n import N_
from .common_passwords import is_common
from .hashing import HASHING

ROUNDS: Final = 12
MIN_LENGTH: Final = 10
MAX_LENGTH: Final = 1024
_MIN_DISTINCT: Final = 5


def check_strength(password: str, *, name: str) -> None:
    """Refuse a password that is easily guessed. Long ones of several words are the best; no signs are demanded.

    Raises:
        InvalidInputError: It is too short, too long, a repetition, well known, or little more than the user's name.
    """
    if len(password) < MIN_LENGTH:
        raise InvalidInputError(
            N_("The password is too short: at least {least} characters."),
            hint=N_("Several words in a row are easy to remember and hard to guess."),
            least=MIN_LENGTH,
        )
    if len(password) > MAX_LENGTH:
        raise InvalidInputError(N_("The password is too long: at most {most} characters."), most=MAX_LENGTH)
    if len(set(password.casefold())) < _MIN_DISTINCT or _leans_on(name, password):
        raise InvalidInputError(
            N_("The password is too easy to guess."),
            hint=N_("It must be more than the user's name, and no repetition of a few characters."),
        )
    if is_common(password):
        raise InvalidInputError(
            N_("The password is one of those that are tried first."),
            hint=N_("Well-known words, years and rows of keys are no secret: take several words that you thought of."),
        )


def hash_password(password: str) -> str:
    """Return what is stored of a password. Raises BusyError where too many are hashed at this moment."""
    return HASHING.run(lambda: bcrypt.hashpw(_digest(password), bcrypt.gensalt(ROUNDS))).decode()


def is_password(password: str, stored: str | None) -> bool:
    """Return whether a password is the stored one; it takes as long when there is none (an unknown user).

    Args:
        stored: From :func:`hash_password`, or None.

    Raises:
        BusyError: Too many are hashed at this moment.
    """
    right = HASHING.run(lambda: bcrypt.checkpw(_digest(password), (stored or _decoy(ROUNDS)).encode()))
    return right and stored is not None


def _leans_on(name: str, password: str) -> bool:
    """Tell whether a password is too short or well known without its user's name.

    A phrase of one's own may hold the name by chance, as that of ``ani`` does in ``berani``.
    """
    folded = password.casefold()
    rest = folded.replace(name.casefold(), "")
    own = [sign for sign in rest if sign.isalnum()]
    return rest != folded and (len(own) < MIN_LENGTH or len(set(own)) < _MIN_DISTINCT or is_common(rest))


def _digest(password: str) -> bytes:
    composed = unicodedata.normalize("NFC", password)
    return base64.b64encode(hashlib.sha256(composed.encode("utf-8", "surrogatepass")).digest())


def _decoy(rounds: int) -> str:
    # Well formed and nobody's. It is not computed: the first unknown name of a process would take twice as long.
    return f"$2b${rounds:02d}${'.' * 53}"

"""Codes that people give to people, sites and departments: how they look, and when two of them are one."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from .errors import InvalidInputError
from .i18n import N_
from .texts import checked_text

CODE_LENGTH: Final = 64
KEY_LENGTH: Final = 2 * CODE_LENGTH
_CODE: Final = re.compile(r"\w(?:[\w ./-]*\w)?")


def code_key(code: str) -> str:
    """Return what makes a code unique: without case and surrounding blanks, so ``E001`` equals `` e001 ``."""
    return unicodedata.normalize("NFKC", code).casefold().strip()


def check_code(code: str) -> None:
    """Refuse a code that could be taken for an option, a formula or a path: it names folders and stands in commands.

    Raises:
        InvalidInputError: It is one.
    """
    if not _CODE.fullmatch(code) or any(not part.strip(" .") for part in code.split("/")):
        raise InvalidInputError(
            N_("“{code}” cannot be a code: it takes letters and digits, and between them blanks and . _ - /"),
            code=code,
        )


def checked_code(code: str) -> str:
    """Return a code as it is stored.

    Raises:
        InvalidInputError: It is empty, too long, or has letters that codes cannot have.
    """
    code = checked_text(code, field=N_("code"), limit=CODE_LENGTH, required=True)
    check_code(code)
    if len(code_key(code)) > KEY_LENGTH:
        raise InvalidInputError(N_("The code “{code}” has characters that codes cannot have."), code=code)
    return code

"""A secret that a home makes for itself, once."""

from __future__ import annotations

import secrets
from pathlib import Path

from ..kernel.reading import read_text
from .file_lock import file_lock
from .files import storage_errors, write_atomically


def read_or_make_secret(path: Path) -> str:
    """Return the secret in a file (64 hex characters), made where it is missing. Only the owner can read the file.

    Of several processes at once one makes it, and all return the same.

    Raises:
        StorageError: It cannot be read or written.
    """
    found = _read(path)
    if found:
        return found
    with file_lock(path.with_name(f"{path.name}.lock")):
        found = _read(path)
        if not found:
            found = secrets.token_hex(32)
            write_atomically(path, f"{found}\n".encode())
    return found


def _read(path: Path) -> str:
    with storage_errors(path):
        try:
            return read_text(path, encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            return ""

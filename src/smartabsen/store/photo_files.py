"""Photo files in folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

PHOTO_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".heic", ".heif"})
"""Files that are taken from a folder; HEIC only to say what to do with it."""


def find_photos(paths: Iterable[str | Path]) -> list[str]:
    """List photo files, each once: a file stands for itself, a folder for the pictures in it, sorted by name."""
    return list(dict.fromkeys(expand_folders(paths)))


def expand_folders(paths: Iterable[str | Path]) -> list[str]:
    """Put the pictures of a folder, sorted by name, in its place; files stay as they are given."""
    photos: list[str] = []
    for path in map(Path, paths):
        if path.is_dir():
            found = (file for file in path.iterdir() if file.suffix.lower() in PHOTO_SUFFIXES and file.is_file())
            photos += [str(file) for file in sorted(found)]
        else:
            photos.append(str(path))
    return photos

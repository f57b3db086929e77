"""A folder of pictures, or one picture, played like a recording."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..kernel.errors import CameraError
from ..kernel.i18n import N_
from .address import PICTURE_SUFFIXES
from .base import Frame, OpenOptions
from .capture import closed_error
from .picture import read_picture

PERIOD_S: Final = 0.2
"""Time between two pictures: they carry none that could be trusted."""


class FolderSource:
    """The pictures of a folder in the order of their names (2 before 10), each turned upright; subfolders are left out.

    A picture that cannot be used is skipped, and ``options.on_skip`` told. Its place in time stays empty.

    Raises:
        CameraError: The folder has no picture, cannot be read, or none of its pictures can be used (on reading).
    """

    live = False

    def __init__(self, spec: str, options: OpenOptions) -> None:
        self.name = spec
        self._on_skip = options.on_skip
        path = Path(spec)
        try:
            files = [path] if path.is_file() else [entry for entry in path.iterdir() if _is_picture(entry)]
        except OSError as exc:
            raise CameraError(
                N_("The folder “{camera}” cannot be read: {problem}."), camera=spec, problem=exc.strerror or exc
            ) from exc
        if not files:
            raise CameraError(
                N_("There is no picture in the folder “{camera}”."),
                hint=N_("JPEG, PNG, BMP, WebP and TIFF files count; folders inside it do not."),
                camera=spec,
            )
        self._frames: Iterator[Frame] | None = self._play(sorted(files, key=_natural_order))

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next picture that can be used, or None at the end."""
        del timeout_s
        if self._frames is None:
            raise closed_error(self.name)
        return next(self._frames, None)

    def close(self) -> None:
        """Forget the rest."""
        self._frames = None

    def _play(self, files: list[Path]) -> Iterator[Frame]:
        given = 0
        for index, path in enumerate(files):
            try:
                image = read_picture(path)
            except CameraError as exc:
                if self._on_skip is not None:
                    self._on_skip(exc)
                continue
            given += 1
            yield Frame(image_bgr=image, index=index, at_s=index * PERIOD_S)
        if not given:
            raise CameraError(
                N_("None of the {count} pictures in “{camera}” can be used."), camera=self.name, count=len(files)
            )


def _is_picture(path: Path) -> bool:
    # Names that begin with a dot are other programs' companions (macOS writes ._photo.jpg beside photo.jpg).
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _natural_order(path: Path) -> tuple[list[tuple[int, str]], str]:
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name

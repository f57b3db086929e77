"""Whether a camera's picture stands still or shows nothing: a hung camera, a locked phone, a cap on the lens.

A sensor has noise, so two frames of a camera that works differ nearly everywhere. A clock that the camera writes into
its picture goes on when the rest has stopped; so a few parts that change do not count.

Pure: frames and their times come in, a verdict out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .capture import quiet_cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..kernel.domain import ImageBGR

NOTICED_S: Final = 4.0
"""A picture that has stood still for so long is told of: within five seconds, with the time that a frame needs."""
_STEP: Final = 2
"""Every second pixel of every second row is looked at, in green: it tells enough, and costs a fiftieth."""
_TILE: Final = 8
_COARSE: Final = (32, 18)
CLOCK_SHARE: Final = 0.04
"""Share of the tiles that may change in a picture that stands still: a clock has 0.02."""
BLANK_LEVELS: Final = 3.0
"""A picture whose parts are nearer to their median than this, in grey levels, shows nothing."""


class Standstill(StrEnum):
    """What is wrong with a picture."""

    STILL = "still"
    BLANK = "blank"


class PictureWatch:
    """Watches the frames of one connection to a camera.

    Args:
        noticed_s: For so long the picture must have stood still, or shown nothing.
    """

    def __init__(self, *, noticed_s: float = NOTICED_S) -> None:
        self._noticed_s = noticed_s
        self._reference: NDArray[np.uint8] | None = None
        self._same_since_s = self._blank_since_s = 0.0
        self.shows_life = False
        """Whether the picture has changed since the connection was made, and shows something."""

    def add(self, image_bgr: ImageBGR, at_s: float) -> Standstill | None:
        """Take a frame; return what has been wrong for long enough, or None.

        Args:
            image_bgr: uint8 (H, W, 3).
            at_s: Seconds that never run backwards.
        """
        plane = image_bgr[::_STEP, ::_STEP, 1]
        blank = _is_blank(plane)
        if not blank or self._reference is None:
            self._blank_since_s = at_s
        if self._reference is None or not _is_same(self._reference, plane):
            self.shows_life = self._reference is not None and not blank
            self._reference, self._same_since_s = plane.copy(), at_s
        if blank and at_s - self._blank_since_s >= self._noticed_s:
            return Standstill.BLANK
        return Standstill.STILL if at_s - self._same_since_s >= self._noticed_s else None


def _is_same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Tell whether two frames are one, but for a clock."""
    if one.shape != other.shape:
        return False
    changed = one != other
    return not changed.any() or bool(_tiles(changed).any(axis=(1, 3)).mean() <= CLOCK_SHARE)


def _is_blank(plane: NDArray[np.uint8]) -> bool:
    """Tell whether a frame is black, white, or of any one colour, with whatever noise."""
    levels = quiet_cv2().resize(np.ascontiguousarray(plane), _COARSE, interpolation=quiet_cv2().INTER_AREA)
    levels = levels.astype(np.float32)
    # A clock on a black picture is no picture: its tiles are those that differ most.
    return bool(np.quantile(np.abs(levels - np.median(levels)), 1.0 - CLOCK_SHARE) < BLANK_LEVELS)


def _tiles(plane: NDArray[Any]) -> NDArray[Any]:
    """Return a plane (H, W) as (rows, tile, columns, tile); what is left over at its edges is left out."""
    tile = min(_TILE, *plane.shape)
    rows, columns = plane.shape[0] // tile, plane.shape[1] // tile
    return plane[: rows * tile, : columns * tile].reshape(rows, tile, columns, tile)

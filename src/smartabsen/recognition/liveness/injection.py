"""Whether frames come from a camera that is looking now, or were made, kept or repeated.

A camera never gives the same picture twice: its sensor has noise. So a frame that is another one pixel for pixel,
frames that hardly differ, and a sequence that begins anew are refused, and so are times of capture that do not advance.
This is about the *way* into the program; what is held in front of a real camera is for the other checks.

Pure: arrays and times in, a verdict out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Final

import cv2
import numpy as np

from ...kernel.domain import FloatArray, ImageBGR

MAX_GAP_S: Final = 1.5
"""Between two frames of a burst. Who needs longer has done something in between."""
LATE_S: Final = 2.0
"""The clock of a browser may run ahead of the server's by so much over one burst."""
STILL: Final = 0.3
"""Mean difference in grey levels between two frames, below which they are one picture that was encoded anew."""
STILL_SHARE: Final = 0.8
SAME: Final = 1.5
"""Greatest difference between small copies of two frames that are one. A person who comes back to where they were is
never so near: in a film of 345 frames of one person, no two frames that are no neighbours differ by less than 13."""
_SMALL: Final = (64, 48)


class Injection(StrEnum):
    """A sign that frames do not come from a camera that is looking now."""

    REPEATED = "repeated"
    """Two frames have the same pixels, or one was seen in an earlier attempt."""
    CLOCK = "clock"
    """The times of capture do not advance, or do not fit the time that has passed."""
    STILL = "still"
    """Nothing changes from frame to frame, not even by noise."""
    LOOPED = "looped"
    """The pictures begin anew."""


def digest_frames(images_bgr: Sequence[ImageBGR]) -> tuple[str, ...]:
    """Return the SHA-256 (hex) of the size and the pixels of each frame.

    Of the pixels, not of the file: a remark in its head, or another order in it, makes no new picture.

    Args:
        images_bgr: uint8 (H, W, 3) each.
    """
    return tuple(
        sha256(str(image.shape).encode() + np.ascontiguousarray(image).tobytes()).hexdigest() for image in images_bgr
    )


def check_digests(digests: Sequence[str]) -> Injection | None:
    """Refuse frames of which two are the same."""
    return Injection.REPEATED if len(set(digests)) < len(digests) else None


def check_times(times_s: Sequence[float], *, count: int, within_s: float | None = None) -> Injection | None:
    """Refuse times of capture that cannot be those of ``count`` frames in a row.

    Args:
        times_s: One for each frame.
        count: Number of frames.
        within_s: Time that has passed since the frames were asked for; None where that is not known.
    """
    if len(times_s) != count or not all(math.isfinite(each) for each in times_s):
        return Injection.CLOCK
    gaps = [later - earlier for earlier, later in itertools.pairwise(times_s)]
    if not all(0.0 < gap <= MAX_GAP_S for gap in gaps):
        return Injection.CLOCK
    if within_s is not None and times_s[-1] - times_s[0] > within_s + LATE_S:
        return Injection.CLOCK
    return None


def check_pictures(images_bgr: Sequence[ImageBGR]) -> Injection | None:
    """Refuse a still picture and a loop, also where each frame was encoded anew.

    Args:
        images_bgr: uint8 (H, W, 3) each, all of one size.
    """
    if len(images_bgr) < 2:
        return None
    if len({image.shape for image in images_bgr}) > 1:
        return Injection.REPEATED
    greys = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in images_bgr]
    still = [float(cv2.absdiff(one, next_).mean()) < STILL for one, next_ in itertools.pairwise(greys)]
    if sum(still) >= STILL_SHARE * len(still):
        return Injection.STILL
    return Injection.LOOPED if _has_loop([_small(grey) for grey in greys]) else None


def _small(grey: np.ndarray) -> FloatArray:
    return cv2.resize(grey, _SMALL, interpolation=cv2.INTER_AREA).astype(np.float32)


def _has_loop(small: Sequence[FloatArray]) -> bool:
    """Tell whether two frames that are not neighbours are one, though something happened in between."""
    for start in range(len(small)):
        moved = False
        for later in range(start + 1, len(small)):
            same = float(np.abs(small[start] - small[later]).max()) < SAME
            if same and moved:
                return True
            moved |= not same
    return False

"""Whether a live camera shows the present: faces that change by more than noise, and frames that were not seen before.

A camera that hangs sends one picture for ever, or a few seconds of a film again and again. Encoded anew, with the noise
of a sensor and a running clock drawn on it, no two of its frames have the same pixels. So:

- The face itself must change. Frames are reduced to a coarse grid, which takes out noise; the mean of the first frames
  of a track and the mean of its last ones are compared inside the face, and must differ by more than what the change
  from frame to frame explains. People who stand still sway by some millimetres a second, which is enough.
- What happens must be new. Each frame leaves a digest and a *print*: five coarse waves in each of 48 parts of it, less
  than a picture of 18 x 13 dots would hold. A digest that comes back, or a second of movement whose prints come back in
  the same order, as near as the noise lets them, is a repetition. A caller may keep digests and prints over a restart.
- A camera that was just opened is watched for a while before anybody is taken for real: a short loop has come round by
  then.

Pure: arrays and times in, a verdict out.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ...domain import BoxXYXY, Face, FloatArray, ImageBGR

STILL_S: Final = 4.0
"""A face that has not changed for so long is that of a still picture."""
PROVING_S: Final = 5.0
"""So long is a camera watched after it was opened before anybody is taken for real: longer than a loop of three
seconds and the second of it that must be seen again."""
REPLAY_S: Final = 1.2
"""So much movement must come back in the same order to be called a repetition."""
STANDS_S: Final = 5.0
"""After a sign of repetition, so long must pass without another one."""
REMEMBERED: Final = 900
"""Frames that are remembered: a minute at 15 frames a second."""
KEPT: Final = 300
"""Frames with a face that are kept over a restart."""

_GRID_PX: Final = 160
_MEAN_OF: Final = 3
_INNER: Final = 0.1
"""Share of the box that is left out on each side: background moves with the box of a detector, not with a face."""
_QUANTILE: Final = 0.75
"""Less than a quarter of the face may be covered by what is drawn on the picture, as a clock is."""
_CHANGE: Final = 1.2
_NOISE: Final = 0.6
"""A change of more than ``_CHANGE + _NOISE * change from frame to frame`` grey levels is movement.

Measured at 1280x720: stills with a clock, new noise (sigma 1 to 15) and new JPEG in each frame reach at most 1.4, where
1.2 to 2.4 are needed, and 0.7 below sigma 15; a face of 220 pixels that drifts by 2 pixels reaches 2.9 or more, where
1.8 is needed; a film of a person 4.6 or more within 0.4 s."""

_TILES_XY: Final = (8, 6)
_TILE_CELLS: Final = 12
_WAVES: Final = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0))
_MIN_FRAMES: Final = 6
_GAP_S: Final = 0.4
"""Between two frames that are further apart nothing can be interpolated."""
_APART_S: Final = 0.5
"""What is repeated ended at least so long before its repetition began."""
_MOVED: Final = 8.0
"""A second holds movement when it changes by so many times what its noise does, squared."""
_AS_NEAR: Final = 1.6
"""A repetition is so near to what it repeats, in units of the noise, squared."""
_FINE: Final = (-0.5, -0.25, 0.0, 0.25, 0.5)
"""A repetition may lie between two frames: shifts that are tried, in units of the time between frames."""
_PAUSE_S: Final = 1000.0
"""Between what was kept and what comes now, so that no second has frames of both."""


class Freshness(StrEnum):
    """What is known of the face of a track."""

    UNKNOWN = "unknown"
    """Not enough was seen yet."""
    FRESH = "fresh"
    """It changes, and nothing of it was seen before."""
    STILL = "still"
    """It is a picture that stands still."""
    REPLAYED = "replayed"
    """What the camera shows was seen before."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenFrame:
    """What is remembered of a frame: too coarse to recognise anybody by.

    Attributes:
        at_s: Time of the frame.
        digest: Of its pixels.
        waves: float16 (48, 5): coefficients of a cosine transform for each part of the frame.
    """

    at_s: float
    digest: bytes
    waves: NDArray[np.float16]


@dataclass(slots=True)
class _FaceHistory:
    """The grids of a track: its first ones, its last ones, and how much it changes from frame to frame."""

    since_s: float
    fresh: bool = False
    first: list[FloatArray] = field(default_factory=list)
    last: deque[FloatArray] = field(default_factory=lambda: deque(maxlen=_MEAN_OF))
    times_s: deque[float] = field(default_factory=lambda: deque(maxlen=64))
    changes: deque[float] = field(default_factory=lambda: deque(maxlen=4 * _MEAN_OF))

    def add(self, grid: FloatArray, part: tuple[slice, slice]) -> None:
        """Take a frame that is not the one before."""
        if self.fresh or (self.first and self.first[0].shape != grid.shape):
            return
        before = self.last[-1] if self.last else self.first[-1] if self.first else None
        if before is not None:
            self.changes.append(_change(before[part], grid[part]))
        if len(self.first) < _MEAN_OF:
            self.first.append(grid)
            return
        self.last.append(grid)
        if len(self.last) == _MEAN_OF:
            first = np.mean([each[part] for each in self.first], axis=0)
            last = np.mean([each[part] for each in self.last], axis=0)
            self.fresh = _change(first, last) > _CHANGE + _NOISE * float(np.median(self.changes))


class FreshnessWatch:
    """Watches the frames of a live camera. Used by one thread.

    Args:
        proving_s: How long a camera is watched first.
        kept: Frames that were kept by an earlier run, the oldest first.
    """

    def __init__(self, *, proving_s: float = PROVING_S, kept: tuple[SeenFrame, ...] = ()) -> None:
        self._proving_s = proving_s
        self._kept = kept
        self._seen: deque[SeenFrame] = deque(maxlen=REMEMBERED)
        self._with_face: deque[SeenFrame] = deque(kept, maxlen=KEPT)
        self._digests: dict[bytes, int] = {}
        self._faces: dict[int, _FaceHistory] = {}
        self._began_s: float | None = None
        self._replayed_s = -math.inf
        self._now_s = -math.inf

    @property
    def worth_keeping(self) -> tuple[SeenFrame, ...]:
        """The last frames with a face, the oldest first, those of earlier runs included."""
        return tuple(self._with_face)

    def add(self, image_bgr: ImageBGR, faces: Mapping[int, Face], alive: frozenset[int], at_s: float) -> None:
        """Take a frame.

        Args:
            image_bgr: uint8 (H, W, 3).
            faces: Track to face.
            alive: Tracks that go on, those that are hidden for a moment included.
            at_s: Time of the frame.
        """
        if self._began_s is None:
            self._began_s = at_s
            self._take_over_kept(at_s)
        self._now_s = at_s
        for track in self._faces.keys() - alive:
            del self._faces[track]
        digest = _digest(image_bgr)
        if self._seen and digest == self._seen[-1].digest:
            # A camera may give a frame twice; it tells nothing.
            return
        grey = np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        grid, scale = _reduce(grey)
        again = digest in self._digests
        self._remember(SeenFrame(at_s, digest, _print(grey)), has_face=bool(faces))
        for track, face in faces.items():
            history = self._faces.setdefault(track, _FaceHistory(at_s))
            history.add(grid, _part(face.box_xyxy, scale, grid.shape))
            history.times_s.append(at_s)
            again = again or self._repeats(history, _tiles_under(face.box_xyxy, grey.shape))
        if again:
            self._replayed_s = at_s

    def judge(self, track: int) -> Freshness:
        """Say what is known of the face of a track."""
        if self._now_s - self._replayed_s <= STANDS_S:
            return Freshness.REPLAYED
        history = self._faces.get(track)
        if history is None or self._began_s is None:
            return Freshness.UNKNOWN
        if not history.fresh:
            return Freshness.STILL if self._now_s - history.since_s >= STILL_S else Freshness.UNKNOWN
        return Freshness.FRESH if self._now_s - self._began_s >= self._proving_s else Freshness.UNKNOWN

    def _take_over_kept(self, at_s: float) -> None:
        if self._kept:
            shift_s = at_s - _PAUSE_S - self._kept[-1].at_s
            for frame in self._kept:
                self._remember(SeenFrame(frame.at_s + shift_s, frame.digest, frame.waves), has_face=True)

    def _remember(self, frame: SeenFrame, *, has_face: bool) -> None:
        if len(self._seen) == REMEMBERED:
            oldest = self._seen[0].digest
            self._digests[oldest] -= 1
            if not self._digests[oldest]:
                del self._digests[oldest]
        self._seen.append(frame)
        self._digests[frame.digest] = self._digests.get(frame.digest, 0) + 1
        if has_face:
            self._with_face.append(frame)

    def _repeats(self, history: _FaceHistory, tiles: NDArray[np.intp]) -> bool:
        """Tell whether the last second of a face that moves was seen before, in the same order."""
        now_s = self._now_s
        recent = sum(at_s >= now_s - REPLAY_S for at_s in history.times_s)
        window_s = np.array(history.times_s)[-max(recent, _MIN_FRAMES) :]
        if len(window_s) < _MIN_FRAMES or window_s[0] > now_s - 0.8 * REPLAY_S:
            return False
        times_s = np.array([frame.at_s for frame in self._seen])
        waves = np.stack([frame.waves for frame in self._seen])[:, tiles].reshape(len(times_s), -1).astype(np.float32)
        mine = waves[np.searchsorted(times_s, window_s)]
        noise = _noise_of(mine, window_s)
        if max(_squares(mine - mine[-1]).max(), _squares(mine - mine[0]).max()) < _MOVED * noise:
            return False
        lags_s = now_s - times_s[times_s < window_s[0] - _APART_S]
        near = _differences(times_s, waves, window_s, mine, lags_s)
        if not len(near):
            return False
        best_s = lags_s[np.argsort(near)[:5]]
        step_s = float(np.median(np.diff(window_s)))
        fine_s = (best_s[:, None] + np.array(_FINE)[None, :] * step_s).ravel()
        return bool(_differences(times_s, waves, window_s, mine, fine_s).min() <= _AS_NEAR * noise)


def has_face_moved(images_bgr: Sequence[ImageBGR], box_xyxy: BoxXYXY) -> bool:
    """Tell whether a face changes over a burst by more than noise does; what moves around it does not count.

    Args:
        images_bgr: uint8 (H, W, 3) each, all of one size, in the order in which they were taken.
        box_xyxy: Of the face in one of them.
    """
    if len(images_bgr) < 2:
        return False
    reduced = [_reduce(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)) for image in images_bgr]
    part = _part(box_xyxy, reduced[0][1], reduced[0][0].shape)
    faces = [grid[part] for grid, _ in reduced]
    count = min(_MEAN_OF, len(faces) // 2)
    noise = float(np.median([_change(one, other) for one, other in itertools.pairwise(faces)]))
    ends = [np.mean(faces[start : start + count], axis=0) for start in range(0, len(faces) - count + 1, count)]
    change = max(_change(ends[0], end) for end in ends[1:])
    # The mean of fewer frames has more noise.
    return change > _CHANGE + _NOISE * noise * math.sqrt(_MEAN_OF / count)


def pack(frames: tuple[SeenFrame, ...]) -> bytes:
    """Return frames as bytes for :func:`unpack`."""
    return b"".join(np.float64(frame.at_s).tobytes() + frame.digest + frame.waves.tobytes() for frame in frames)


def unpack(data: bytes) -> tuple[SeenFrame, ...]:
    """Return the frames of :func:`pack`; none where the bytes are not from there."""
    shape = (_TILES_XY[0] * _TILES_XY[1], len(_WAVES))
    size = 8 + 16 + 2 * shape[0] * shape[1]
    if len(data) % size:
        return ()
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    frames = tuple(
        SeenFrame(
            float(np.frombuffer(part[:8], np.float64)[0]),
            part[8:24],
            np.frombuffer(part[24:], np.float16).reshape(shape),
        )
        for part in parts
    )
    times = [frame.at_s for frame in frames]
    sound = all(map(math.isfinite, times)) and all(np.isfinite(frame.waves).all() for frame in frames)
    return frames if sound and times == sorted(times) else ()


def _digest(image_bgr: ImageBGR) -> bytes:
    return blake2b(np.ascontiguousarray(image_bgr[::2, ::2]).tobytes(), digest_size=16).digest()


def _reduce(grey: NDArray[np.uint8]) -> tuple[FloatArray, float]:
    height, width = grey.shape
    scale = min(1.0, _GRID_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32), scale


def _part(box_xyxy: BoxXYXY, scale: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the inner part of a face in a grid; at least one cell."""
    x0, y0, x1, y1 = (edge * scale for edge in box_xyxy)
    aside, above = _INNER * (x1 - x0), _INNER * (y1 - y0)
    left, top = min(max(0, int(x0 + aside)), shape[1] - 1), min(max(0, int(y0 + above)), shape[0] - 1)
    return slice(top, max(top + 1, int(y1 - above) + 1)), slice(left, max(left + 1, int(x1 - aside) + 1))


def _change(one: FloatArray, other: FloatArray) -> float:
    """Return the grey levels by which most of a face has changed; a change of the light as a whole does not count."""
    first, second = one.ravel(), other.ravel()
    off = np.abs(_without_light(first, second, slice(None)))
    # Once more without what has changed most, as a clock does: it must not be taken for light.
    usual = off <= np.quantile(off, _QUANTILE)
    return float(np.quantile(np.abs(_without_light(first, second, usual)), _QUANTILE))


def _without_light(first: FloatArray, second: FloatArray, usual: slice | NDArray[np.bool_]) -> FloatArray:
    """Return what is left of ``second`` when ``first``, brighter or darker so that ``usual`` fits, is taken out."""
    before, after = first - first[usual].mean(), second - second[usual].mean()
    gain = float(before[usual] @ after[usual]) / max(float(before[usual] @ before[usual]), 1e-6)
    return np.asarray(after - gain * before, dtype=np.float32)


@lru_cache(maxsize=1)
def _wave_basis() -> FloatArray:
    """Return the waves of a tile, (cells, waves), each of length 1."""
    places = (np.arange(_TILE_CELLS) + 0.5) * np.pi / _TILE_CELLS
    waves = np.stack([np.outer(np.cos(down * places), np.cos(across * places)).ravel() for down, across in _WAVES])
    return np.asarray((waves / np.linalg.norm(waves, axis=1, keepdims=True)).T, dtype=np.float32)


def _print(grey: NDArray[np.uint8]) -> NDArray[np.float16]:
    across, down = _TILES_XY
    size = (across * _TILE_CELLS, down * _TILE_CELLS)
    cells = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    tiles = cells.reshape(down, _TILE_CELLS, across, _TILE_CELLS).transpose(0, 2, 1, 3).reshape(across * down, -1)
    return (tiles @ _wave_basis()).astype(np.float16)


def _tiles_under(box_xyxy: BoxXYXY, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Return the numbers of the tiles in which a face is; one at least."""
    across, down = _TILES_XY
    x0, y0, x1, y1 = box_xyxy
    left = min(max(0, int(x0 / shape[1] * across)), across - 1)
    top = min(max(0, int(y0 / shape[0] * down)), down - 1)
    under = np.zeros((down, across), dtype=bool)
    right, bottom = math.ceil(x1 / shape[1] * across), math.ceil(y1 / shape[0] * down)
    under[top : max(top + 1, bottom), left : max(left + 1, right)] = True
    return np.flatnonzero(under)


def _squares(rows: NDArray[np.floating]) -> FloatArray:
    """Return the square of what most of each row holds: a clock that is drawn over a part of a face is left out."""
    return np.asarray(np.median(rows**2, axis=-1), dtype=np.float32)


def _noise_of(rows: FloatArray, times_s: NDArray[np.float64]) -> float:
    """Return what noise alone makes of the squared difference of two frames.

    From how far each frame is from the line between its neighbours: even movement has no part in it.
    """
    share = ((times_s[1:-1] - times_s[:-2]) / (times_s[2:] - times_s[:-2]))[:, None]
    off = _squares(rows[1:-1] - (1.0 - share) * rows[:-2] - share * rows[2:])
    return float((2.0 * off / (1.0 + (share**2 + (1.0 - share) ** 2)[:, 0])).mean()) + 1e-3


def _differences(
    times_s: NDArray[np.float64],
    waves: FloatArray,
    window_s: NDArray[np.float64],
    mine: FloatArray,
    lags_s: NDArray[np.float64],
) -> FloatArray:
    """Return how far a window is, squared, from what was there each lag before; infinite where nothing was."""
    wanted = window_s[None, :] - lags_s[:, None]
    after = np.clip(np.searchsorted(times_s, wanted), 1, len(times_s) - 1)
    gap_s = times_s[after] - times_s[after - 1]
    share = np.clip((wanted - times_s[after - 1]) / gap_s, 0.0, 1.0)[..., None]
    there = (1.0 - share) * waves[after - 1] + share * waves[after]
    mean = _squares(there - mine[None]).mean(axis=1)
    covered = (gap_s <= _GAP_S).all(axis=1) & (wanted[:, 0] >= times_s[0] - _GAP_S)
    return np.where(covered, mean, np.float32(np.inf))

"""Whether a live camera shows the present: faces that change by more than noise, and frames that were not seen before.

A camera that hangs sends one picture for ever, or a few seconds of a film again and again. Encoded anew, with the noise
of a sensor and a running clock drawn on it, no two of its frames have the same pixels. So:

- The face itself must change. Frames are reduced to a coarse grid, which takes out noise; the mean of the first frames
  of a track and the mean of its last ones are compared inside the face, and must differ by more than what the change
  from frame to frame explains. People who stand still sway by some millimetres a second, which is enough.
- What happens must be new. Each frame leaves a digest and a *print*: five coarse waves in each of 48 parts of it, less
  than a picture of 18 x 13 dots would hold. A digest that comes back is a repetition. So are movements whose prints lie
  on the way that earlier prints went, as near as their own way is known, and in the same order. Prints are compared by
  what they hold, not by their times: cameras and busy machines give frames unevenly. Digests and prints may be kept
  over a restart.
- Nobody is taken for real before enough was compared. That needs time, so that a short loop has come round, and frames:
  at a low rate it takes longer, and where frames lie too far apart it never ends. A repetition that was found begins
  this anew, and what looks like something remembered proves nothing.

Pure: arrays and times in, a verdict out.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernel.domain import BoxXYXY, Face, FloatArray, ImageBGR

STILL_S: Final = 4.0
"""A face that has not changed for so long is that of a still picture."""
PROVING_S: Final = 5.0
"""So long must faces have been compared before anybody is taken for real: longer than a loop of three seconds and the
second of it that must be seen again."""
PROVING_RATE: Final = 7.0
"""Frames a second that are enough for the proving time: at a lower rate it grows."""
REPLAY_S: Final = 1.2
"""So much movement must come back in the same order to be called a repetition."""
REMEMBERED: Final = 900
"""Prints of faces that are remembered: a minute at 15 a second, more at a lower rate."""
KEPT: Final = 900
"""Prints of faces that are kept over a restart."""

_DIGESTS: Final = 900
"""Frames of this run whose digests are remembered, with or without a face: a minute at 15 frames a second."""
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
_MIN_FRAMES: Final = 8
"""Frames of a movement that are compared at least."""
_LONGEST_S: Final = 3.0
"""A movement of so few frames, or so little of it, is looked at for no longer than this."""
_SPACED_S: Final = 0.04
"""Prints are taken no more often than this: it makes no difference, and covers a longer time."""
_GAP_S: Final = 0.6
"""Between two prints that are further apart the way is unknown."""
_APART_S: Final = 1.0
"""What is repeated came at least so long before its repetition."""
_MOVED: Final = 8.0
"""A second holds movement when it changes by so many times what its noise does, squared."""
_AS_NEAR: Final = 1.6
"""A print lies on an earlier way when it is so near to it, in units of what is unknown of its own way, squared."""
_BETWEEN: Final = (0.0, 0.25, 0.5, 0.75)
"""Places between two prints that are tried."""
_NEAREST: Final = 128
"""Earlier prints that are looked at closely."""
_LAG_S: Final = 0.2
"""Lags that differ by no more than this are one: times of frames are uneven."""
_IN_ORDER: Final = 0.75
"""Share of the last prints that must lie on an earlier way, all the same time ago, to be called a repetition."""
_TWINS: Final = 0.6
"""Where so large a share of the last prints lies on any earlier way, in whatever order, nothing is proven.

Measured with new noise in each frame, 4 to 12 uneven frames a second: loops of three seconds, films after a restart,
and a photo pushed to and fro reach 0.82 to 1.0; a film of a person 0.02, a picture that sways in two directions (which
people do in more than two) 0.08 to 0.43. In the same order: repetitions 0.8 to 1.0 (median), the others 0.0 to 0.1."""
_LAST: Final = (8, 20, 60)
"""Numbers of last prints among which the share is counted."""
_AWAY_S: Final = 3.0
"""A camera that gave no frame for so long may show something else afterwards: it proves itself anew."""
_PAUSE_S: Final = 1000.0
"""Between what was kept and what comes now, so that no lag lies between frames of both by chance."""


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


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """A print of a face, and the earlier ones that are near to it.

    Attributes:
        at_s: Time of the frame.
        waves: float32 (48, 5).
        lags_s: float64 (n,): how long before it each of the earlier ones was.
        off: float32 (n,): how far it is from the way that goes on from each of them, squared.
        unknown: float32 (n,): what is unknown of that way, squared: much where few frames of it were seen.
    """

    at_s: float
    waves: FloatArray
    lags_s: NDArray[np.float64]
    off: FloatArray
    unknown: FloatArray


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What the last movement of a face is like: whether its last print lies on an earlier way, and whether all do."""

    lasted_s: float
    twin: bool
    again: bool


@dataclass(slots=True)
class _Proof:
    """What speaks for a camera since it was opened, or since it repeated itself."""

    since_s: float
    compared_s: float = 0.0
    frames: int = 0
    faced_s: float = 0.0
    twins: deque[bool] = field(default_factory=lambda: deque(maxlen=max(_LAST)))

    def count(self, at_s: float, since_s: float, lasted_s: float, *, twin: bool) -> None:
        """Take a frame that was compared, ``since_s`` after the one before, at the end of a movement."""
        if not self.frames:
            # The time of a movement counts from its first frame on, though it can be judged at its last one only.
            self.compared_s += min(lasted_s, at_s - self.since_s)
        elif since_s <= _GAP_S:
            self.compared_s += since_s
        self.frames += 1
        self.twins.append(twin)

    def has_twins(self) -> bool:
        """Tell whether the last prints look like what was seen before."""
        last = list(self.twins)
        return any(np.mean(last[-count:]) >= _TWINS for count in _LAST if last)


@dataclass(slots=True)
class _FaceHistory:
    """The grids of a track: its first ones, its last ones, and how much it changes from frame to frame."""

    since_s: float
    fresh: bool = False
    first: list[FloatArray] = field(default_factory=list)
    last: deque[FloatArray] = field(default_factory=lambda: deque(maxlen=_MEAN_OF))
    changes: deque[float] = field(default_factory=lambda: deque(maxlen=4 * _MEAN_OF))
    prints: deque[_Compared] = field(default_factory=lambda: deque(maxlen=64))

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
        proving_s: How long a camera is watched first, where it gives :data:`PROVING_RATE` frames a second.
        kept: Frames that were kept by an earlier run, the oldest first.
    """

    def __init__(self, *, proving_s: float = PROVING_S, kept: tuple[SeenFrame, ...] = ()) -> None:
        self._proving_s = proving_s
        self._kept = kept
        self._kept_waves = _waves_of(kept)
        self._seen: deque[SeenFrame] = deque(maxlen=REMEMBERED)
        self._kept_digests = frozenset(frame.digest for frame in kept)
        self._digests: dict[bytes, None] = {}
        self._last_digest = b""
        self._faces: dict[int, _FaceHistory] = {}
        self._proof = _Proof(-math.inf)
        self._proven = proving_s <= 0.0
        self._replayed = False
        self._now_s = -math.inf

    @property
    def worth_keeping(self) -> tuple[SeenFrame, ...]:
        """The last frames with a face, the oldest first, those of earlier runs included."""
        return (*self._kept, *self._seen)[-KEPT:]

    @property
    def lacks_frames(self) -> bool:
        """Whether faces were in sight for long enough, and too few frames of them could be compared."""
        waited = self._proof.faced_s > self._proving_s + 1.0
        return waited and not (self._proven or self._replayed) and self._proof.frames < self._frames_needed()

    def add(self, image_bgr: ImageBGR, faces: Mapping[int, Face], alive: frozenset[int], at_s: float) -> None:
        """Take a frame.

        Args:
            image_bgr: uint8 (H, W, 3).
            faces: Track to face.
            alive: Tracks that go on, those that are hidden for a moment included.
            at_s: Time of the frame.
        """
        gap_s, self._now_s = at_s - self._now_s, at_s
        if math.isinf(gap_s):
            self._place_kept()
        if gap_s > _AWAY_S:
            self._begin_anew()
        for track in self._faces.keys() - alive:
            del self._faces[track]
        digest = _digest(image_bgr)
        if digest == self._last_digest:
            # A camera may give a frame twice; it tells nothing.
            return
        self._last_digest = digest
        again = digest in self._digests or digest in self._kept_digests
        self._note_digest(digest)
        if faces:
            self._proof.faced_s += min(gap_s, _GAP_S)
            again = self._look(image_bgr, digest, faces) or again
        if again:
            self._replayed = True
            self._begin_anew()
        elif not self._proven and self._is_proof_enough():
            self._proven, self._replayed = True, False

    def judge(self, track: int) -> Freshness:
        """Say what is known of the face of a track."""
        if self._replayed:
            return Freshness.REPLAYED
        history = self._faces.get(track)
        if history is None:
            return Freshness.UNKNOWN
        if not history.fresh:
            return Freshness.STILL if self._now_s - history.since_s >= STILL_S else Freshness.UNKNOWN
        return Freshness.FRESH if self._proven else Freshness.UNKNOWN

    def _needed_s(self) -> float:
        return max(self._proving_s, PROVING_S) if self._replayed else self._proving_s

    def _frames_needed(self) -> float:
        # The first frames of a face are compared with the later ones: a second's worth of them is no comparison yet.
        return PROVING_RATE * max(0.0, self._needed_s() - 1.0)

    def _begin_anew(self) -> None:
        self._proof = _Proof(self._now_s)
        self._proven = self._needed_s() <= 0.0

    def _is_proof_enough(self) -> bool:
        proof = self._proof
        enough = proof.compared_s >= self._needed_s() and proof.frames >= self._frames_needed()
        return enough and not proof.has_twins()

    def _place_kept(self) -> None:
        """Give the frames of earlier runs times before those of this one."""
        if self._kept:
            shift_s = self._now_s - _PAUSE_S - self._kept[-1].at_s
            self._kept = tuple(SeenFrame(each.at_s + shift_s, each.digest, each.waves) for each in self._kept)

    def _note_digest(self, digest: bytes) -> None:
        self._digests.pop(digest, None)
        self._digests[digest] = None
        if len(self._digests) > _DIGESTS:
            del self._digests[next(iter(self._digests))]

    def _look(self, image_bgr: ImageBGR, digest: bytes, faces: Mapping[int, Face]) -> bool:
        """Take a frame with faces; tell whether what they do was seen before."""
        grey = np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        grid, scale = _reduce(grey)
        for track, face in faces.items():
            history = self._faces.setdefault(track, _FaceHistory(self._now_s))
            history.add(grid, _part(face.box_xyxy, scale, grid.shape))
        since_s = self._now_s - self._seen[-1].at_s if self._seen else math.inf
        if since_s < _SPACED_S:
            return False
        seen = SeenFrame(self._now_s, digest, _print(grey))
        verdicts = [
            self._compare(self._faces[track], seen, _tiles_under(face.box_xyxy, grey.shape))
            for track, face in faces.items()
        ]
        self._seen.append(seen)
        known = [verdict for verdict in verdicts if verdict is not None]
        if known:
            lasted_s = max(verdict.lasted_s for verdict in known)
            self._proof.count(self._now_s, since_s, lasted_s, twin=any(verdict.twin for verdict in known))
        return any(verdict.again for verdict in known)

    def _compare(self, history: _FaceHistory, seen: SeenFrame, tiles: NDArray[np.intp]) -> _Verdict | None:
        """Compare the last movement of a face with all that is remembered.

        Returns:
            None where too little can be seen of it.
        """
        waves = seen.waves.astype(np.float32)
        history.prints.append(_Compared(seen.at_s, waves, *self._find_near(seen, tiles)))
        window = _last_movement(history.prints, tiles)
        if window is None:
            return None
        prints, unknown = window
        near = [each.lags_s[each.off <= _AS_NEAR * np.maximum(each.unknown, unknown)] for each in prints]
        lasted_s = prints[-1].at_s - prints[0].at_s
        return _Verdict(lasted_s, twin=bool(len(near[-1])), again=_share_of_one_lag(near) >= _IN_ORDER)

    def _find_near(
        self, seen: SeenFrame, tiles: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], FloatArray, FloatArray]:
        """Return how long ago the nearest prints were, how far the way from each to its next one is, squared, and what
        is unknown of that way, squared.
        """
        times_s = np.array([frame.at_s for frame in (*self._kept, *self._seen)])
        count = int(np.searchsorted(times_s, seen.at_s - _APART_S, side="right"))
        joined = np.flatnonzero(np.diff(times_s[:count]) <= _GAP_S)
        if not len(joined):
            return np.zeros(0), np.zeros(0, np.float32), np.zeros(0, np.float32)
        waves = np.concatenate([self._kept_waves, _waves_of(self._seen)])[:count, tiles].reshape(count, -1)
        waves = waves.astype(np.float32)
        mine = seen.waves[tiles].ravel().astype(np.float32)
        ends = _squares(waves - mine)
        nearest = joined[np.argsort(np.minimum(ends[joined], ends[joined + 1]))[:_NEAREST]]
        off = _off_the_way(mine[None], waves[nearest], waves[nearest + 1])
        before, after = np.maximum(nearest - 1, 0), np.minimum(nearest + 2, count - 1)
        turns = _off_the_way(waves[nearest], waves[before], waves[nearest + 1])
        turns_next = _off_the_way(waves[nearest + 1], waves[nearest], waves[after])
        known = (times_s[after] - times_s[before]) <= 3 * _GAP_S
        return seen.at_s - times_s[nearest], off, np.where(known, np.minimum(turns, turns_next), np.float32(0.0))


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


def _waves_of(frames: Collection[SeenFrame]) -> NDArray[np.float16]:
    """Return the prints of frames, (frames, 48, 5)."""
    empty = np.zeros((0, _TILES_XY[0] * _TILES_XY[1], len(_WAVES)), np.float16)
    return np.stack([frame.waves for frame in frames]) if frames else empty


def _squares(rows: NDArray[np.floating]) -> FloatArray:
    """Return the square of what most of each row holds: a clock that is drawn over a part of a face is left out."""
    return np.asarray(np.median(rows**2, axis=-1), dtype=np.float32)


def _off_the_way(rows: FloatArray, starts: FloatArray, ends: FloatArray) -> FloatArray:
    """Return how far each row is, squared, from the straight way between a start and an end."""
    shares = np.array(_BETWEEN, np.float32)[:, None, None]
    return np.asarray(_squares(starts + shares * (ends - starts) - rows).min(axis=0), dtype=np.float32)


def _last_movement(prints: Sequence[_Compared], tiles: NDArray[np.intp]) -> tuple[list[_Compared], float] | None:
    """Return the last prints that hold a movement, and what is unknown of its way, squared; None for no movement.

    What is unknown - noise, and turns between two frames - is how far each print is from the way between its
    neighbours.
    """
    last = [each for each in prints if each.at_s >= prints[-1].at_s - _LONGEST_S]
    rows = np.stack([each.waves[tiles].ravel() for each in last])
    count = max(_MIN_FRAMES, sum(each.at_s >= last[-1].at_s - REPLAY_S for each in last))
    while count <= len(last):
        mine = rows[-count:]
        unknown = float(np.median(_off_the_way(mine[1:-1], mine[:-2], mine[2:]))) + 1e-3
        lasted_s = last[-1].at_s - last[-count].at_s
        moved = max(_squares(mine - mine[-1]).max(), _squares(mine - mine[0]).max())
        if lasted_s >= 0.8 * REPLAY_S and moved >= _MOVED * unknown:
            return last[-count:], unknown
        count += 4
    return None


def _share_of_one_lag(lags_s: Sequence[NDArray[np.float64]]) -> float:
    """Return the largest share of prints that were near to something at one time before them."""
    steps = [np.unique(np.floor(each / _LAG_S)) for each in lags_s]
    # Two steps are one lag: a lag at the edge of a step falls into both.
    both = np.concatenate([np.union1d(each, each + 1) for each in steps])
    if not len(both):
        return 0.0
    return float(np.unique(both, return_counts=True)[1].max()) / len(lags_s)

"""Faces over time: which box of this frame is which box of the last one.

Pure: time comes in as seconds that never run backwards. A track is a *place* that moves, so it is no proof of a
person; :mod:`smartabsen.recognition.voting` watches for somebody else who steps into it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ..kernel.domain import BoxXYXY

_SIZE_CHANGE: Final = 1.6
"""Without overlap, a face does not grow or shrink by more than this factor between two frames."""


@dataclass(slots=True)
class _Track:
    id: int
    box_xyxy: BoxXYXY
    seen_s: float
    hidden: bool = False


class Tracker:
    """Gives each box the number of its track, by overlap, and by nearness where fast movement leaves no overlap.

    Args:
        min_iou: Overlap (intersection over union) that continues a track at least.
        max_shift: Without overlap, the centre may have moved by so many times the size of the box.
        max_gap_s: A face that is not found for longer ends its track; the number is not used again. Slow frames end
            no track: its face must be missing in one.
        max_pause_s: After so long without a frame (a camera that was away), all tracks are over.
    """

    def __init__(
        self, *, min_iou: float = 0.3, max_shift: float = 1.0, max_gap_s: float = 0.7, max_pause_s: float = 3.0
    ) -> None:
        self._min_iou = min_iou
        self._max_shift = max_shift
        self._max_gap_s = max_gap_s
        self._max_pause_s = max_pause_s
        self._tracks: list[_Track] = []
        self._next_id = 1

    @property
    def alive(self) -> frozenset[int]:
        """The tracks that go on, those that are hidden for a moment included."""
        return frozenset(track.id for track in self._tracks)

    def update(self, boxes: Iterable[BoxXYXY], now_s: float) -> list[int]:
        """Take the boxes of a frame.

        Args:
            boxes: The faces found in it, none included.
            now_s: Time of the frame.

        Returns:
            The track of each box, in their order; numbers count from 1.
        """
        found = list(boxes)
        self._tracks = [track for track in self._tracks if not self._is_over(track, now_s)]
        pairs = [
            (affinity, number, place)
            for number, track in enumerate(self._tracks)
            for place, box in enumerate(found)
            if (affinity := self._affinity(track.box_xyxy, box)) > 0.0
        ]
        for track in self._tracks:
            track.hidden = True
        ids: dict[int, int] = {}
        for _, number, place in sorted(pairs, key=lambda pair: -pair[0]):
            track = self._tracks[number]
            if track.hidden and place not in ids:
                ids[place] = track.id
                track.box_xyxy, track.seen_s, track.hidden = found[place], now_s, False
        self._tracks = [track for track in self._tracks if not self._is_over(track, now_s)]
        for place, box in enumerate(found):
            if place not in ids:
                ids[place] = self._next_id
                self._tracks.append(_Track(self._next_id, box, now_s))
                self._next_id += 1
        return [ids[place] for place in range(len(found))]

    def _is_over(self, track: _Track, now_s: float) -> bool:
        gap_s = now_s - track.seen_s
        return gap_s > self._max_pause_s or (track.hidden and gap_s > self._max_gap_s)

    def _affinity(self, old: BoxXYXY, new: BoxXYXY) -> float:
        """Return 1..2 for boxes that overlap enough, 0..1 for near ones, 0 for those that cannot be one face."""
        overlap = iou(old, new)
        if overlap >= self._min_iou:
            return 1.0 + overlap
        small, large = sorted((_size(old), _size(new)))
        if small <= 0.0 or large > _SIZE_CHANGE * small:
            return 0.0
        return max(0.0, 1.0 - math.dist(_centre(old), _centre(new)) / (self._max_shift * large))


def iou(first: BoxXYXY, second: BoxXYXY) -> float:
    """Return the intersection of two boxes over their union, 0..1."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    common = width * height
    return common / (_area(first) + _area(second) - common)


def _area(box: BoxXYXY) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _size(box: BoxXYXY) -> float:
    return math.sqrt(max(0.0, _area(box)))


def _centre(box: BoxXYXY) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2

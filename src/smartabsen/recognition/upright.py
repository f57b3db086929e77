"""Which of its four turns a photo stands upright in, where no tag says so: scans, screenshots, messengers, old cameras.

Detectors find faces in pictures that stand on their head, put the landmarks of an upright face into them, and the
embedding is worthless. Two signs are taken together: the detector's score, which is higher in the right turn but
saturates in some detectors, and how many windows around the face OpenCV's frontal cascade takes for a face, which is
many in the right turn and few in the others. Landmarks that lie on their side count against a turn.

Measured on LFW with every photo in its four turns (``bench/turns.py``). LFW was collected with such a cascade, so faces
that cascades do not see, as masked ones, are rarer there than among photos of employees: for these the score decides,
and what stays unclear is refused.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..kernel.domain import Face, ImageBGR, LandmarkScheme
from .recognizer import Recognizer

SURE: Final = 45
"""So many hits are had by no face that is not upright (at most 42 of 2,248 photos in three wrong turns each, with three
engines); most upright ones have more, and need no look at the other turns."""
LEAST: Final = 4
"""Fewer hits turn no picture."""
TO_TURN: Final = 2.0
"""The evidence for another turn is at least so many times that for the picture as it is."""
CLEAR: Final = 1.3
"""Evidence that is less apart than this decides nothing."""

_SIDE_PX: Final = 128
_AROUND: Final = 1.8
"""Side of what is searched, in sides of the face box."""
_STEP: Final = 1.05
_LOOKED_AT: Final = 3
"""Faces of a picture that are looked at: the largest."""
_POWER: Final = 4
"""With it the score's share of the best score counts; its scale is the detector's own."""
_ON_ITS_SIDE: Final = math.radians(60)

_own: Final = threading.local()


@dataclass(frozen=True, slots=True, eq=False)
class Upright:
    """A picture in the turn in which its faces stand upright.

    Attributes:
        image_bgr: uint8 (H, W, 3), turned.
        faces: Those found in it, the largest first.
        quarters: Quarter turns to the left that were made, 0 to 3.
        clear: Whether it could be told. If not, ``quarters`` is 0.
    """

    image_bgr: ImageBGR
    faces: tuple[Face, ...]
    quarters: int
    clear: bool

    def turn_back(self, points_xy: NDArray[Any]) -> NDArray[np.float64]:
        """Return points of ``image_bgr``, (N, 2), in the picture as it was given."""
        points = np.asarray(points_xy, dtype=np.float64)
        height, width = self.image_bgr.shape[:2]
        for _ in range(self.quarters):
            # One turn to the right.
            points = np.stack([height - points[:, 1], points[:, 0]], axis=1)
            width, height = height, width
        return points


def find_upright(recognizer: Recognizer, image_bgr: ImageBGR) -> Upright:
    """Find the turn in which the faces of a picture stand upright.

    A picture that clearly is upright costs one look at one face; the others are searched in all turns.

    Args:
        image_bgr: uint8 (H, W, 3).
    """
    faces = recognizer.find(image_bgr)
    hits = _count_hits(image_bgr, faces)
    as_it_is = Upright(image_bgr, faces, 0, clear=True)
    if max(hits, default=0) >= SURE:
        return as_it_is
    looks = [(as_it_is, hits)]
    for quarters in (1, 2, 3):
        turned = np.ascontiguousarray(np.rot90(image_bgr, quarters))
        found = recognizer.find(turned)
        looks.append((Upright(turned, found, quarters, clear=True), _count_hits(turned, found)))
    best_score = max((face.score for look, _ in looks for face in look.faces), default=0.0)
    if best_score <= 0.0:
        return as_it_is
    evidence = [_weigh(look.faces, hits, best_score) for look, hits in looks]
    return _decide(looks, evidence)


def _decide(looks: Sequence[tuple[Upright, Sequence[int]]], evidence: Sequence[float]) -> Upright:
    as_it_is = looks[0][0]
    other = max((1, 2, 3), key=lambda quarters: evidence[quarters])
    _least, _less, second, first = sorted(evidence)
    if evidence[other] < TO_TURN * evidence[0]:
        clear = evidence[0] >= CLEAR * evidence[other] or not as_it_is.faces
        return Upright(as_it_is.image_bgr, as_it_is.faces, 0, clear=clear)
    look, hits = looks[other]
    if max(hits, default=0) >= LEAST and first >= CLEAR * second:
        return look
    # Where no face is seen in the picture as it is, a weak sign in another turn is none.
    return Upright(as_it_is.image_bgr, as_it_is.faces, 0, clear=not as_it_is.faces)


def _weigh(faces: Sequence[Face], hits: Sequence[int], best_score: float) -> float:
    return max(
        (
            (count + 2) * (max(face.score, 0.0) / best_score) ** _POWER
            for face, count in zip(faces, hits, strict=False)
            if not _lies(face)
        ),
        default=0.0,
    )


def _lies(face: Face) -> bool:
    """Tell whether the landmarks show a face that lies on its side or stands on its head."""
    points = np.asarray(face.landmarks_xy, dtype=np.float64)
    if face.scheme is LandmarkScheme.DLIB5:
        down = points[4] - points[:4].mean(axis=0)
    else:
        down = points[3:5].mean(axis=0) - points[:2].mean(axis=0)
    return abs(math.atan2(down[0], down[1])) > _ON_ITS_SIDE


def _count_hits(image_bgr: ImageBGR, faces: Sequence[Face]) -> list[int]:
    """Return for each of the largest faces how many windows around it look like a frontal face."""
    return [_count(image_bgr, face) for face in faces[:_LOOKED_AT]]


def _count(image_bgr: ImageBGR, face: Face) -> int:
    left, top, right, bottom = face.box_xyxy
    side = max(2, round(_AROUND * max(right - left, bottom - top)))
    part = cv2.getRectSubPix(image_bgr, (side, side), ((left + right) / 2, (top + bottom) / 2))
    shrinks = side >= _SIDE_PX
    part = cv2.resize(part, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    grey = cv2.equalizeHist(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY))
    return len(_cascade().detectMultiScale(grey, _STEP, 0, minSize=(_SIDE_PX // 3, _SIDE_PX // 3)))


def _cascade() -> cv2.CascadeClassifier:
    """Return this thread's cascade: one must not be used by two at a time."""
    found: cv2.CascadeClassifier | None = getattr(_own, "cascade", None)
    if found is None:
        path = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_alt.xml"
        found = _own.cascade = cv2.CascadeClassifier(str(path))
    return found

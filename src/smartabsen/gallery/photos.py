"""From a photo file to a verdict: read, decode, find the one face, judge it, embed it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ..kernel.domain import BoxXYXY, Face, FaceCrop, FloatArray, ImageBGR, Observation, Outcome, PhotoVerdict, Quality
from ..kernel.i18n import N_
from ..kernel.reading import open_file
from ..recognition.crops import cut_crop
from ..recognition.images import MAX_BYTES, ImageRefusal, Picture, decode_image
from ..recognition.light import find_light
from ..recognition.recognizer import Recognizer
from ..recognition.upright import find_upright

SECOND_FACE: Final = 0.7
"""A further face counts as a second person when its side is at least this share of the largest one's: who stands
behind or beside, and patterns that look like small faces, do not spoil a portrait."""
CUT_FACE: Final = 0.75
"""A face that the edge of the picture cuts counts with this share of its side: nobody takes a portrait like that."""
_EDGE: Final = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class PhotoExam:
    """What was seen in one photo.

    Attributes:
        photo: The photo as it was named by the caller.
        outcome: ACCEPTED, or why not.
        digest: SHA-256 (hex) of its bytes, empty where it could not be read.
        quality: Measures of its face, where there is exactly one.
        embedding: float32 (D,), unit length; None unless accepted.
        crop: The face for other engines; None unless accepted.
        turned, bystanders, box_xyxy, place: As in :class:`PhotoVerdict`.
    """

    photo: str
    outcome: Outcome
    digest: str = ""
    quality: Quality | None = None
    embedding: FloatArray | None = None
    crop: FaceCrop | None = None
    detail: str = ""
    params: tuple[tuple[str, str], ...] = ()
    turned: int = 0
    bystanders: int = 0
    box_xyxy: BoxXYXY | None = None
    place: float = 0.5

    def verdict(self) -> PhotoVerdict:
        """The same for people: without the embedding."""
        return PhotoVerdict(
            self.photo,
            self.outcome,
            self.quality,
            detail=self.detail,
            params=self.params,
            turned=self.turned,
            bystanders=self.bystanders,
            box_xyxy=self.box_xyxy,
            place=self.place,
        )


def read_picture(path: str | Path) -> tuple[bytes, Picture | ImageRefusal]:
    """Read and decode a picture file; a file that cannot be read is a refusal like any other."""
    try:
        with open_file(Path(path)) as source:
            # One byte more than is allowed tells that it is too long; a film named .jpg is not read into memory.
            data = source.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return b"", ImageRefusal(Outcome.UNREADABLE, N_("There is no such file."))
    except PermissionError:
        return b"", ImageRefusal(Outcome.UNREADABLE, N_("No permission to read the file."))
    except OSError as exc:
        problem = (("problem", exc.strerror or str(exc)),)
        return b"", ImageRefusal(Outcome.UNREADABLE, N_("The file cannot be read: {problem}."), problem)
    return data, decode_image(data)


def examine_photo(recognizer: Recognizer, photo: str) -> PhotoExam:
    """Read one photo and judge it for enrolment."""
    data, picture = read_picture(photo)
    return _examine(recognizer, data, picture, photo=photo)


def examine_bytes(recognizer: Recognizer, data: bytes, *, photo: str) -> PhotoExam:
    """Judge the bytes of a photo file, as an upload brings them; ``photo`` is what it is called."""
    return _examine(recognizer, data, decode_image(data), photo=photo)


def _examine(recognizer: Recognizer, data: bytes, picture: Picture | ImageRefusal, *, photo: str) -> PhotoExam:
    digest = hashlib.sha256(data).hexdigest()
    if isinstance(picture, ImageRefusal):
        return PhotoExam(photo, picture.outcome, digest, detail=picture.detail, params=picture.params)
    exam = examine_image(recognizer, picture.image_bgr, photo=photo, digest=digest)
    return exam if exam.box_xyxy is None else replace(exam, box_xyxy=picture.box_in_file(exam.box_xyxy))


def examine_image(
    recognizer: Recognizer, image_bgr: ImageBGR, *, photo: str, digest: str, may_turn: bool = True
) -> PhotoExam:
    """Judge one image for enrolment: one face, or one that stands out, good enough to be a template.

    Args:
        may_turn: Take the image in the turn in which its face is upright. A camera's picture is not turned: a kiosk
            would not turn it either.
    """
    upright = find_upright(recognizer, image_bgr)
    if not upright.faces:
        return PhotoExam(photo, find_light(recognizer, image_bgr) or Outcome.NO_FACE, digest)
    if upright.quarters and not may_turn:
        return PhotoExam(photo, Outcome.NOT_UPRIGHT, digest)
    height, width = upright.image_bgr.shape[:2]
    face, is_alone = _take_face(upright.faces, width, height)
    turned = -90 * upright.quarters % 360
    if not is_alone:
        outcome = Outcome.SEVERAL_FACES if upright.clear else Outcome.NOT_UPRIGHT
        return PhotoExam(photo, outcome, digest, turned=turned)
    exam = PhotoExam(
        photo,
        Outcome.ACCEPTED,
        digest,
        turned=turned,
        bystanders=len(upright.faces) - 1,
        box_xyxy=face.box_xyxy,
        place=(face.box_xyxy[0] + face.box_xyxy[2]) / 2 / width,
    )
    seen: Observation = recognizer.examine(upright.image_bgr, [face])[0]
    if seen.refusal is not None or seen.embedding is None:
        return replace(exam, outcome=seen.refusal or Outcome.UNREADABLE, quality=seen.quality)
    if not upright.clear:
        # Last, so that a face that is turned away or too dark is called that: what hides it hides its turn as well.
        return replace(exam, outcome=Outcome.NOT_UPRIGHT, quality=seen.quality)
    return replace(exam, quality=seen.quality, embedding=seen.embedding, crop=cut_crop(upright.image_bgr, seen.face))


def _take_face(faces: Sequence[Face], width: int, height: int) -> tuple[Face, bool]:
    """Return the face that stands out most, and whether it does so clearly."""

    def weight(face: Face) -> float:
        left, top, right, bottom = face.box_xyxy
        edge = _EDGE * max(width, height)
        is_cut = min(left, top) < edge or right > width - edge or bottom > height - edge
        return face.size_px * (CUT_FACE if is_cut else 1.0)

    first, *others = sorted(faces, key=weight, reverse=True)
    return first, all(weight(other) < SECOND_FACE * weight(first) for other in others)

"""From a photo file to a verdict: read, decode, find the one face, judge it, embed it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..domain import FloatArray, ImageBGR, Observation, Outcome, PhotoVerdict, Quality
from ..i18n import N_
from ..recognition.images import MAX_BYTES, ImageRefusal, Picture, decode_image
from ..recognition.recognizer import Recognizer

PHOTO_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".heic", ".heif"})
"""Files that are taken from a folder; HEIC only to say what to do with it."""

SECOND_FACE: Final = 0.5
"""A further face counts as a second person when its side is at least this share of the largest one's: people
in the far background, and patterns that look like small faces, do not spoil a portrait."""


@dataclass(frozen=True, slots=True, eq=False)
class PhotoExam:
    """What was seen in one photo.

    Attributes:
        photo: The photo as it was named by the caller.
        outcome: ACCEPTED, or why not.
        digest: SHA-256 (hex) of its bytes, empty where it could not be read.
        quality: Measures of its face, where there is exactly one.
        embedding: float32 (D,), unit length; None unless accepted.
    """

    photo: str
    outcome: Outcome
    digest: str = ""
    quality: Quality | None = None
    embedding: FloatArray | None = None
    detail: str = ""
    params: tuple[tuple[str, str], ...] = ()

    def verdict(self) -> PhotoVerdict:
        """The same for people: without the embedding."""
        return PhotoVerdict(self.photo, self.outcome, self.quality, detail=self.detail, params=self.params)


def find_photos(paths: Iterable[str | Path]) -> list[str]:
    """List photo files: a file stands for itself, a folder for the pictures in it, sorted by name."""
    photos: list[str] = []
    for path in map(Path, paths):
        if path.is_dir():
            found = (file for file in path.iterdir() if file.suffix.lower() in PHOTO_SUFFIXES and file.is_file())
            photos += [str(file) for file in sorted(found)]
        else:
            photos.append(str(path))
    return list(dict.fromkeys(photos))


def read_picture(path: str | Path) -> tuple[bytes, Picture | ImageRefusal]:
    """Read and decode a picture file; a file that cannot be read is a refusal like any other."""
    try:
        with Path(path).open("rb") as source:
            # One byte more than is allowed tells that it is too long; a film named .jpg is not read into memory.
            data = source.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return b"", ImageRefusal(Outcome.UNREADABLE, N_("There is no such file."))
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
    return examine_image(recognizer, picture.image_bgr, photo=photo, digest=digest)


def examine_image(recognizer: Recognizer, image_bgr: ImageBGR, *, photo: str, digest: str) -> PhotoExam:
    """Judge one image for enrolment: exactly one face, good enough to be a template."""
    faces = recognizer.find(image_bgr)
    if not faces:
        return PhotoExam(photo, Outcome.NO_FACE, digest)
    if len(faces) > 1 and faces[1].size_px >= SECOND_FACE * faces[0].size_px:
        return PhotoExam(photo, Outcome.SEVERAL_FACES, digest)
    seen: Observation = recognizer.examine(image_bgr, faces[:1])[0]
    if seen.refusal is not None or seen.embedding is None:
        return PhotoExam(photo, seen.refusal or Outcome.UNREADABLE, digest, seen.quality)
    return PhotoExam(photo, Outcome.ACCEPTED, digest, seen.quality, seen.embedding)

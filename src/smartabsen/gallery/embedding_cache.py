"""Faces of photos that were embedded before, by the content of the photo, so that an interrupted evaluation goes on.

Embeddings are biometric data: each lies sealed with the installation's key (see :mod:`..store.sealing`), one line for
each photo, in the home's cache folder. Whose faces they are is not known there, so an erasure deletes all of them.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from ..kernel.domain import FloatArray, ModelIdentity, Quality
from ..kernel.errors import KeyMissingError
from ..kernel.reading import parse_json, read_bytes, read_text, refuse_odd
from ..store.files import PRIVATE_FILE, make_private_directory, storage_errors
from ..trust.sealing import KeyRing, binding

KEPT: Final = timedelta(days=1)
"""So long after an evaluation a purge leaves its faces: who was interrupted goes on within a day."""


@dataclass(frozen=True, slots=True, eq=False)
class PhotoFace:
    """The face of one photo.

    Attributes:
        digest: SHA-256 (hex) of the photo's bytes.
        quality: Its measures; None where no face was found or the photo cannot be read.
        embedding: float32 (D,), unit length; None likewise.
    """

    digest: str
    quality: Quality | None
    embedding: FloatArray | None


class EmbeddingCache:
    """Use it in :meth:`opened`.

    Args:
        home: Directory of all data.
        ring: Seals the faces; None keeps them in memory only.
        model: What makes the embeddings.
        detector: What finds the faces.
    """

    def __init__(self, home: Path, ring: KeyRing | None, model: ModelIdentity, detector: str) -> None:
        self._bound_to = binding("evaluated face", model.engine, model.digest, model.dimension, detector)
        self._path = _folder(home) / f"faces-{hashlib.sha256(self._bound_to).hexdigest()[:16]}.sealed"
        self._ring = ring
        self._dimension = model.dimension
        self._faces: dict[str, PhotoFace] = {}
        self._stream: TextIO | None = None

    @contextmanager
    def opened(self) -> Iterator[EmbeddingCache]:
        """Read what is there, and keep what comes.

        Raises:
            StorageError: The folder cannot be written, or what has the name of the file is none.
        """
        if self._ring is None:
            yield self
            return
        with storage_errors(self._path):
            make_private_directory(self._path.parent)
            refuse_odd(self._path, directory=False)
            ends_whole = self._read(self._ring)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PRIVATE_FILE)
        with os.fdopen(descriptor, "a", encoding="ascii") as self._stream:
            if not ends_whole:
                self._stream.write("\n")
            yield self
        self._stream = None

    def find(self, digest: str) -> PhotoFace | None:
        """Return what is known of a photo, or None."""
        return self._faces.get(digest)

    def put(self, face: PhotoFace) -> None:
        """Remember a photo.

        Raises:
            StorageError: The disk is full.
        """
        self._faces[face.digest] = face
        if self._stream is not None and self._ring is not None:
            sealed = self._ring.seal(_encode(face), self._bound_to)
            with storage_errors(self._path):
                self._stream.write(base64.b64encode(sealed).decode("ascii") + "\n")
                self._stream.flush()

    def _read(self, ring: KeyRing) -> bool:
        """Return whether the file ends with a whole line."""
        if not self._path.is_file():
            return True
        text = read_text(self._path, encoding="ascii", errors="replace")
        for line in text.splitlines():
            try:
                plain = ring.open(base64.b64decode(line, validate=True), self._bound_to)
                face = None if plain is None else _decode(plain, self._dimension)
            except (ValueError, KeyError, TypeError, KeyMissingError):
                # The last line of a process that was killed, or one sealed with a key that was retired.
                continue
            if face is not None:
                self._faces[face.digest] = face
        return text.endswith("\n") or not text


def count_cached_faces(home: Path, *, before: datetime) -> int:
    """Return how many faces of evaluated photos are kept that were last added to before ``before`` (aware).

    Raises:
        StorageError: The folder cannot be read.
    """
    with storage_errors(_folder(home)):
        return sum(read_bytes(path).count(b"\n") for path in _files(home, before))


def delete_cached_faces(home: Path, *, before: datetime | None = None) -> None:
    """Delete the faces of evaluated photos: all, or those that were last added to before ``before`` (aware).

    Raises:
        StorageError: A file cannot be deleted.
    """
    with storage_errors(_folder(home)):
        for path in _files(home, before):
            path.unlink(missing_ok=True)


def _files(home: Path, before: datetime | None) -> list[Path]:
    found = _folder(home).glob("faces-*.sealed")
    return [path for path in found if before is None or path.stat().st_mtime < before.timestamp()]


def _folder(home: Path) -> Path:
    return home / "cache"


def _encode(face: PhotoFace) -> bytes:
    content = {
        "digest": face.digest,
        "quality": None if face.quality is None else dataclasses.asdict(face.quality),
        "embedding": None if face.embedding is None else base64.b64encode(face.embedding.astype("<f4").data).decode(),
    }
    return json.dumps(content).encode()


def _decode(plain: bytes, dimension: int) -> PhotoFace:
    content = parse_json(plain)
    quality, stored = content["quality"], content["embedding"]
    embedding = None
    if stored is not None:
        embedding = np.frombuffer(base64.b64decode(stored, validate=True), dtype="<f4").astype(np.float32)
        if embedding.shape != (dimension,) or not abs(float(np.linalg.norm(embedding)) - 1.0) <= 1e-3:
            raise ValueError("no embedding of this model")
    return PhotoFace(content["digest"], None if quality is None else Quality(**quality), embedding)

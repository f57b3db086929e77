"""Faces of photos that were embedded before, by the content of the photo: kept only where the user wants it.

Embeddings are biometric data. Without a directory they live as long as the process; with one they lie there in a file
that only its owner can read, one line for each photo, so that an interrupted run loses nothing.
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
from pathlib import Path
from typing import TextIO

import numpy as np

from ..domain import FloatArray, ModelIdentity, Quality
from ..errors import StorageError
from ..i18n import N_
from ..store.files import PRIVATE_FILE, make_private_directory


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
        directory: Where it is kept; None keeps it in memory only.
        model: What makes the embeddings.
        detector: What finds the faces.
    """

    def __init__(self, directory: Path | None, model: ModelIdentity, detector: str) -> None:
        key = hashlib.sha256(f"{model.engine} {model.digest} {detector}".encode()).hexdigest()[:16]
        self.path = None if directory is None else directory / f"faces-{key}.jsonl"
        self._dimension = model.dimension
        self._faces: dict[str, PhotoFace] = {}
        self._stream: TextIO | None = None

    @contextmanager
    def opened(self) -> Iterator[EmbeddingCache]:
        """Read what is there, and keep what comes.

        Raises:
            StorageError: The directory cannot be written.
        """
        if self.path is None:
            yield self
            return
        try:
            make_private_directory(self.path.parent)
            self._read(self.path)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PRIVATE_FILE)
        except OSError as exc:
            raise _cannot_write(self.path, exc) from exc
        with os.fdopen(descriptor, "a", encoding="utf-8") as self._stream:
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
        if self._stream is not None and self.path is not None:
            try:
                self._stream.write(_encode(face) + "\n")
                self._stream.flush()
            except OSError as exc:
                raise _cannot_write(self.path, exc) from exc

    def _read(self, path: Path) -> None:
        if not path.is_file():
            return
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                face = _decode(line, self._dimension)
            except (ValueError, KeyError, TypeError):
                # The last line of a process that was killed; the photo is embedded again.
                continue
            self._faces[face.digest] = face


def _encode(face: PhotoFace) -> str:
    content = {
        "digest": face.digest,
        "quality": None if face.quality is None else dataclasses.asdict(face.quality),
        "embedding": None if face.embedding is None else base64.b64encode(face.embedding.astype("<f4").data).decode(),
    }
    return json.dumps(content)


def _decode(line: str, dimension: int) -> PhotoFace:
    content = json.loads(line)
    quality, stored = content["quality"], content["embedding"]
    embedding = None
    if stored is not None:
        embedding = np.frombuffer(base64.b64decode(stored, validate=True), dtype="<f4").astype(np.float32)
        if embedding.shape != (dimension,) or not abs(float(np.linalg.norm(embedding)) - 1.0) <= 1e-3:
            raise ValueError("no embedding of this model")
    return PhotoFace(content["digest"], None if quality is None else Quality(**quality), embedding)


def _cannot_write(path: Path, exc: OSError) -> StorageError:
    return StorageError(N_("{path} cannot be read or written: {problem}"), path=path, problem=exc.strerror or exc)

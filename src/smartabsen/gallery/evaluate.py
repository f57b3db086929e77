"""How well this installation recognises people, measured: on a folder of photos, on pairs, or on the enrolled gallery.

Nothing is stored but the faces of a folder's photos, sealed, so that an interrupted evaluation goes on. Terms are those
of ISO/IEC 19795-1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..app.bootstrap import Services
from ..kernel.domain import Face, FloatArray, ImageBGR, Rate
from ..kernel.errors import InvalidInputError, KeyMissingError, NotFoundError
from ..kernel.i18n import N_
from ..kernel.reading import refuse_odd
from ..people import employee_rows
from ..recognition.curves import judge_pairs
from ..recognition.images import ImageRefusal
from ..recognition.quality import QualityLimits, judge
from ..recognition.recognizer import Recognizer
from ..recognition.scores import compare_gallery
from ..recognition.upright import find_upright
from ..store.files import write_atomically
from ..store.photo_files import find_photos
from ..trust.audit import note
from ..trust.sealing import KeyRing
from .embedding_cache import EmbeddingCache, PhotoFace
from .evaluation_page import make_page
from .evaluation_report import ComparedPair, EvaluationReport, Sample, ScoredPair
from .pairs_file import read_pairs
from .photos import read_picture
from .stored_gallery import read_gallery

Progress = Callable[[int, int], None]
"""Called with what is done and the total."""

ANY_QUALITY = QualityLimits(min_face_px=0.0, min_brightness=0.0, max_brightness=255.0, min_sharpness=0.0, max_yaw=1.0)
"""Every face that is found is compared: how many would have been refused is told beside it."""


class Evaluation:
    """Measures.

    Args:
        services: The installation.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def write_page(self, report: EvaluationReport, path: str | Path, *, with_photos: bool = False) -> None:
        """Write a report as one HTML file.

        Args:
            with_photos: Put the photos of the worst pairs into it; without, only their names.

        Raises:
            StorageError: It cannot be written.
        """
        write_atomically(Path(path), make_page(report, with_photos=with_photos).encode())

    def of_gallery(self) -> EvaluationReport:
        """Measure the enrolled gallery: each template against the others.

        Raises:
            NotFoundError: Nobody is enrolled.
        """
        engine = self._services.engine
        with self._services.database.read() as session:
            gallery = read_gallery(self._services, session, engine.identity)
            names = {person.id: f"{person.name} ({person.code})" for person in employee_rows.find_all(session)}
        if not len(gallery.employee_ids):
            raise NotFoundError(
                N_("Nobody is enrolled yet: there is nothing to measure."),
                hint=N_("Measure a folder with one sub-folder for each person: smartabsen evaluate FOLDER"),
            )
        details = {"templates": str(len(gallery.employee_ids)), "model": str(engine.identity)}
        note(self._services, "biometric.compare", details=details)
        limits = self._services.limits()
        samples = tuple(
            Sample(names[owner], source)
            for owner, source in zip(gallery.employee_ids.tolist(), gallery.sources, strict=True)
        )
        return EvaluationReport(
            source="",
            model=engine.identity,
            detector=engine.detector.name,
            threshold=limits.threshold,
            margin=limits.margin,
            people=len(set(gallery.employee_ids.tolist())),
            photos=len(samples),
            fte=None,
            fta=None,
            not_found=(),
            samples=samples,
            scores=compare_gallery(gallery.embeddings, gallery.employee_ids, balance=engine.balance),
            pairs=None,
        )

    def of_folder(
        self,
        folder: str | Path,
        *,
        pairs: str | Path | None = None,
        cache: bool = True,
        on_progress: Progress | None = None,
    ) -> EvaluationReport:
        """Measure a folder with one sub-folder for each person.

        Args:
            folder: The folder.
            pairs: A file of pairs in LFW's format; then only those are compared.
            cache: Keep the embeddings, sealed, in the home: the next run is quick, and an interrupted one goes on.
                Where the key of the installation is missing, nothing is kept.

        Raises:
            NotFoundError: Folder or file is missing, or the file names a photo that is not there.
            InvalidInputError: The folder has no sub-folder with photos; the file is no list of pairs.
            StorageError: The cache cannot be written.
        """
        root = Path(folder)
        refuse_odd(root)
        if not root.is_dir():
            raise NotFoundError(N_("There is no folder {folder}."), folder=root)
        listed = None if pairs is None else read_pairs(Path(pairs), root)
        if listed is not None:
            photos = list(dict.fromkeys(path for pair in listed for path in (pair.first, pair.second)))
        else:
            folders = sorted(path for path in root.iterdir() if path.is_dir())
            photos = [Path(photo) for person in folders for photo in find_photos([person])]
        if not photos:
            raise InvalidInputError(
                N_("{folder} has no sub-folder with photos."),
                hint=N_("Put the photos of each person into a folder of their own, named after the person."),
                folder=root,
            )
        faces = self._embed(photos, cache=cache, on_progress=on_progress)
        found = [number for number, face in enumerate(faces) if face.embedding is not None]
        samples = tuple(_sample(photos[number]) for number in found)
        limits = self._services.limits()
        judged = scores = None
        compared: tuple[ComparedPair, ...] = ()
        if listed is not None:
            by_path = dict(zip(photos, faces, strict=True))
            similarities = [_cosine(by_path[pair.first], by_path[pair.second]) for pair in listed]
            judged = judge_pairs(
                np.array(similarities),
                np.array([pair.same for pair in listed]),
                np.array([pair.fold for pair in listed]),
                fallback=limits.threshold,
            )
            compared = tuple(
                ComparedPair(ScoredPair(_sample(pair.first), _sample(pair.second), similarity), pair.same)
                for pair, similarity in zip(listed, similarities, strict=True)
                if np.isfinite(similarity)
            )
        else:
            names = sorted({sample.person for sample in samples})
            labels = np.array([names.index(sample.person) for sample in samples], dtype=np.int64)
            embeddings = _stack([faces[number] for number in found])
            scores = compare_gallery(embeddings, labels, balance=self._services.engine.balance)
        engine = self._services.engine
        return EvaluationReport(
            source=str(root),
            model=engine.identity,
            detector=engine.detector.name,
            threshold=limits.threshold,
            margin=limits.margin,
            people=len({sample.person for sample in samples}),
            photos=len(photos),
            fte=_count_refused(faces, self._services.enrolment.limits),
            fta=_count_refused(faces, self._services.identification.limits),
            not_found=tuple(str(photo) for photo, face in zip(photos, faces, strict=True) if face.embedding is None),
            samples=samples,
            scores=scores,
            pairs=judged,
            compared=compared,
        )

    def _embed(self, photos: Sequence[Path], *, cache: bool, on_progress: Progress | None) -> list[PhotoFace]:
        engine, home = self._services.engine, self._services.settings.home
        ring = self._find_ring() if cache else None
        recognizer = Recognizer(engine.detector, engine.embedder, limits=ANY_QUALITY)
        faces = []
        with EmbeddingCache(home, ring, engine.identity, engine.detector.name).opened() as known:
            for done, photo in enumerate(photos, start=1):
                data, picture = read_picture(photo)
                digest = hashlib.sha256(data).hexdigest()
                face = known.find(digest)
                if face is None:
                    face = PhotoFace(digest, None, None)
                    if not isinstance(picture, ImageRefusal):
                        face = _examine(recognizer, picture.image_bgr, digest)
                    known.put(face)
                faces.append(face)
                if on_progress is not None:
                    on_progress(done, len(photos))
        return faces

    def _find_ring(self) -> KeyRing | None:
        try:
            self._services.ensure_key()
            return self._services.key_chain.ring()
        except KeyMissingError:
            return None


def _examine(recognizer: Recognizer, image_bgr: ImageBGR, digest: str) -> PhotoFace:
    """Take the face that the photo is of: large and near the middle."""
    upright = find_upright(recognizer, image_bgr)
    image_bgr, faces = upright.image_bgr, upright.faces
    height, width = image_bgr.shape[:2]

    def stands_out(face: Face) -> float:
        left, top, right, bottom = face.box_xyxy
        return face.size_px - float(np.hypot((left + right - width) / 2, (top + bottom - height) / 2))

    if not faces:
        return PhotoFace(digest, None, None)
    seen = recognizer.examine(image_bgr, [max(faces, key=stands_out)])[0]
    return PhotoFace(digest, seen.quality, seen.embedding)


def _sample(photo: Path) -> Sample:
    return Sample(photo.parent.name, str(photo))


def _count_refused(faces: Sequence[PhotoFace], limits: QualityLimits) -> Rate:
    refused = sum(face.quality is None or judge(face.quality, limits) is not None for face in faces)
    return Rate(refused, len(faces))


def _cosine(first: PhotoFace, second: PhotoFace) -> float:
    if first.embedding is None or second.embedding is None:
        return float("nan")
    return float(first.embedding.astype(np.float64) @ second.embedding.astype(np.float64))


def _stack(faces: Sequence[PhotoFace]) -> FloatArray:
    embeddings = [face.embedding for face in faces if face.embedding is not None]
    return np.stack(embeddings) if embeddings else np.empty((0, 1), dtype=np.float32)

"""Engines: a detector, an alignment and an embedder that belong together. PROVISIONAL"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ..domain import LicenceClass, ModelIdentity
from ..errors import SmartAbsenError, UnknownBackendError
from ..i18n import N_
from .detectors import DETECTORS
from .detectors.base import Detector
from .embedders import EMBEDDERS
from .embedders.base import Embedder
from .runtime import digest_files, find_dlib_file, require_file


@dataclass(frozen=True, slots=True)
class EngineSpec:
    name: str
    default_detector: str
    licence_class: LicenceClass
    notice: str
    threshold: float
    margin: float
    duplicate_threshold: float


ENGINES: Final = {
    "dlib": EngineSpec("dlib", "hog", LicenceClass.FREE, "", 0.945, 0.01, 0.96),
    "insightface": EngineSpec(
        "insightface", "scrfd", LicenceClass.NON_COMMERCIAL, N_("InsightFace packs are non-commercial."), 0.35, 0.05, 0.4
    ),
    "openvino": EngineSpec("openvino", "retail", LicenceClass.FREE, "", 0.5, 0.05, 0.6),
    "fake": EngineSpec("fake", "fake", LicenceClass.FREE, "", 0.8, 0.05, 0.9),
}


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    name: str
    detector: Detector
    embedder: Embedder
    identity: ModelIdentity
    threshold: float
    margin: float
    duplicate_threshold: float
    licence_class: LicenceClass
    notice: str

    def close(self) -> None:
        self.detector.close()
        self.embedder.close()


def check_installed(name: str, *, models_dir: Path, pack: str = "auto") -> SmartAbsenError | None:
    try:
        _embedder_files(name, models_dir, pack)
    except SmartAbsenError as exc:
        return exc
    return None


def _embedder_files(name, models_dir, pack):
    if name == "dlib":
        return [find_dlib_file("dlib_face_recognition_resnet_model_v1.dat")]
    if name == "openvino":
        return [require_file(models_dir / "openvino/face-reidentification-retail-0095.xml", pull="openvino")]
    if name == "insightface":
        return [require_file(models_dir / "insightface/buffalo_sc/w600k_mbf.onnx", pull="buffalo_l")]
    return []


def _detector_files(name, models_dir, pack):
    import cv2

    five = "shape_predictor_5_face_landmarks.dat"
    if name == "hog":
        return [find_dlib_file(five)]
    if name == "haar":
        return [Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml", find_dlib_file(five)]
    if name == "scrfd":
        return [models_dir / "insightface/buffalo_sc/det_500m.onnx"]
    if name == "yunet":
        return [models_dir / "yunet/face_detection_yunet_2023mar.onnx"]
    if name == "retail":
        return [models_dir / "openvino" / n for n in ("face-detection-retail-0004.xml", "landmarks-regression-retail-0009.xml")]
    return []


def build_detector(name, *, models_dir, pack="auto", max_side_px=None, threads=0):
    return DETECTORS.get_factory(name)(*_detector_files(name, models_dir, pack), max_side_px=max_side_px, threads=threads)


def build_engine(name, *, models_dir, pack="auto", detector="auto", max_side_px=None, threads=0) -> Engine:
    spec = ENGINES[name]
    d = spec.default_detector if detector == "auto" else detector
    det = DETECTORS.get_factory(d)(*_detector_files(d, models_dir, pack), max_side_px=max_side_px, threads=threads)
    e = {"dlib": "dlib_resnet", "insightface": "arcface", "openvino": "retail_reid", "fake": "fake"}[name]
    emb = EMBEDDERS.get_factory(e)(*_embedder_files(name, models_dir, pack), threads=threads)
    ident = ModelIdentity(name, emb.digest, emb.dimension)
    return Engine(name, det, emb, ident, spec.threshold, spec.margin, spec.duplicate_threshold, spec.licence_class, spec.notice)

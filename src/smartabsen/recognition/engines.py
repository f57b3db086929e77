"""Engines: a detector, an alignment and an embedder that belong together, with the measured threshold of the pair.

Nothing here loads a model, or a library that does, until :func:`build_engine` is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from ..kernel.domain import LicenceClass, ModelIdentity
from ..kernel.errors import MissingDependencyError, ModelMissingError, SmartAbsenError, UnknownBackendError
from ..kernel.i18n import N_
from ..kernel.registry import TEST_BACKEND
from .engine_specs import ENGINES as ENGINES, NON_COMMERCIAL_NOTICE as NON_COMMERCIAL_NOTICE, EngineSpec as EngineSpec
from .packs import BEST_FIRST, find_installed, iterate_installed
from .runtime import digest_files, digest_identity, find_dlib_file, limit_threads, require_file, require_package

if TYPE_CHECKING:
    from .balance import Balance
    from .detectors.base import Detector
    from .embedders.base import Embedder
    from .execution import Execution

ONNX_BACKENDS: Final = ("scrfd", "arcface", "sface", "sface_retail")
"""Detectors and embedders that can choose what they run on."""


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """A loaded engine. Use it in a ``with`` block, or close it.

    Attributes:
        name: As in :data:`ENGINES`.
        detector, embedder: Its parts; each is used by one thread at a time.
        identity: What its embeddings are stored with. It depends on the embedder and its alignment, not on the
            detector: another one in front finds the same faces for the same gallery.
        threshold, margin, duplicate_threshold, copy_threshold, probe_sharpness, balance: The measured ones; see
            :class:`EngineSpec`.
        licence_class: The stricter one of detector and embedder.
        notice: What a user must be told of the licence; empty where there is nothing.
    """

    name: str
    detector: Detector
    embedder: Embedder
    identity: ModelIdentity
    threshold: float
    margin: float
    duplicate_threshold: float
    copy_threshold: float
    probe_sharpness: float
    balance: Balance
    licence_class: LicenceClass
    notice: str

    def close(self) -> None:
        """Release both models. Closing twice is harmless."""
        self.detector.close()
        self.embedder.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def build_engine(
    name: str,
    *,
    models_dir: Path,
    pack: str = "auto",
    detector: str = "auto",
    max_side_px: int | None = None,
    threads: int = 0,
    execution: Execution | None = None,
) -> Engine:
    """Load an engine.

    Args:
        name: One of :data:`ENGINES`.
        models_dir: The models directory.
        pack: InsightFace pack; see :func:`.packs.find_installed`.
        detector: ``auto`` for the engine's own, or the name of any detector.
        max_side_px: Longer side of the image that detection works on; None for the detector's own choice.
        threads: Of each model, and of OpenCV and linear algebra in the whole process; 0 for a sensible number.
        execution: What ONNX models run on; by itself ONNX Runtime and the best device it has.

    Raises:
        UnknownBackendError: There is no such engine, detector, runtime or device.
        MissingDependencyError: A library is not installed.
        ModelMissingError: A file is not installed.
        ModelDamagedError: A file cannot be read as what it should be.
    """
    from .embedders import EMBEDDERS

    spec = get_spec(name)
    detector_name = spec.detector if detector == "auto" else detector
    make_embedder = EMBEDDERS.get_factory(spec.embedder)
    limit_threads(threads)
    with ExitStack() as undo:
        embedder = make_embedder(
            *_embedder_files(spec, models_dir, pack), threads=threads, **_execution(spec.embedder, execution)
        )
        undo.callback(embedder.close)
        found = build_detector(
            detector_name,
            models_dir=models_dir,
            pack=pack,
            max_side_px=max_side_px,
            threads=threads,
            execution=execution,
        )
        undo.pop_all()
    restricted = LicenceClass.NON_COMMERCIAL in (spec.licence_class, _detector_licence(detector_name))
    return Engine(
        name=name,
        detector=found,
        embedder=embedder,
        identity=ModelIdentity(name, digest_identity(embedder.digest, embedder.template.name), embedder.dimension),
        threshold=spec.threshold,
        margin=spec.margin,
        duplicate_threshold=spec.duplicate_threshold,
        copy_threshold=spec.copy_threshold,
        probe_sharpness=spec.probe_sharpness,
        balance=spec.balance,
        licence_class=LicenceClass.NON_COMMERCIAL if restricted else spec.licence_class,
        notice=NON_COMMERCIAL_NOTICE if restricted else spec.notice,
    )


def build_detector(
    name: str,
    *,
    models_dir: Path,
    pack: str = "auto",
    max_side_px: int | None = None,
    threads: int = 0,
    min_face_px: int = 0,
    execution: Execution | None = None,
) -> Detector:
    """Load a detector alone, as :func:`build_engine`; faces below ``min_face_px`` need not be found: faster."""
    from .detectors import DETECTORS

    options = _execution(name, execution) | ({"min_face_px": min_face_px} if name == "scrfd" else {})
    make = DETECTORS.get_factory(name)
    return make(*_detector_files(name, models_dir, pack), max_side_px=max_side_px, threads=threads, **options)


def get_spec(name: str) -> EngineSpec:
    """Return what is known of an engine.

    Raises:
        UnknownBackendError: There is no such engine.
    """
    if name not in ENGINES:
        raise UnknownBackendError(
            N_("There is no {kind} named “{name}”. Known: {known}."),
            hint=N_("“smartabsen config show” says where each setting comes from."),
            kind=N_("engine"),
            name=name,
            known=", ".join(known for known in ENGINES if known != TEST_BACKEND),
        )
    return ENGINES[name]


def find_obstacle(name: str, *, models_dir: Path, pack: str = "auto", detector: str = "auto") -> SmartAbsenError | None:
    """Return why an engine cannot be loaded, or None; no model and no library is loaded to find out.

    Returns:
        The error that :func:`build_engine` would raise: message, hint and values for both.
    """
    try:
        spec = get_spec(name)
        for module in spec.libraries:
            if find_spec(module) is None:
                raise MissingDependencyError(
                    N_("The {kind} “{name}” needs the Python package {module}, which is not installed."),
                    hint=N_("Install it: pip install '{install}'"),
                    kind=N_("engine"),
                    name=name,
                    module=module,
                    install=spec.install,
                )
        _embedder_files(spec, models_dir, pack)
        _detector_files(spec.detector if detector == "auto" else detector, models_dir, pack)
    except SmartAbsenError as error:
        return error
    return None


def find_pack_of(identity: ModelIdentity, models_dir: Path) -> str | None:
    """Return the name of the installed InsightFace pack that made embeddings of this identity, or None.

    A gallery stays with its pack when a better one is installed later and ``pack`` is ``auto``.
    """
    for pack in iterate_installed(models_dir):
        # The name of alignment.ARCFACE_112, without importing what alignment needs.
        if digest_identity(digest_files([pack.embedder]), "arcface_112") == identity.digest:
            return pack.name
    return None


def find_haar_cascade() -> Path:
    """Return the path of the Haar cascade that OpenCV brings, without loading OpenCV.

    Raises:
        MissingDependencyError: OpenCV is not installed.
        ModelMissingError: It is one without cascades.
    """
    spec = find_spec("cv2")
    if spec is None or spec.origin is None:
        raise MissingDependencyError(
            N_("The Python package {module} is not installed."),
            hint=N_("Install it: pip install '{install}'"),
            module="cv2",
            install="opencv-python<5",
        )
    cascade = Path(spec.origin).parent / "data" / "haarcascade_frontalface_default.xml"
    if not cascade.is_file():
        raise ModelMissingError(
            N_("The model file {path} is not installed."),
            hint=N_("OpenCV 5 no longer has it. Install an older one: pip install '{package}'"),
            path=cascade,
            package="opencv-python<5",
        )
    return cascade


def _execution(backend: str, execution: Execution | None) -> dict[str, Any]:
    """Return the argument that only backends of ONNX models take."""
    return {"execution": execution} if backend in ONNX_BACKENDS and execution is not None else {}


def _embedder_files(spec: EngineSpec, models_dir: Path, pack: str) -> tuple[Path, ...]:
    if spec.embedder == "dlib_resnet":
        return (find_dlib_file("dlib_face_recognition_resnet_model_v1.dat"),)
    if spec.embedder == "arcface":
        return (find_installed(models_dir, pack).embedder,)
    if spec.embedder == "sface":
        return (_sface_file(models_dir),)
    if spec.embedder == "retail_reid":
        return (_openvino_file(models_dir, "face-reidentification-retail-0095"),)
    if spec.embedder == "sface_retail":
        return (_sface_file(models_dir), _openvino_file(models_dir, "face-reidentification-retail-0095"))
    return ()


def _detector_files(name: str, models_dir: Path, pack: str) -> tuple[Path, ...]:
    """Return the files of a detector; none for those of other packages, which bring their own."""
    find = _DETECTOR_FILES.get(name)
    return find(models_dir, pack) if find else ()


def _haar_files(models_dir: Path, pack: str) -> tuple[Path, ...]:
    return (find_haar_cascade(), _landmarks_file(models_dir, pack))


def _landmarks_file(models_dir: Path, pack: str) -> Path:
    """Return the file that places landmarks in the boxes of Haar's cascade.

    In that order: with SFace, of 413 pairs of photos of one person (600 of LFW), those accepted at an FMR of 1e-4 were
    98.8 % with the retail network, and 97.6 % each with YuNet and with dlib's predictor.

    Raises:
        ModelMissingError: No engine that brings one is installed.
    """
    missing = None
    for find in (_retail_landmarks, _yunet_files, _hog_files):
        try:
            return find(models_dir, pack)[-1]
        except MissingDependencyError:
            continue
        except ModelMissingError as exc:
            # The last one that can be fetched: YuNet's, from the package index.
            missing = exc
    assert missing is not None
    raise missing


def _retail_landmarks(models_dir: Path, pack: str) -> tuple[Path, ...]:
    require_package("openvino", install="smartabsen[openvino]")
    return _retail_files(models_dir, pack)


def _hog_files(_models_dir: Path, _pack: str) -> tuple[Path, ...]:
    return (find_dlib_file("shape_predictor_5_face_landmarks.dat"),)


def _scrfd_files(models_dir: Path, pack: str) -> tuple[Path, ...]:
    own = find_installed(models_dir, pack).detector
    if own is not None:
        return (own,)
    for other in iterate_installed(models_dir):
        if other.detector is not None:
            return (other.detector,)
    raise ModelMissingError(
        N_("No installed InsightFace pack has a face detector."),
        hint=N_("Get one: smartabsen models pull {pack}"),
        pack=BEST_FIRST[-1],
    )


def _yunet_files(models_dir: Path, _pack: str) -> tuple[Path, ...]:
    plain = models_dir / "yunet" / "face_detection_yunet_2023mar.onnx"
    if plain.is_file():
        return (plain,)
    # The same network with its weights in blocks of integers; it comes with SFace.
    return (require_file(models_dir / "sface" / "face_detection_yunet_2023mar_int8bq.onnx", pull="sface"),)


def _sface_file(models_dir: Path) -> Path:
    return require_file(models_dir / "sface" / "face_recognition_sface_2021dec_int8bq.onnx", pull="sface")


def _retail_files(models_dir: Path, _pack: str) -> tuple[Path, ...]:
    return (
        _openvino_file(models_dir, "face-detection-retail-0004"),
        _openvino_file(models_dir, "landmarks-regression-retail-0009"),
    )


def _openvino_file(models_dir: Path, name: str) -> Path:
    folder = models_dir / "openvino"
    require_file(folder / f"{name}.bin", pull="openvino")
    return require_file(folder / f"{name}.xml", pull="openvino")


def _detector_licence(name: str) -> LicenceClass:
    return LicenceClass.NON_COMMERCIAL if name == "scrfd" else LicenceClass.FREE


_DETECTOR_FILES: Final[Mapping[str, Callable[[Path, str], tuple[Path, ...]]]] = {
    "haar": _haar_files,
    "hog": _hog_files,
    "scrfd": _scrfd_files,
    "yunet": _yunet_files,
    "retail": _retail_files,
}

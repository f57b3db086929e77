"""The model packs that can be fetched: where they come from, what their licence allows, their digests as published.

Only data. Where the digests are from: those of InsightFace's archives are published with the release "model-zoo" of its
repository; those of the files in them are pinned alike by many projects (LocalAI, uniface, PuLID for nunchaku). Those of
the Open Model Zoo and of YuNet were taken from files whose published digests agree: the SHA-384 of Intel's storage for
2023.0, and the Git LFS pointer in opencv_zoo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..domain import LicenceClass
from ..i18n import N_


@dataclass(frozen=True, slots=True)
class PackFile:
    """One file of a pack.

    Attributes:
        path: Where it goes, below the models directory.
        sha256: Its digest (hex).
        size_bytes: Its size.
        url: Where it lies by itself; empty where it comes in an archive.
    """

    path: str
    sha256: str
    size_bytes: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip archive with the files of a pack, at its top or in a folder."""

    url: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class KnownPack:
    """A pack that ``smartabsen models pull NAME`` fetches.

    Attributes:
        name: Its name.
        engine: The engine it serves, empty where several.
        purpose: What its models do, in English; a message id.
        licence: Name of the licence of the weights.
        licence_class: What it allows.
        homepage: Where it is described.
        files: What is installed of it.
        archive: Where they come from together; None where each lies by itself.
    """

    name: str
    engine: str
    purpose: str
    licence: str
    licence_class: LicenceClass
    homepage: str
    files: tuple[PackFile, ...]
    archive: Archive | None = None


_DETECTOR_10G: Final = ("5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91", 16_923_827)
_DETECTOR_500M: Final = ("5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a", 2_524_817)
_W600K_R50: Final = ("4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43", 174_383_860)
_W600K_MBF: Final = ("9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f", 13_616_099)
_GLINTR100: Final = ("4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf", 260_665_334)


def _insightface(name: str, sha256: str, size_bytes: int, **files: tuple[str, int]) -> KnownPack:
    """Of a pack's archive only detector and embedder are installed; the rest (landmarks, age, sex) is not used."""
    url = f"https://github.com/deepinsight/insightface/releases/download/v0.7/{name}.zip"
    return KnownPack(
        name=name,
        engine="insightface",
        purpose=N_("face detection with landmarks, and embedding"),
        licence="InsightFace model licence",
        licence_class=LicenceClass.NON_COMMERCIAL,
        homepage="https://github.com/deepinsight/insightface/tree/master/model_zoo",
        files=tuple(PackFile(f"insightface/{name}/{file}.onnx", *known) for file, known in files.items()),
        archive=Archive(url, sha256, size_bytes),
    )


def _retail(name: str, suffix: str, sha256: str, size_bytes: int) -> PackFile:
    base = "https://storage.openvinotoolkit.org/repositories/open_model_zoo/2023.0/models_bin/1"
    return PackFile(f"openvino/{name}.{suffix}", sha256, size_bytes, f"{base}/{name}/FP16/{name}.{suffix}")


PACKS: Final = (
    _insightface(
        "buffalo_l",
        "80ffe37d8a5940d59a7384c201a2a38d4741f2f3c51eef46ebb28218a7b0ca2f",
        288_621_354,
        det_10g=_DETECTOR_10G,
        w600k_r50=_W600K_R50,
    ),
    _insightface(
        "antelopev2",
        "8e182f14fc6e80b3bfa375b33eb6cff7ee05d8ef7633e738d1c89021dcf0c5c5",
        360_662_982,
        scrfd_10g_bnkps=_DETECTOR_10G,
        glintr100=_GLINTR100,
    ),
    _insightface(
        "buffalo_s",
        "d85a87f503f691807cd8bb97128bdf7a0660326cd9cd02657127fa978bab8b5e",
        127_607_557,
        det_500m=_DETECTOR_500M,
        w600k_mbf=_W600K_MBF,
    ),
    _insightface(
        "buffalo_sc",
        "57d31b56b6ffa911c8a73cfc1707c73cab76efe7f13b675a05223bf42de47c72",
        14_969_382,
        det_500m=_DETECTOR_500M,
        w600k_mbf=_W600K_MBF,
    ),
    KnownPack(
        name="openvino",
        engine="openvino",
        purpose=N_("face detection with landmarks, and embedding"),
        licence="Apache-2.0",
        licence_class=LicenceClass.FREE,
        homepage="https://github.com/openvinotoolkit/open_model_zoo/tree/master/models/intel",
        files=(
            _retail(
                "face-detection-retail-0004",
                "xml",
                "8675f0b00d91a4b5048d0e9caf492d7b48e80c9150db23429bb92c0428b97447",
                143_827,
            ),
            _retail(
                "face-detection-retail-0004",
                "bin",
                "d0a8ca818c657b454ce6118715c49027b1b70d9d85a83a9a4a6606d773b02dfe",
                1_176_544,
            ),
            _retail(
                "landmarks-regression-retail-0009",
                "xml",
                "1d7e43d3060e8f0328932ae9eeced07ff216eac80f10fd07b58c52fbaf69af58",
                66_508,
            ),
            _retail(
                "landmarks-regression-retail-0009",
                "bin",
                "a7285eec8cb20a50c0ed567c426db6c7b8753c51b47f798f8ef5d8e0fa12d3c5",
                381_232,
            ),
            _retail(
                "face-reidentification-retail-0095",
                "xml",
                "ce53d2c9c08c0bd1c1660fb8a5b6d0e3e4ec19eb92f1036d2d83a85e83082dce",
                350_427,
            ),
            _retail(
                "face-reidentification-retail-0095",
                "bin",
                "241229ca3d206321868d46ce74a3c0b06c49cea58db7dc70b2e842ff287545d1",
                2_213_628,
            ),
        ),
    ),
    KnownPack(
        name="yunet",
        engine="",
        purpose=N_("face detection with landmarks"),
        licence="MIT",
        licence_class=LicenceClass.FREE,
        homepage="https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet",
        files=(
            PackFile(
                "yunet/face_detection_yunet_2023mar.onnx",
                "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
                232_589,
                # This host serves what the repository keeps in Git LFS.
                "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/face_detection_yunet/"
                "face_detection_yunet_2023mar.onnx",
            ),
        ),
    ),
)
"""InsightFace's packs from the best on, then those that are free for business use."""

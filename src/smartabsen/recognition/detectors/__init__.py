"""The detectors and their registry.

A factory takes the paths of its files in the order in which :mod:`smartabsen.recognition.engines` gives them
(none for detectors of other packages, which bring their own), and ``max_side_px``, ``score_threshold`` and ``threads``.
"""

from typing import Final

from ...kernel.i18n import N_
from ...kernel.registry import Registration, Registry
from .base import Detector

DETECTORS: Final[Registry[Detector]] = Registry(
    N_("detector"),
    {
        "haar": Registration(f"{__name__}.haar:HaarDetector"),
        "hog": Registration(f"{__name__}.hog:HogDetector", install="smartabsen[dlib]"),
        "scrfd": Registration(f"{__name__}.scrfd:ScrfdDetector"),
        "yunet": Registration(f"{__name__}.yunet:YunetDetector"),
        "retail": Registration(f"{__name__}.retail:RetailDetector", install="smartabsen[openvino]"),
        "fake": Registration(f"{__name__}.fake:FakeDetector"),
    },
)

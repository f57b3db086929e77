"""The embedders and their registry.

A factory takes the paths of its files (none for embedders of other packages, which bring their own) and ``threads``.
"""

from typing import Final

from ...kernel.i18n import N_
from ...kernel.registry import Registration, Registry
from .base import Embedder

EMBEDDERS: Final[Registry[Embedder]] = Registry(
    N_("embedder"),
    {
        "dlib_resnet": Registration(f"{__name__}.dlib_resnet:DlibResnetEmbedder", install="smartabsen[dlib]"),
        "arcface": Registration(f"{__name__}.arcface:ArcfaceEmbedder"),
        "sface": Registration(f"{__name__}.sface:SfaceEmbedder"),
        "sface_retail": Registration(f"{__name__}.sface_retail:SfaceRetailEmbedder", install="smartabsen[openvino]"),
        "retail_reid": Registration(f"{__name__}.retail_reid:RetailReidEmbedder", install="smartabsen[openvino]"),
        "fake": Registration(f"{__name__}.fake:FakeEmbedder"),
    },
)

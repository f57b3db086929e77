"""Whether a face is a person: backends that judge single pictures (passive), and movements on request (active).

A factory of the registry takes the paths of its files in the order in which :mod:`.files` gives them (none for backends
of other packages, which bring their own) and ``threads``.
"""

from typing import Final

from ...kernel.i18n import N_
from ...kernel.registry import Registration, Registry
from .base import PassiveLiveness

LIVENESS: Final[Registry[PassiveLiveness]] = Registry(
    N_("liveness backend"),
    {
        "minifasnet": Registration(f"{__name__}.minifasnet:MinifasnetLiveness"),
        "insightface": Registration(f"{__name__}.insightface:InsightfaceLiveness"),
        "none": Registration(f"{__name__}.none:NoLiveness"),
        "fake": Registration(f"{__name__}.fake:FakeLiveness"),
    },
)

"""No model at all. It never calls anybody live: where a passive check is demanded, it stands for the missing one."""

from __future__ import annotations

from typing import ClassVar

from ...kernel.domain import Face, ImageBGR
from ..runtime import check_image
from .base import PassiveScore


class NoLiveness:
    """See the module."""

    name: ClassVar[str] = "none"
    digest: ClassVar[str] = ""
    threshold: ClassVar[float] = 1.0
    unsure_from: ClassVar[float] = 1.0
    sure_from: ClassVar[float] = 1.0

    def __init__(self, *, threads: int = 0) -> None:
        """Take the argument that every backend takes."""

    def score(self, image_bgr: ImageBGR, face: Face) -> PassiveScore:  # noqa: ARG002 - it looks at no face
        """Judge nothing; see :class:`.base.PassiveLiveness`."""
        check_image(image_bgr)
        return PassiveScore(None)

    def close(self) -> None:
        """Release nothing."""

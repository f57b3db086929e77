"""The matchers and their registry."""

from __future__ import annotations

from typing import Final

from ...kernel.i18n import N_
from ...kernel.registry import Registration, Registry
from .base import Matcher

MATCHERS: Final[Registry[Matcher]] = Registry(
    N_("matcher"),
    {
        "auto": Registration(f"{__name__}.auto:AutoMatcher"),
        "knn": Registration(f"{__name__}.knn:KnnMatcher"),
        "exact": Registration(f"{__name__}.exact:ExactMatcher"),
        "binary": Registration(f"{__name__}.binary:BinaryMatcher", install="smartabsen[faiss]"),
    },
)

"""The matchers and their registry."""

from __future__ import annotations

from typing import Final

from ...registry import Registration, Registry
from .base import Matcher

MATCHERS: Final[Registry[Matcher]] = Registry(
    "matcher",
    {
        "knn": Registration(f"{__name__}.knn:KnnMatcher"),
        "exact": Registration(f"{__name__}.exact:ExactMatcher"),
    },
)

"""Pages of long lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

PAGE: Final = 50
"""Rows of a page."""
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list.

    Attributes:
        number: 1 is the first.
        pages: How many there are, at least 1.
        total: Rows on all pages.
    """

    rows: tuple[Row, ...]
    number: int
    pages: int
    total: int


def clamp_page(page: int, total: int) -> tuple[int, int]:
    """Return the number of a page, which is no more than there are, and how many there are, at least one."""
    pages = max(1, -(-total // PAGE))
    return min(max(1, page), pages), pages

"""What ``doctor`` is made of: each place has checks of its own subject, and ``app`` lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from .domain import Check, CheckLevel

OK: Final = CheckLevel.OK
WARN: Final = CheckLevel.WARN
FAIL: Final = CheckLevel.FAIL


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A check that a place registers.

    Attributes:
        name: Of its rows; also of the row that says that it could not be made.
        check: Yields rows for the parts of an installation.
        needs_database: Whether it cannot be made without the database.
    """

    name: str
    check: Callable[[Any], Iterator[Check]]
    needs_database: bool


def row(check: str, level: CheckLevel, detail: str, fix: str = "", **params: object) -> Check:
    """Return a row of ``doctor``; values of the sentences become text."""
    texts = tuple((key, each if isinstance(each, str) else str(each)) for key, each in params.items())
    return Check(check, level, detail, fix, texts)

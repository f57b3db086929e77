"""Parts that threads share and that are made once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    # Type checkers know what a cached property is, and infer through it where a descriptor of our own stops them.
    made_once = cached_property
else:

    class made_once(cached_property[T]):  # noqa: N801 - used like the decorator that it is
        """A property that is computed at the first use and kept, whichever of several threads comes first.

        :class:`functools.cached_property` computes it twice when two threads meet (since Python 3.12).
        """

        def __init__(self, compute: Callable[[Any], T]) -> None:
            super().__init__(compute)
            self._making = threading.RLock()

        def __get__(self, instance: object, owner: type | None = None) -> Any:
            if instance is None:
                return self
            with self._making:
                return super().__get__(instance, owner)

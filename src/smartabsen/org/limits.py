"""How often something may be tried, counted where all processes see it."""

from __future__ import annotations

from ..kernel.errors import TooManyTriesError
from ..kernel.i18n import N_
from ..store.database import Session
from ..trust.work import Part
from .rate_limit_rows import RateLimitStore


class RateLimits:
    """The counts of this installation.

    Args:
        store: Where they are kept.
    """

    def __init__(self, store: RateLimitStore) -> None:
        self._store = store

    def hit(self, key: str, *, limit: int, per_s: int) -> int:
        """Count a try; one over the limit is not counted and writes nothing.

        Args:
            key: What is counted, as ``login:siti`` or ``verify:192.0.2.7``; stored as a hash.
            limit: Tries allowed within ``per_s`` seconds, beginning with the first one.

        Returns:
            0 where it is allowed, else the whole seconds to wait.
        """
        return self._store.hit(key, limit=limit, per_s=per_s)

    def counting(self, key: str, *, limit: int, per_s: int) -> Part:
        """Return what counts a try within the transaction of what is tried; see :meth:`hit`.

        Raises:
            TooManyTriesError: It is one over the limit now. What is returned raises it, too: of many tries at once the
                last ones may be too many.
        """
        if wait_s := self._store.wait_s(key, limit=limit):
            raise _too_many(wait_s)

        def count(session: Session) -> None:
            if wait_s := self._store.hit_within(session, key, limit=limit, per_s=per_s):
                raise _too_many(wait_s)

        return count

    def wait_s(self, key: str, *, limit: int) -> int:
        """Return the whole seconds to wait before the next try, 0 where it is allowed now; counts nothing."""
        return self._store.wait_s(key, limit=limit)

    def give_back(self, key: str) -> None:
        """Take one try back, as after a right password."""
        self._store.give_back(key)

    def forget(self, key: str) -> None:
        """Forget all tries of a key."""
        self._store.forget(key)


def _too_many(wait_s: int) -> TooManyTriesError:
    return TooManyTriesError(N_("That was too often."), hint=N_("Wait a moment and try again."), seconds=wait_s)

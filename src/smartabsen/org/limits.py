"""How often something may be tried, counted where all processes see it."""

from __future__ import annotations

from ..app.bootstrap import Services


class RateLimits:
    """The counts of this installation.

    Args:
        services: Its parts.
    """

    def __init__(self, services: Services) -> None:
        self._store = services.rate_limits

    def hit(self, key: str, *, limit: int, per_s: int) -> int:
        """Count a try; one over the limit is not counted and writes nothing.

        Args:
            key: What is counted, as ``login:siti`` or ``verify:192.0.2.7``; stored as a hash.
            limit: Tries allowed within ``per_s`` seconds, beginning with the first one.

        Returns:
            0 where it is allowed, else the whole seconds to wait.
        """
        return self._store.hit(key, limit=limit, per_s=per_s)

    def wait_s(self, key: str, *, limit: int) -> int:
        """Return the whole seconds to wait before the next try, 0 where it is allowed now; counts nothing."""
        return self._store.wait_s(key, limit=limit)

    def give_back(self, key: str) -> None:
        """Take one try back, as after a right password."""
        self._store.give_back(key)

    def forget(self, key: str) -> None:
        """Forget all tries of a key."""
        self._store.forget(key)

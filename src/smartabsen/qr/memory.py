"""Sign-in requests and counted tries in the memory of one process: the reference, and for trying things out."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from ..kernel.domain import Kept, PairedPhone, PlaceHolder, SignInState, StoredSignIn, find_place
from .sync import SecretKind


class MemorySignIns:
    """Keeps requests in memory. Threads share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[str, StoredSignIn] = {}

    def add(self, request: StoredSignIn, *, places: Sequence[str] = ()) -> Kept:
        """Keep a new request in place of its session's earlier one, and of the one whose place it gets."""
        with self._lock:
            others = [each for each in self._requests.values() if each.session_hash != request.session_hash]
            found = find_place(places, _holders(others, places), now=request.seen_at)
            if found.free_in:
                return Kept.NO_PLACE
            others = [each for each in others if each.token_hash != found.displaced]
            request = dataclasses.replace(request, waits_at=found.waits_at)
            if any(request.token_hash == each.token_hash or request.code_hash == each.code_hash for each in others):
                return Kept.DUPLICATE
            self._requests = {each.token_hash: each for each in (*others, request)}
            return Kept.YES

    def find_holders(self, places: Sequence[str]) -> tuple[PlaceHolder, ...]:
        """Return the requests that hold one of these places."""
        with self._lock:
            return _holders(self._requests.values(), places)

    def note_asked(self, token_hash: str, *, now: datetime) -> None:
        """Note when its browser asked how a request stands."""
        with self._lock:
            if token_hash in self._requests:
                self._requests[token_hash] = dataclasses.replace(self._requests[token_hash], asked_at=now)

    def find(self, kind: SecretKind, digest: str) -> StoredSignIn | None:
        """Return the request with that hash."""
        with self._lock:
            return self._find(kind, digest)

    def settle(
        self, token_hash: str, state: SignInState, *, now: datetime, expires_at: datetime, phone: PairedPhone | None
    ) -> bool:
        """Answer a request that is pending and not expired; False where it is not."""
        with self._lock:
            found = self._requests.get(token_hash)
            if found is None or found.state is not SignInState.PENDING or found.expires_at <= now:
                return False
            self._requests[token_hash] = dataclasses.replace(
                found, state=state, expires_at=expires_at, employee=phone.employee if phone else None, waits_at=""
            )
            return True

    def collect(self, session_hash: str, *, now: datetime) -> StoredSignIn | None:
        """Use up a session's verified request."""
        with self._lock:
            found = self._find("session", session_hash)
            if found is None or found.state is not SignInState.VERIFIED or found.expires_at <= now:
                return None
            self._requests[found.token_hash] = dataclasses.replace(found, state=SignInState.DEAD)
            return found

    def sweep(self, *, now: datetime) -> int:
        """Remove what has expired."""
        with self._lock:
            before = len(self._requests)
            self._requests = {key: each for key, each in self._requests.items() if each.expires_at > now}
            return before - len(self._requests)

    def _find(self, kind: SecretKind, digest: str) -> StoredSignIn | None:
        field = f"{kind}_hash"
        return next((each for each in self._requests.values() if getattr(each, field) == digest), None)


def _holders(requests: Iterable[StoredSignIn], places: Sequence[str]) -> tuple[PlaceHolder, ...]:
    return tuple(
        PlaceHolder(each.token_hash, each.waits_at, each.created_at, each.expires_at, each.asked_at)
        for each in requests
        if each.waits_at in places
    )


class MemoryTries:
    """Counts tries in memory. Threads share one.

    Args:
        clock: Gives seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._counts: dict[str, tuple[int, float]] = {}

    def hit(self, key: str, *, limit: int, per_s: int) -> int:
        """Count one; 0 where it is allowed, else the whole seconds to wait."""
        with self._lock:
            now = self._clock()
            count, resets_at = self._counts.get(key, (0, 0.0))
            if resets_at <= now:
                count, resets_at = 0, now + per_s
            if count >= limit:
                return max(1, round(resets_at - now + 0.5))
            self._counts[key] = (count + 1, resets_at)
            return 0

    def give_back(self, key: str) -> None:
        """Take one back."""
        with self._lock:
            if key in self._counts:
                count, resets_at = self._counts[key]
                self._counts[key] = (max(0, count - 1), resets_at)

"""Things that work for one thread at a time, as loaded models do, lent to several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Generic, Protocol, TypeVar

from .errors import SmartAbsenError


class Closeable(Protocol):
    """What a pool can hold."""

    def close(self) -> None: ...


T = TypeVar("T", bound=Closeable)


class Pool(Generic[T]):
    """Lends its members, each to one thread at a time; who comes when all are lent waits for one.

    Members are made when they are needed: the next one only where all others are at work. The one that was used last is
    lent first, so that in quiet times one alone works. One whose borrower met an error is lent last.

    Args:
        make: Makes a member; called by the thread that is to borrow it, by several at once.
        size: Members at most.
        on_trouble: Told why a further member could not be made; there are no more than those before from then on.
    """

    def __init__(
        self, make: Callable[[], T], *, size: int, on_trouble: Callable[[Exception], None] = lambda _: None
    ) -> None:
        self._make = make
        self._size: Final = size
        self._on_trouble = on_trouble
        self._changed = threading.Condition()
        self._members: set[T] = set()
        self._idle: list[T] = []
        self._being_made = 0
        self._room = size
        self._era = object()

    @contextmanager
    def lend(self) -> Iterator[T]:
        """Lend a member for the ``with`` block.

        Raises:
            SmartAbsenError: There is none, and none can be made.
        """
        member = self._take()
        try:
            yield member
        except BaseException:
            self._give_back(member, failed=True)
            raise
        self._give_back(member)

    def ensure(self) -> None:
        """Make the first member where there is none. Raises as :meth:`lend`."""
        with self._changed:
            there = bool(self._members)
        if not there:
            with self.lend():
                pass

    def exchange(self, *members: T) -> None:
        """Go on with other members, none by default: the ones before are closed, those at work when they come back."""
        with self._changed:
            closed = [one for one in self._idle if one not in members]
            self._members, self._idle = set(members), list(members)
            self._being_made, self._room, self._era = 0, self._size, object()
            self._changed.notify_all()
        for one in closed:
            one.close()

    def close(self) -> None:
        """Close all members, those at work when they come back."""
        self.exchange()

    def _take(self) -> T:
        while True:
            with self._changed:
                while not self._idle and len(self._members) + self._being_made >= self._room:
                    self._changed.wait()
                if self._idle:
                    return self._idle.pop()
                self._being_made += 1
                era = self._era
            member = self._try_to_make(era)
            if member is not None:
                return member

    def _try_to_make(self, era: object) -> T | None:
        """Return a new member; None where it is out of date, or none can be made beside those that are there."""
        try:
            member = self._make()
        except BaseException as exc:
            goes_on = self._forget_unmade(era)
            if not goes_on or not isinstance(exc, SmartAbsenError | MemoryError):
                raise
            self._on_trouble(exc)
            return None
        with self._changed:
            if era is self._era:
                self._being_made -= 1
                self._members.add(member)
                return member
        member.close()
        return None

    def _forget_unmade(self, era: object) -> bool:
        """Return whether there are members all the same; then no more of them are made."""
        with self._changed:
            if era is self._era:
                self._being_made -= 1
                if self._members:
                    self._room = len(self._members)
                self._changed.notify()
            return bool(self._members)

    def _give_back(self, member: T, *, failed: bool = False) -> None:
        with self._changed:
            ours = member in self._members
            if ours:
                self._idle.insert(0 if failed else len(self._idle), member)
                self._changed.notify()
        if not ours:
            member.close()

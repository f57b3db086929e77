"""A clock that the test turns, and requests kept in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smartabsen.qr.memory import MemorySignIns, MemoryTries
from smartabsen.qr.sync import QRSyncManager


class Clock:
    """The present instant; :meth:`pass_time` turns it on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **spans: float) -> None:
        self.now += timedelta(**spans)


@pytest.fixture
def clock() -> Clock:
    """The clock of the managers."""
    return Clock()


@pytest.fixture
def signs() -> MemorySignIns:
    """Where the requests are kept."""
    return MemorySignIns()


@pytest.fixture
def make_manager(clock: Clock, signs: MemorySignIns) -> Callable[..., QRSyncManager]:
    """Makes managers on the same requests and counts."""
    tries = MemoryTries(lambda: clock.now.timestamp())

    def make(**changes: Any) -> QRSyncManager:
        options: dict[str, Any] = {"public_url": "https://absen.example", "key": b"k" * 32, "clock": clock, **changes}
        return QRSyncManager(signs, tries, **options)

    return make


@pytest.fixture
def manager(make_manager: Callable[..., QRSyncManager]) -> QRSyncManager:
    """A manager that takes any phone."""
    return make_manager()

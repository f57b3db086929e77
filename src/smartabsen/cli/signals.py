"""Ctrl-C and SIGTERM as a request to end well."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_TERMINATE = [getattr(signal, name) for name in ("SIGTERM", "SIGBREAK") if hasattr(signal, name)]


class StopRequest:
    """Whether somebody asked to stop, and how.

    Attributes:
        event: Set when somebody did.
        interrupted: They pressed Ctrl-C.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self.interrupted = False

    def _terminate(self, _number: int, _frame: FrameType | None) -> None:
        self.event.set()

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self.interrupted = True
        self.event.set()
        # Whoever presses Ctrl-C again does not want to wait for a good end.
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def interrupt_on_sigterm() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does for a ``with`` block in the main thread: KeyboardInterrupt."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in _TERMINATE}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn signals into a stop request for a ``with`` block in the main thread."""
    request = StopRequest()
    before = {signal.SIGINT: signal.signal(signal.SIGINT, request._interrupt)}
    for number in _TERMINATE:
        before[number] = signal.signal(number, request._terminate)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""Threads that wait in the code of a driver: it may hang for as long as it likes, and nothing can wake it.

A program ends without them. One that came back from a codec in C++ while the interpreter is taken apart would be ended
by unwinding, which that code does not allow: the whole process is aborted then, with its work done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class DriverThread(threading.Thread):
    """A thread that no program waits for.

    Args:
        target: What it does.
        name: For people who look into a program that hangs.
    """

    def __init__(self, target: Callable[[], object], *, name: str) -> None:
        super().__init__(target=target, name=name, daemon=True)


def is_any_left() -> bool:
    """Tell whether one of them still waits for its driver."""
    return any(isinstance(each, DriverThread) for each in threading.enumerate())

"""A camera without a camera, for tests: says when to fail, block or end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..kernel.errors import CameraError
from .base import Frame
from .capture import closed_error

if TYPE_CHECKING:
    from ..kernel.domain import ImageBGR


class FakeSource:
    """Plays a script.

    Args:
        script: An image is given as a frame, an exception raised; an Event blocks the reader until it is set (a camera
            that hangs). The end of the script is the end of the recording.
        live: As for any source.
        period_s: Time between two frames: a live source waits so long, a recording counts so.
        name: As for any source.
    """

    def __init__(
        self,
        script: Iterable[ImageBGR | Exception | threading.Event],
        *,
        live: bool = False,
        period_s: float = 0.04,
        name: str = "fake",
    ) -> None:
        self.name = name
        self.live = live
        self.closed = False
        self._script: Iterator[ImageBGR | Exception | threading.Event] = iter(script)
        self._period_s = period_s
        self._index = 0

    def read(self, timeout_s: float) -> Frame | None:
        """Play the next step."""
        del timeout_s
        if self.closed:
            raise closed_error(self.name)
        for step in self._script:
            if isinstance(step, threading.Event):
                step.wait()
                continue
            if isinstance(step, Exception):
                raise step
            return self._frame(step)
        return None

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    def _frame(self, image: ImageBGR) -> Frame:
        if self.live:
            time.sleep(self._period_s)
        at_s = time.monotonic() if self.live else self._index * self._period_s
        frame = Frame(image_bgr=image, index=self._index, at_s=at_s)
        self._index += 1
        return frame


def unplugged(name: str = "fake") -> CameraError:
    """Return the error of a camera that is gone."""
    return CameraError("The camera {camera} gives no pictures any more.", camera=name)

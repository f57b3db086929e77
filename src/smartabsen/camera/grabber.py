"""Keeps only the latest frame of a live camera, so that whoever is slow sees the present and not the past."""

from __future__ import annotations

import threading
import time

from ..kernel.driver_threads import DriverThread
from ..kernel.errors import CameraError
from ..kernel.i18n import N_
from .base import Frame, FrameSource
from .capture import closed_error


class LatestFrame:
    """A reader of ``source`` that never blocks longer than it was told.

    A live source is read by one thread of its own; frames that nobody took are replaced by newer ones. What goes wrong
    in that thread is raised by :meth:`read`. Of a recording no frame is lost: it is read directly.

    The source belongs to this object from now on, and is closed with it.

    Args:
        source: What to read.
        read_timeout_s: What the thread gives the source for each frame.
    """

    def __init__(self, source: FrameSource, *, read_timeout_s: float = 5.0) -> None:
        self.name = source.name
        self.live = source.live
        self._source = source
        self._read_timeout_s = read_timeout_s
        self._changed = threading.Condition()
        self._latest: Frame | None = None
        self._error: CameraError | None = None
        self._ended = False
        self._closed = False
        self._thread: threading.Thread | None = None
        if self.live:
            self._thread = DriverThread(self._grab, name=f"camera {self.name}")
            self._thread.start()

    def read(self, timeout_s: float) -> Frame | None:
        """Return the latest frame that was not read yet, waiting for it; see :class:`FrameSource`."""
        if not self.live:
            return self._source.read(timeout_s)
        if not self.wait(timeout_s):
            raise silent_error(self.name, timeout_s)
        with self._changed:
            if self._closed:
                raise closed_error(self.name)
            if self._latest is not None:
                frame, self._latest = self._latest, None
                return frame
            if self._error is not None:
                error = self._error
                # A copy each time: an error that is raised again collects the tracebacks of all readers.
                raise type(error)(error.message_id, hint=error.hint_id, **error.params) from error
            return None

    def wait(self, timeout_s: float) -> bool:
        """Wait until :meth:`read` has an answer, and say whether it has one."""
        if not self.live:
            return True
        with self._changed:
            return self._changed.wait_for(self._has_answer, timeout_s)

    def close(self, *, wait_s: float = 1.0) -> None:
        """Stop, and release the camera, waiting ``wait_s`` at most.

        A camera that hangs in its driver is left to its thread, which releases it when it wakes up.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is None:
            self._source.close()
        elif self._thread is not threading.current_thread():
            self._thread.join(wait_s)

    def _has_answer(self) -> bool:
        return self._latest is not None or self._error is not None or self._ended or self._closed

    def _grab(self) -> None:
        # The thread that reads is the one that closes: releasing a capture while it is read crashes the process.
        try:
            while not self._closed:
                frame = self._source.read(self._read_timeout_s)
                with self._changed:
                    if frame is None:
                        self._ended = True
                        return
                    self._latest = frame
                    self._changed.notify_all()
        except CameraError as exc:
            self._fail(exc)
        except Exception as exc:  # noqa: BLE001 - whatever a driver's binding raises must reach the reader, not vanish here
            error = CameraError(N_("The camera “{camera}” failed: {problem}"), camera=self.name, problem=repr(exc))
            error.__cause__ = exc
            self._fail(error)
        finally:
            self._source.close()
            with self._changed:
                self._changed.notify_all()

    def _fail(self, error: CameraError) -> None:
        with self._changed:
            self._error = error


def silent_error(name: str, timeout_s: float) -> CameraError:
    """Return the error of a camera that gave no frame in time."""
    return CameraError(
        N_("The camera “{camera}” gave no picture within {seconds} s."),
        hint=N_("Check its cable, power and network."),
        camera=name,
        seconds=f"{timeout_s:g}",
    )


def remaining_s(deadline: float) -> float:
    """Return the seconds until ``deadline`` on the monotonic clock, never negative."""
    return max(0.0, deadline - time.monotonic())

"""A live camera that comes back: reports a loss, tries again with back-off, and goes on."""

from __future__ import annotations

import dataclasses
import random
import threading
import time
from collections.abc import Callable
from typing import Final

from ..kernel.driver_threads import DriverThread
from ..kernel.errors import CameraError
from ..kernel.i18n import N_
from .address import display_name
from .base import Frame, FrameSource
from .grabber import LatestFrame, remaining_s, silent_error
from .sources import open_source
from .standstill import NOTICED_S, PictureWatch, Standstill

_SLICE_S: Final = 0.05
"""How often a waiting reader looks whether it should stop."""


@dataclasses.dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before the attempts to reopen a camera: doubling, with jitter.

    Jitter keeps many kiosks from asking one network camera in step after it restarts.
    """

    first_s: float = 0.5
    longest_s: float = 10.0
    jitter: float = 0.25

    def delay_s(self, attempt: int) -> float:
        """Return the wait before attempt ``attempt`` (from 0): ``first_s`` doubled each time, ± ``jitter`` of it."""
        delay: float = min(self.longest_s, self.first_s * 2.0 ** min(attempt, 30))
        return delay * (1.0 + self.jitter * random.uniform(-1.0, 1.0))  # noqa: S311 - no secret


class ReconnectingCamera:
    """A live :class:`FrameSource` that outlives the failures of the camera behind it.

    A picture that stands still or shows nothing is a failure as well: it is told, and the camera is opened anew. Until
    its picture changes again, no frame is given.

    ``read`` raises CameraError when there is no frame within its time: the camera is slow, or gone and being tried
    again. Neither is the end: call again. It returns None only after ``stop`` was set. Opening happens in a thread, so
    neither a silent camera nor a hanging driver keeps the reader.

    The callbacks run in the thread that reads.

    Args:
        open_: Opens the camera, or raises CameraError.
        first: The camera as it was opened already, or None to begin with opening it.
        name: The camera as a person would write it, without a password.
        stop: When set, reading ends at once.
        on_lost: Told once when the camera is gone, with the reason.
        on_back: Called when it gives frames again.
        stall_s: A camera that gives no frame for so long is gone.
        noticed_s: A picture that stands still or shows nothing for so long is told. A camera that goes on like this
            after it was opened anew is given twice as long each time, up to 16 times.
        backoff: Waits between attempts.
    """

    live = True

    def __init__(
        self,
        open_: Callable[[], FrameSource],
        *,
        first: FrameSource | None,
        name: str,
        stop: threading.Event,
        on_lost: Callable[[CameraError], None],
        on_back: Callable[[], None],
        stall_s: float = 5.0,
        noticed_s: float = NOTICED_S,
        backoff: Backoff | None = None,
    ) -> None:
        self.name = name
        self._open = open_
        self._stop = stop
        self._on_lost = on_lost
        self._on_back = on_back
        self._stall_s = stall_s
        self._noticed_s = noticed_s
        self._watch = PictureWatch(noticed_s=noticed_s)
        self._standstills = 0
        self._backoff = backoff or Backoff()
        self._camera = None if first is None else LatestFrame(first)
        self._opening: _Opening | None = None
        self._lost = False
        self._attempts = 0
        self._next_attempt_at = 0.0
        self._last_sign_at = time.monotonic()
        self._next_index = 0
        self._index_shift = 0
        self._closed = False

    def read(self, timeout_s: float) -> Frame | None:
        """Return the latest frame, or None when stopped; see the class for CameraError."""
        deadline = time.monotonic() + timeout_s
        while not self._stop.is_set() and not self._closed:
            slice_s = min(_SLICE_S, remaining_s(deadline))
            if self._camera is None:
                self._try_again(slice_s)
            else:
                frame = self._look(self._camera, slice_s)
                if frame is not None:
                    return frame
            if not remaining_s(deadline):
                raise silent_error(self.name, timeout_s)
        return None

    def close(self) -> None:
        """Release the camera, without waiting for one that hangs."""
        self._closed = True
        if self._opening is not None:
            self._opening.abandon()
            self._opening = None
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def _look(self, camera: LatestFrame, slice_s: float) -> Frame | None:
        if not camera.wait(slice_s):
            silence_s = time.monotonic() - self._last_sign_at
            if silence_s >= self._stall_s:
                self._lose(silent_error(self.name, self._stall_s))
            return None
        try:
            frame = camera.read(0.0)
        except CameraError as exc:
            self._lose(exc)
            return None
        if frame is None:
            self._lose(CameraError(N_("The camera “{camera}” ended its stream."), camera=self.name))
            return None
        self._last_sign_at = time.monotonic()
        wrong = self._watch.add(frame.image_bgr, self._last_sign_at)
        if wrong is not None:
            self._standstills += 1
            self._lose(standstill_error(self.name, wrong))
            return None
        if self._standstills and not self._watch.shows_life:
            return None
        # A frame, not an open connection, shows that the camera is back: some accept connections and send nothing.
        self._attempts = self._standstills = 0
        if self._lost:
            self._lost = False
            self._on_back()
        self._next_index = frame.index + self._index_shift + 1
        return dataclasses.replace(frame, index=self._next_index - 1)

    def _lose(self, error: CameraError) -> None:
        if self._camera is not None:
            # Its thread releases the camera; a hanging driver must not keep the reader now.
            self._camera.close(wait_s=0.0)
            self._camera = None
        self._next_attempt_at = time.monotonic() + self._backoff.delay_s(self._attempts)
        self._attempts += 1
        if not self._lost:
            self._lost = True
            self._on_lost(error)

    def _try_again(self, slice_s: float) -> None:
        if self._opening is None:
            if time.monotonic() < self._next_attempt_at:
                self._stop.wait(min(slice_s, remaining_s(self._next_attempt_at)))
                return
            self._opening = _Opening(self._open, name=self.name)
        if self._opening.done.wait(slice_s):
            try:
                self._take(self._opening)
            except CameraError as exc:
                self._lose(exc)

    def _take(self, opening: _Opening) -> None:
        self._opening = None
        self._camera = LatestFrame(opening.result())
        self._watch = PictureWatch(noticed_s=self._noticed_s * 2.0 ** min(self._standstills, 4))
        self._last_sign_at = time.monotonic()
        self._index_shift = self._next_index


def check_pictures(source: FrameSource, *, timeout_s: float) -> None:
    """Take pictures from a source until it shows life; of a recording, the first one is enough.

    Raises:
        CameraError: It gives no picture, or a live camera's stands still or shows nothing.
    """
    watch = PictureWatch()
    while not watch.shows_life:
        frame = source.read(timeout_s)
        if frame is None or not source.live:
            return
        wrong = watch.add(frame.image_bgr, frame.at_s)
        if wrong is not None:
            raise standstill_error(source.name, wrong)


def standstill_error(name: str, wrong: Standstill) -> CameraError:
    """Return the error of a camera whose picture stands still or shows nothing."""
    if wrong is Standstill.BLANK:
        return CameraError(
            N_("The picture of the camera “{camera}” shows nothing: it is black or of one colour."),
            hint=N_("Look at its lens, its cover and the light in the room."),
            camera=name,
        )
    return CameraError(
        N_("The picture of the camera “{camera}” stands still."),
        hint=N_("Switch the camera off and on again; a phone that serves as camera must stay unlocked."),
        camera=name,
    )


class _Opening:
    """One attempt to open a camera, in a thread; ``done`` is set when it has ended."""

    def __init__(self, open_: Callable[[], FrameSource], *, name: str) -> None:
        self.done = threading.Event()
        self._name = name
        self._open = open_
        self._lock = threading.Lock()
        self._abandoned = False
        self._source: FrameSource | None = None
        self._error: Exception | None = None
        DriverThread(self._run, name=f"open camera {name}").start()

    def result(self) -> FrameSource:
        if self._source is not None:
            return self._source
        if isinstance(self._error, CameraError):
            raise self._error
        raise CameraError(
            N_("The camera “{camera}” failed: {problem}"), camera=self._name, problem=repr(self._error)
        ) from self._error

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            if self._source is not None:
                self._source.close()

    def _run(self) -> None:
        try:
            source = self._open()
        except Exception as exc:  # noqa: BLE001 - it is raised again where the result is asked for
            self._error = exc
        else:
            with self._lock:
                self._source = source
                if self._abandoned:
                    source.close()
        self.done.set()


def open_camera(
    spec: str,
    *,
    stop: threading.Event,
    on_lost: Callable[[CameraError], None],
    on_back: Callable[[], None],
    on_skip: Callable[[CameraError], None] | None = None,
    open_timeout_s: float = 10.0,
    read_timeout_s: float = 5.0,
) -> FrameSource:
    """Open a camera for a long session: a live one comes back after failures, a recording gives its every frame.

    Args:
        spec: See :func:`smartabsen.camera.sources.open_source`.
        stop: When set, opening and reading a live camera end at once.
        on_lost, on_back: See :class:`ReconnectingCamera`.
        on_skip, open_timeout_s, read_timeout_s: See :class:`smartabsen.camera.base.OpenOptions`.

    Raises:
        CameraError: It cannot be opened now.
    """

    def open_() -> FrameSource:
        return open_source(spec, open_timeout_s=open_timeout_s, read_timeout_s=read_timeout_s, on_skip=on_skip)

    # Two attempts of a device, each with a first picture, may take longer than opening alone.
    first = _open_first(open_, name=display_name(spec), stop=stop, timeout_s=open_timeout_s + 2.0 * read_timeout_s)
    if first is not None and not first.live:
        return first
    return ReconnectingCamera(
        open_,
        first=first,
        name=display_name(spec),
        stop=stop,
        on_lost=on_lost,
        on_back=on_back,
        stall_s=min(read_timeout_s, NOTICED_S),
    )


def _open_first(
    open_: Callable[[], FrameSource], *, name: str, stop: threading.Event, timeout_s: float
) -> FrameSource | None:
    opening = _Opening(open_, name=name)
    deadline = time.monotonic() + timeout_s
    while not opening.done.wait(min(_SLICE_S, remaining_s(deadline))):
        if stop.is_set():
            opening.abandon()
            return None
        if not remaining_s(deadline):
            opening.abandon()
            raise silent_error(name, timeout_s)
    return opening.result()

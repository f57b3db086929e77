"""What the recognition session works with beside camera, recogniser and gallery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..kernel.domain import ClockReading, Face, ImageBGR, MovementRequest, Outcome, Punch
from .punch_writer import Written


class MakeAttempt(Protocol):
    """Makes the attempt of a recognised person; see :func:`smartabsen.attendance.punch.attempt_by_face`."""

    def __call__(
        self,
        employee_id: int,
        *,
        similarity: float,
        reading: ClockReading,
        liveness: float | None,
        person: str,
        code: str,
    ) -> Punch: ...


class Writer(Protocol):
    """Stores punches beside the session; :class:`smartabsen.kiosk.punch_writer.PunchWriter` is one."""

    lost: int

    def submit(self, attempt: Punch, *, track: int) -> None: ...

    def answers(self) -> list[Written]: ...

    def close(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ShownFace:
    """A face as a view shows it.

    Attributes:
        face: Where it is.
        outcome: What became of it so far; None while undecided.
        text: What the person is told.
        request: The movement that this person is asked for; None where none is.
    """

    face: Face
    outcome: Outcome | None
    text: str
    request: MovementRequest | None = None


class KioskView(Protocol):
    """Shows what the kiosk sees; ``wants_quit`` ends the session."""

    @property
    def wants_quit(self) -> bool: ...

    def show(self, image_bgr: ImageBGR, faces: list[ShownFace]) -> None:
        """Show a frame with its faces."""
        ...

    def show_lost(self, image_bgr: ImageBGR | None) -> None:
        """Show that the camera gives no pictures; ``image_bgr`` is the last one, None where there was none yet."""
        ...

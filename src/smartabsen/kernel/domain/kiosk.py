"""What a kiosk tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from .attendance import PunchResult
from .faces import Measured
from .liveness import MovementRequest
from .people import Employee
from .words import Outcome


class KioskEventKind(StrEnum):
    """What a kiosk tells while it runs."""

    STARTED = "started"
    DECISION = "decision"
    DELIVERED = "delivered"
    """A punch that was pending is in the database now."""
    PROMPT = "prompt"
    """What a person is asked to do."""
    CAMERA_LOST = "camera_lost"
    CAMERA_BACK = "camera_back"
    MODEL_RELOADED = "model_reloaded"
    RUNNING = "running"
    """Once a second: ``frames_per_s``."""
    TROUBLE = "trouble"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class CameraTrouble:
    """What is wrong with the camera of a kiosk.

    Attributes:
        kiosk: Its name.
        detail: One English sentence; a message id with ``params``.
        since: UTC.
    """

    kiosk: str
    detail: str
    params: tuple[tuple[str, str], ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class KioskSummary:
    """Counts of a kiosk session; ``pending`` punches wait on the kiosk for the database, earlier sessions' included.

    ``lost`` ones could be put neither into the database nor into the queue before the end; nobody was told otherwise.
    """

    frames: int
    seconds: float
    recorded: int
    already_recorded: int
    refused: int
    reason: str
    pending: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class KioskEvent:
    """Something a kiosk tells.

    Attributes:
        kind: What happened.
        at: UTC.
        outcome: For decisions.
        result: The punch, for RECOGNIZED and ALREADY_RECORDED, and for DELIVERED.
        employee: Who is PENDING, or who is asked for a movement, where the kiosk knows the name.
        similarity: For decisions on a compared face.
        lead: The same, above the second-best person; None for guidance.
        covered: For refusals of a compared face: mouth and chin seem to be covered.
        track: Number of the person's track in this session, for decisions.
        detail: One English sentence for the others; a message id with ``params``.
        summary: For SUMMARY.
        frames_per_s: For RUNNING: pictures of the camera that were looked at in the last second.
        request: For PROMPT: what the person of the track is asked to do, and how far that is.
        measured: For refusals of a face for its quality, or by a model of liveness.
    """

    kind: KioskEventKind
    at: datetime
    outcome: Outcome | None = None
    result: PunchResult | None = None
    similarity: float | None = None
    track: int | None = None
    detail: str = ""
    params: tuple[tuple[str, str], ...] = ()
    summary: KioskSummary | None = None
    employee: Employee | None = None
    frames_per_s: float = 0.0
    lead: float | None = None
    covered: bool = False
    request: MovementRequest | None = None
    measured: Measured | None = None


class Measure(StrEnum):
    """What a decision looks at."""

    SIMILARITY = "similarity"
    LEAD = "lead"
    LIVENESS = "liveness"
    FACE_PX = "face_px"
    BRIGHTNESS = "brightness"
    SHARPNESS = "sharpness"
    YAW = "yaw"


MEASURES: Final[Mapping[Outcome, Measure]] = {
    Outcome.UNKNOWN: Measure.SIMILARITY,
    Outcome.OTHER_FACE: Measure.SIMILARITY,
    Outcome.AMBIGUOUS: Measure.LEAD,
    Outcome.NOT_LIVE: Measure.LIVENESS,
    Outcome.TOO_SMALL: Measure.FACE_PX,
    Outcome.TOO_DARK: Measure.BRIGHTNESS,
    Outcome.TOO_BRIGHT: Measure.BRIGHTNESS,
    Outcome.BLURRED: Measure.SHARPNESS,
    Outcome.TURNED_AWAY: Measure.YAW,
}
"""The measure that a refusal rests on, where it rests on one."""
AT_MOST: Final = (Outcome.TOO_BRIGHT, Outcome.TURNED_AWAY)
"""Refusals of what was more than the limit; the others were less."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """That somebody was refused: no picture, no embedding, and nobody's name.

    Attributes:
        at: UTC.
        kiosk: Where.
        outcome: Why.
        value: Of the measure that goes with the outcome, but for AMBIGUOUS the cosine to the best person; None where
            there is none, as for a movement that was not made.
        limit: What that needed, or the most it could have.
        lead: Distance to the second-best person; None where the face was not compared.
        margin: What that needed.
    """

    at: datetime
    kiosk: str
    outcome: Outcome
    value: float | None
    limit: float
    lead: float | None
    margin: float

    @property
    def measure(self) -> Measure | None:
        """What the decision looked at; None where that is no number."""
        return MEASURES.get(self.outcome) if self.measured is not None else None

    @property
    def measured(self) -> Measured | None:
        """Value and limit of that; None where that is no number, or did not miss the limit in the end."""
        value, limit = (self.lead, self.margin) if self.outcome is Outcome.AMBIGUOUS else (self.value, self.limit)
        if value is None or self.outcome not in MEASURES:
            return None
        missed = value > limit if self.outcome in AT_MOST else value < limit
        return Measured(value, limit) if missed else None

    @property
    def short_by(self) -> float | None:
        """How far it was from its limit, in units of the measure; None without one."""
        return None if self.measured is None else round(abs(self.measured.value - self.measured.limit), 6)

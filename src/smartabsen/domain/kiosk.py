"""What a kiosk tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .attendance import PunchResult
from .liveness import LivenessPrompt
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
        employee: Who is PENDING, where the kiosk knows the name.
        similarity: For decisions on a compared face.
        lead: The same, above the second-best person; None for guidance.
        covered: For refusals of a compared face: mouth and chin seem to be covered.
        track: Number of the person's track in this session, for decisions.
        detail: One English sentence for the others; a message id with ``params``.
        summary: For SUMMARY.
        frames_per_s: For RUNNING: pictures of the camera that were looked at in the last second.
        prompt: For PROMPT: what the person of the track is asked to do.
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
    prompt: LivenessPrompt | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """That somebody was refused: no picture, no embedding, and nobody's name.

    Attributes:
        at: UTC.
        kiosk: Where.
        outcome: Why.
        similarity: Cosine to the best person; None where the face was not compared.
        threshold: What it needed.
        lead: Distance to the second-best person; None likewise.
        margin: What that needed.
    """

    at: datetime
    kiosk: str
    outcome: Outcome
    similarity: float | None
    threshold: float
    lead: float | None
    margin: float

    @property
    def short_by(self) -> float | None:
        """How far it was from what the outcome needed; None where the face was not compared."""
        if self.outcome in (Outcome.UNKNOWN, Outcome.OTHER_FACE) and self.similarity is not None:
            return round(self.threshold - self.similarity, 6)
        if self.outcome is Outcome.AMBIGUOUS and self.lead is not None:
            return round(self.margin - self.lead, 6)
        return None
